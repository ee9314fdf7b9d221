"""What the workload may reach over the network, as a value that handlers ask."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET = 1, 2, 3, 5
SOCK_FLAGS: Final = 0o2004000
"""SOCK_NONBLOCK and SOCK_CLOEXEC, beside the type."""

PROTOCOLS: Final = {SOCK_STREAM: (0, 6), SOCK_DGRAM: (0, 17)}
"""What an internet socket of a type may speak: its default, or TCP and UDP by number."""


class Network:
    """No network but the sandbox's own loopback.

    The Sentry lives in the workload's network namespace, whose only interface is its loopback, so every
    address may be asked for: there is nothing else to reach.
    """

    __slots__ = ()
