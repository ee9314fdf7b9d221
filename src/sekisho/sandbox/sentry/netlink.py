"""Routing netlink: what interfaces, addresses and routes there are, for programs that ask the kernel.

A workload's netlink socket is a datagram socket to a thread of ours: the kernel's netlink, which also changes
things, is not reached. It looks like one all the same. A name in the abstract namespace has the length of a
netlink address, and our own has zeros where netlink has the sender's port, which is how programs tell that
the kernel speaks. ``getsockname`` gives it the family that it should have.
"""

from __future__ import annotations

import _thread
import errno
import os
from _socket import AF_INET, AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM, socket
from _struct import Struct

from sekisho.sandbox.network import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn

NAME: Final = Struct("=ccI4s")
"""After the family: a NUL and a mark where netlink pads, the port, four bytes of ours where groups stand."""
MARK: Final = b"n"
FIRST_PORT: Final = 0x4000_0000
"""Ports of sockets whose process has one already; process ids are smaller."""
TRIES: Final = 64
REQUEST_MOST: Final = 65_536
PART_MOST: Final = 3_500
"""Bytes of a datagram of ours: the C library reads with a page."""
WHOLE: Final = {
    netlink.GET_LINK: netlink.INTERFACE.size,
    netlink.GET_ADDRESS: netlink.ADDRESS.size,
    netlink.GET_ROUTE: netlink.ROUTE.size,
}
EMPTY: Final = frozenset((netlink.GET_NEIGHBOUR, netlink.GET_RULE))
"""What is asked for and there is none of."""
LIST_FIRST: Final = 2
"""The third of each four types of messages asks; the others change something."""

OUTSIDE: Final = "eth0"
OUTSIDE_INDEX: Final = 2
OUTSIDE_HOST: Final = bytes((198, 18, 0, 2))
OUTSIDE_GATEWAY: Final = bytes((198, 18, 0, 1))
"""The interface that is shown where rules let through what no interface does: of a network that is nobody's
(RFC 2544). Programs that see loopback alone do not even try.
"""
OUTSIDE_HARDWARE: Final = bytes.fromhex("020000000002")
UP_BROADCAST_RUNNING: Final = 0x11043
MTU: Final = 1500


def outside() -> dict[int, list[tuple[int, bytes]]]:
    """The interface that stands for the outside, its address and its routes, as messages."""
    word = OUTSIDE_INDEX.to_bytes(4, "little")
    link = netlink.INTERFACE.pack(0, 1, OUTSIDE_INDEX, UP_BROADCAST_RUNNING, 0) + b"".join(
        netlink.attribute(kind, data)
        for kind, data in (
            (netlink.IFLA_IFNAME, OUTSIDE.encode() + b"\0"),
            (13, (1000).to_bytes(4, "little")),  # the length of its queue
            (16, b"\x06"),  # it is up
            (17, b"\0"),
            (netlink.IFLA_MTU, MTU.to_bytes(4, "little")),
            (netlink.IFLA_ADDRESS, OUTSIDE_HARDWARE),
            (netlink.IFLA_BROADCAST, b"\xff" * 6),
            (6, b"noqueue\0"),
        )
    )
    address = netlink.ADDRESS.pack(AF_INET, 30, 0x80, 0, OUTSIDE_INDEX) + b"".join(
        netlink.attribute(kind, data)
        for kind, data in (
            (netlink.IFA_ADDRESS, OUTSIDE_HOST),
            (netlink.IFA_LOCAL, OUTSIDE_HOST),
            (netlink.IFA_LABEL, OUTSIDE.encode() + b"\0"),
        )
    )
    main, unicast, universe, on_link = 254, 1, 0, 253
    default = netlink.ROUTE.pack(AF_INET, 0, 0, 0, main, 3, universe, unicast, 0)
    near = netlink.ROUTE.pack(AF_INET, 30, 0, 0, main, 2, on_link, unicast, 0)
    table = netlink.attribute(15, main.to_bytes(4, "little"))
    routes = [
        default + table + netlink.attribute(5, OUTSIDE_GATEWAY) + netlink.attribute(4, word),
        near
        + table
        + netlink.attribute(1, OUTSIDE_HOST[:3] + b"\0")
        + netlink.attribute(7, OUTSIDE_HOST)
        + netlink.attribute(4, word),
    ]
    return {
        netlink.GET_LINK: [(netlink.NEW_LINK, link)],
        netlink.GET_ADDRESS: [(netlink.NEW_ADDRESS, address)],
        netlink.GET_ROUTE: [(netlink.NEW_ROUTE, route) for route in routes],
    }


