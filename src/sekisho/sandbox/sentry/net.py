"""What the workload may reach over the network, as a value that handlers ask."""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET = 1, 2, 3, 5
SOCK_MAX: Final = 11
SOCK_FLAGS: Final = 0o2004000
"""SOCK_NONBLOCK and SOCK_CLOEXEC, beside the type."""

PROTOCOLS: Final = {SOCK_STREAM: (0, 6), SOCK_DGRAM: (0, 17)}
"""What an internet socket of a type may speak: its default, or TCP and UDP by number."""


LINK_LOCAL_V4: Final = bytes((169, 254))
"""169.254.0.0/16: where clouds keep a machine's metadata, and its credentials."""
LINK_LOCAL_V6: Final = 0xFE80
METADATA_V6: Final = bytes.fromhex("fd000ec2000000000000000000000254")
MAPPED_V4: Final = bytes(10) + b"\xff\xff"
"""::ffff:0:0/96: IPv4 in the form of IPv6."""


def family_of(address: bytes) -> int:
    """The family that a socket address begins with."""
    return int.from_bytes(address[:2], "little")


class Network:
    """What the workload may reach.

    ``sealed``: the Sentry lives in the workload's own network namespace, whose only interface is its
    loopback, so every address may be asked for: there is nothing to reach. Else the namespace is the
    machine's, or its Pod's: then metadata services are refused (unless ``metadata``), and so are abstract
    names, for they are other programs'.
    """

    __slots__ = ("_metadata", "_sealed")

    def __init__(self, *, sealed: bool, metadata: bool = False) -> None:
        self._sealed = sealed
        self._metadata = metadata

    def refusal(self, address: bytes) -> int:
        """The errno for connecting, sending or binding to a socket address; 0 if it may be."""
        if self._sealed:
            return 0
        family = family_of(address)
        if family == AF_UNIX:
            return errno.ECONNREFUSED if address[2:3] == b"\0" else 0
        if self._metadata:
            return 0
        return errno.ENETUNREACH if _is_metadata(family, address) else 0


def _is_metadata(family: int, address: bytes) -> bool:
    if family == AF_INET:
        return address[4:6] == LINK_LOCAL_V4
    if family == AF_INET6:
        host = address[8:24]
        if host.startswith(MAPPED_V4):
            return host[12:14] == LINK_LOCAL_V4
        return host == METADATA_V6 or int.from_bytes(host[:2], "big") & 0xFFC0 == LINK_LOCAL_V6
    return False
