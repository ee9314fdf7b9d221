"""What the workload may reach over the network, as a value that handlers ask."""

from __future__ import annotations

import errno
from _socket import SO_TYPE, SOL_SOCKET, socket

from sekisho.sandbox.network.addresses import SERVICES, is_in, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from sekisho.sandbox.network.wire import Link
    from sekisho.sandbox.sentry.netlink import Netlink
    from sekisho.sandbox.spec import SandboxSpec

AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 0, 1, 2, 10, 16
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET = 1, 2, 3, 5
SOCK_MAX: Final = 11
SOCK_FLAGS: Final = 0o2004000
"""SOCK_NONBLOCK and SOCK_CLOEXEC, beside the type."""

PROTOCOLS: Final = {SOCK_STREAM: (0, 6), SOCK_DGRAM: (0, 17)}
"""What an internet socket of a type may speak: its default, or TCP and UDP by number."""

SO_COOKIE, SO_NETNS_COOKIE = 57, 71
WORD: Final = 8


def family_of(address: bytes) -> int:
    """The family that a socket address begins with."""
    return int.from_bytes(address[:2], "little")


def option(fd: int, level: int, name: int, size: int) -> bytes:
    """An option of a socket."""
    sock = socket(fileno=fd)
    try:
        return sock.getsockopt(level, name, size)
    finally:
        sock.detach()


def kind_of(fd: int) -> int:
    """The type of a socket; ENOTSOCK."""
    return int.from_bytes(option(fd, SOL_SOCKET, SO_TYPE, 4), "little")


class Network:
    """What the workload may reach.

    ``sealed``: the Sentry lives in the workload's own network namespace, whose only interface is its
    loopback, so every address may be asked for: there is nothing to reach. Else the namespace is the
    machine's, or its Pod's: then metadata services are refused (unless ``metadata``), and so are abstract
    names, for they are other programs'.

    With a ``link`` there is a connector that decides. If the workload's own namespace is empty (``moves``),
    it makes the sockets that lead outside, too, and they take the place of the workload's; ``published`` are
    ports of the sandbox that the machine listens for. ``netlink``, which is set afterwards, answers what
    interfaces there are.
    """

    __slots__ = ("_cookie", "_metadata", "is_sealed", "link", "listeners", "moves", "netlink", "published")

    netlink: Netlink

    def __init__(
        self,
        *,
        sealed: bool,
        metadata: bool = False,
        link: Link | None = None,
        moves: bool = False,
        published: frozenset[int] = frozenset(),
    ) -> None:
        self.is_sealed = sealed
        self._metadata = metadata
        self.link = link
        self.moves = moves
        self.published = published
        self.listeners: set[bytes] = set()
        self._cookie = _own_cookie() if moves else b""

    def refusal(self, address: bytes) -> int:
        """The errno for connecting, sending or binding to a socket address; 0 if it may be.

        Where rules decide this is about other families alone.
        """
        if self.is_sealed:
            return 0
        family = family_of(address)
        if family == AF_UNIX:
            return errno.ECONNREFUSED if address[2:3] == b"\0" and not self.moves else 0
        if self._metadata or self.link is not None:
            return 0
        place = place_of(address)
        return errno.ENETUNREACH if place is not None and is_in(SERVICES, place.host) else 0

    def is_foreign(self, fd: int) -> bool:
        """Whether a socket is of another network than the workload's own: it leads outside."""
        return self.moves and option(fd, SOL_SOCKET, SO_NETNS_COOKIE, WORD) != self._cookie


def _own_cookie() -> bytes:
    """The number of the network namespace that this thread is in."""
    sock = socket(AF_UNIX, SOCK_DGRAM, 0)
    try:
        return sock.getsockopt(SOL_SOCKET, SO_NETNS_COOKIE, WORD)
    finally:
        sock.close()


def of(spec: SandboxSpec, link: Link | None, netlink: Netlink) -> Network:
    """What the workload of a sandbox may reach."""
    network = Network(
        sealed="sealed-network" in spec.options,
        metadata=spec.network.allow_metadata,
        link=link,
        moves=moves(spec, link),
        published=frozenset(port.inner for port in spec.network.published),
    )
    network.netlink = netlink
    return network


def moves(spec: SandboxSpec, link: Link | None) -> bool:
    """Whether sockets that lead outside are made elsewhere, for the sandbox's own network is empty."""
    return link is not None and "network" in spec.namespaces.new