class Netlink:
    """Answers for one sandbox. ``kernels`` is a socket on the kernel's own routing netlink, in the network
    that the Sentry lives in; nothing but lists is ever asked for there.
    """

    __slots__ = ("_group", "_kernels", "_lock", "_next", "_server", "_shown")

    def __init__(self, kernels: socket, *, shows_outside: bool) -> None:
        self._kernels = kernels
        self._shown = outside() if shows_outside else {}
        self._lock = _thread.allocate_lock()
        self._server: socket | None = None
        self._group = os.urandom(4)
        self._next = FIRST_PORT

    # sockets

    def open(self, port: int) -> int:
        """A socket whose port is this, a process id, or another if that is taken: our descriptor of it."""
        with self._lock:
            if self._server is None:
                server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
                server.bind(NAME.pack(b"\0", MARK, 0, self._group))
                self._server = server
                _thread.start_new_thread(self._serve, (server,))
        client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
        for _ in range(TRIES):
            try:
                client.bind(NAME.pack(b"\0", MARK, port, self._group))
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            with self._lock:
                port, self._next = self._next, self._next + 1
        client.connect(NAME.pack(b"\0", MARK, 0, self._group))
        return client.detach()

    def is_ours(self, name: bytes) -> bool:
        """Whether a socket with this address (as getsockname gives it) is one of these."""
        return (
            len(name) == 2 + NAME.size and name[:4] == b"\x01\x00\x00" + MARK and name.endswith(self._group)
        )

    # answers

    def _serve(self, server: socket) -> NoReturn:
        while True:
            data, client = server.recvfrom(REQUEST_MOST)
            if not isinstance(client, bytes) or len(client) != NAME.size:
                continue
            _nul, _mark, port, _group = NAME.unpack(client)
            for kind, flags, number, _port, body in netlink.messages(data):
                for part in self._answer(kind, flags, body, (number, port)):
                    try:
                        server.sendto(part, MSG_DONTWAIT, client)
                    except OSError:
                        break  # it does not read what it asked for

    def _answer(self, kind: int, flags: int, body: bytes, to: tuple[int, int]) -> list[bytes]:
        if kind < netlink.NEW_LINK:
            return []
        if kind & 3 != LIST_FIRST:
            return [_error(errno.EPERM, kind, to)]
        if flags & netlink.DUMP and (kind in WHOLE or kind in EMPTY):
            return _parts(self.list(kind, body[0] if body else 0), to)
        if kind == netlink.GET_LINK:
            found = self._one(body)
            return (
                [netlink.message(*_head(found[0], 0, to), found[1])]
                if found
                else [_error(errno.ENODEV, kind, to)]
            )
        return [_error(errno.EOPNOTSUPP, kind, to)]

    def list(self, kind: int, family: int = 0) -> list[tuple[int, bytes]]:
        """All of a kind that are shown, of one family if it is not 0."""
        if kind not in WHOLE:
            return []
        found = [*netlink.ask(self._kernels, kind, family), *self._shown.get(kind, ())]
        if family and kind != netlink.GET_LINK:
            return [(type, body) for type, body in found if body[0] == family]
        return found

    def _one(self, body: bytes) -> tuple[int, bytes] | None:
        if len(body) < netlink.INTERFACE.size:
            return None
        wanted = netlink.INTERFACE.unpack_from(body)[2]
        name = netlink.attributes(body, netlink.INTERFACE.size).get(netlink.IFLA_IFNAME, b"")
        for type, link in self.list(netlink.GET_LINK):
            index = netlink.INTERFACE.unpack_from(link)[2]
            own = netlink.attributes(link, netlink.INTERFACE.size).get(netlink.IFLA_IFNAME, b"")
            if (wanted and index == wanted) or (name and own.rstrip(b"\0") == name.rstrip(b"\0")):
                return type, link
        return None


def _head(kind: int, flags: int, to: tuple[int, int]) -> tuple[int, int, int, int]:
    number, port = to
    return kind, flags, number, port


def _error(number: int, kind: int, to: tuple[int, int]) -> bytes:
    asked = netlink.HEADER.pack(netlink.HEADER.size, kind, netlink.REQUEST, *to)
    return netlink.message(*_head(netlink.ERROR, 0, to), (-number).to_bytes(4, "little", signed=True) + asked)


def _parts(rows: list[tuple[int, bytes]], to: tuple[int, int]) -> list[bytes]:
    """A list as datagrams, and the message that ends it."""
    parts, now = [], b""
    for kind, body in rows:
        row = netlink.message(*_head(kind, netlink.MULTI, to), body)
        if now and len(now) + len(row) > PART_MOST:
            parts.append(now)
            now = b""
        now += row
    if now:
        parts.append(now)
    return [*parts, netlink.message(*_head(netlink.DONE, netlink.MULTI, to), bytes(4))]
