"""Messages of routing netlink: what interfaces, addresses and routes a network has."""

from __future__ import annotations

from _socket import AF_INET, AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW, socket
from _struct import Struct

from sekisho.sandbox.network.addresses import MAPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

HEADER: Final = Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, port."""
ATTRIBUTE: Final = Struct("=HH")
INTERFACE: Final = Struct("=BxHiII")
"""struct ifinfomsg: family, hardware type, index, flags, what changed."""
ADDRESS: Final = Struct("=BBBBi")
"""struct ifaddrmsg: family, length of the prefix, flags, scope, interface."""
ROUTE: Final = Struct("=8BI")
"""struct rtmsg: family, length of destination and source, service, table, protocol, scope, type, flags."""

ERROR, DONE = 2, 3
NEW_LINK, GET_LINK = 16, 18
NEW_ADDRESS, GET_ADDRESS = 20, 22
NEW_ROUTE, GET_ROUTE = 24, 26
NEW_NEIGHBOUR, GET_NEIGHBOUR = 28, 30
NEW_RULE, GET_RULE = 32, 34

REQUEST: Final = 1
MULTI: Final = 2
ACKNOWLEDGE: Final = 4
DUMP: Final = 0x300

IFA_ADDRESS, IFA_LOCAL, IFA_LABEL = 1, 2, 3
IFLA_ADDRESS, IFLA_BROADCAST, IFLA_IFNAME, IFLA_MTU = 1, 2, 3, 4

REPLY_MOST: Final = 1 << 20
PARTS_MOST: Final = 256
"""Datagrams of one answer of the kernel's; a machine with more interfaces than they hold is cut short."""


def messages(data: bytes) -> Iterator[tuple[int, int, int, int, bytes]]:
    """The messages of a datagram: type, flags, sequence number, port, body. Ends at what is malformed."""
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, flags, number, port = HEADER.unpack_from(data, at)
        if length < HEADER.size or at + length > len(data):
            return
        yield kind, flags, number, port, data[at + HEADER.size : at + length]
        at += (length + 3) & ~3


def message(kind: int, flags: int, number: int, port: int, body: bytes) -> bytes:
    """One message, padded."""
    length = HEADER.size + len(body)
    return HEADER.pack(length, kind, flags, number, port) + body + bytes(-length % 4)


def attributes(body: bytes, at: int) -> dict[int, bytes]:
    """The attributes that follow a fixed part."""
    found = {}
    while at + ATTRIBUTE.size <= len(body):
        length, kind = ATTRIBUTE.unpack_from(body, at)
        if length < ATTRIBUTE.size or at + length > len(body):
            break
        found[kind & 0x3FFF] = body[at + ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def attribute(kind: int, data: bytes) -> bytes:
    """One attribute, padded."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def open_route() -> socket:
    """A socket on the routing netlink of the network that this thread is in."""
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)


def ask(sock: socket, kind: int, family: int = 0) -> list[tuple[int, bytes]]:
    """All of one kind that the kernel has: types and bodies. Reading what there is takes no right."""
    body = {GET_LINK: INTERFACE.size, GET_ADDRESS: ADDRESS.size}.get(kind, ROUTE.size)
    sock.send(message(kind, REQUEST | DUMP, 1, 0, bytes((family,)) + bytes(body - 1)))
    found: list[tuple[int, bytes]] = []
    for _ in range(PARTS_MOST):
        for type, _flags, _number, _port, data in messages(sock.recv(REPLY_MOST)):
            if type in (DONE, ERROR):
                return found
            found.append((type, data))
    return found


def own_addresses(sock: socket) -> frozenset[bytes]:
    """The addresses of all interfaces, 16 bytes each."""
    found = set()
    for _type, body in ask(sock, GET_ADDRESS):
        parts = attributes(body, ADDRESS.size)
        raw = parts.get(IFA_LOCAL) or parts.get(IFA_ADDRESS, b"")
        found.add(MAPPED + raw if body[0] == AF_INET else raw)
    return frozenset(found)
