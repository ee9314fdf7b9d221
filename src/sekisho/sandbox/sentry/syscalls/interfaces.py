"""The older way to ask what interfaces there are: ioctls on any socket."""

from __future__ import annotations

import errno
from _struct import Struct

from sekisho.sandbox.network import netlink
from sekisho.sandbox.sentry import net
from sekisho.sandbox.sentry.call import Call, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from sekisho.sandbox.sentry.netlink import Netlink

REQUEST: Final = Struct("=16s24s")
"""struct ifreq: a name, and what is asked for."""
CONF: Final = Struct("=i4xQ")
GET_NAME, GET_CONF, GET_INDEX = 0x8910, 0x8912, 0x8933
GET_FLAGS, GET_ADDRESS, GET_BROADCAST, GET_MASK = 0x8913, 0x8915, 0x8919, 0x891B
GET_METRIC, GET_MTU, GET_HARDWARE, GET_QUEUE = 0x891D, 0x8921, 0x8927, 0x8942
COMMANDS: Final = frozenset(
    (GET_NAME, GET_CONF, GET_INDEX, GET_FLAGS, GET_ADDRESS, GET_BROADCAST, GET_MASK, GET_METRIC, GET_MTU,
     GET_HARDWARE, GET_QUEUE)
)  # fmt: skip


class _Interface:
    __slots__ = ("address", "bits", "flags", "hardware", "index", "kind", "mtu", "name")

    def __init__(self, body: bytes) -> None:
        self.kind: int
        self.index: int
        self.flags: int
        _family, self.kind, self.index, self.flags, _changed = netlink.INTERFACE.unpack_from(body)
        parts = netlink.attributes(body, netlink.INTERFACE.size)
        self.name = parts.get(netlink.IFLA_IFNAME, b"").rstrip(b"\0")
        self.mtu = int.from_bytes(parts.get(netlink.IFLA_MTU, b""), "little")
        self.hardware = parts.get(netlink.IFLA_ADDRESS, bytes(6))
        self.address, self.bits = b"", 0


def _interfaces(shown: Netlink) -> list[_Interface]:
    found = [_Interface(body) for _type, body in shown.list(netlink.GET_LINK)]
    by_index = {item.index: item for item in found}
    for _type, body in shown.list(netlink.GET_ADDRESS, net.AF_INET):
        _family, bits, _flags, _scope, index = netlink.ADDRESS.unpack_from(body)
        item = by_index.get(index)
        parts = netlink.attributes(body, netlink.ADDRESS.size)
        if item is not None and not item.address:
            item.address = parts.get(netlink.IFA_LOCAL) or parts.get(netlink.IFA_ADDRESS, b"")
            item.bits = bits
    return found


def ioctl(call: Call, command: int, at: int) -> int:
    """SIOCGIF*: what an interface is. Changes are refused like unknown commands."""
    found = _interfaces(call.kernel.network.netlink)
    if command == GET_CONF:
        return _configuration(call, at, found)
    name, rest = REQUEST.unpack(call.read(at, REQUEST.size))
    if command == GET_NAME:
        index = int.from_bytes(rest[:4], "little")
        chosen = next((item for item in found if item.index == index), None)
        if chosen is None:
            raise Errno(errno.ENODEV)
        call.write(at, REQUEST.pack(chosen.name, rest))
        return 0
    bare = name.split(b"\0", 1)[0].split(b":", 1)[0]
    chosen = next((item for item in found if item.name == bare), None)
    if chosen is None:
        raise Errno(errno.ENODEV)
    call.write(at, REQUEST.pack(name, _asked(command, chosen)))
    return 0


def _asked(command: int, item: _Interface) -> bytes:
    if command in (GET_ADDRESS, GET_BROADCAST, GET_MASK):
        if not item.address:
            raise Errno(errno.EADDRNOTAVAIL)
        number = int.from_bytes(item.address, "big")
        mask = 0xFFFF_FFFF & ~((1 << (32 - item.bits)) - 1)
        value = {GET_ADDRESS: number, GET_BROADCAST: number | ~mask & 0xFFFF_FFFF, GET_MASK: mask}[command]
        return _inet(value.to_bytes(4, "big"))
    if command == GET_HARDWARE:
        return item.kind.to_bytes(2, "little") + item.hardware
    numbers = {GET_INDEX: item.index, GET_MTU: item.mtu, GET_METRIC: 0, GET_QUEUE: 1000}
    if command == GET_FLAGS:
        return (item.flags & 0xFFFF).to_bytes(2, "little")
    return numbers[command].to_bytes(4, "little")


def _inet(host: bytes) -> bytes:
    return net.AF_INET.to_bytes(2, "little") + bytes(2) + host


def _configuration(call: Call, at: int, found: list[_Interface]) -> int:
    """SIOCGIFCONF: the interfaces with an address of IPv4, as many as there is room for."""
    room, buffer = CONF.unpack(call.read(at, CONF.size))
    rows = [REQUEST.pack(item.name, _inet(item.address)) for item in found if item.address]
    if buffer:
        rows = rows[: max(room, 0) // REQUEST.size]
        call.write(buffer, b"".join(rows))
    call.write(at, (len(rows) * REQUEST.size).to_bytes(4, "little"))
    return 0
