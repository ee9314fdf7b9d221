"""Messages on sockets: where they go, and what comes along, is copied once and then sent by the Sentry."""

from __future__ import annotations

import errno
import os
from _struct import Struct

from sekisho.sandbox import socket_native
from sekisho.sandbox.abi.flags import AT_FDCWD
from sekisho.sandbox.sentry import net, outside, task, vfs
from sekisho.sandbox.sentry.call import Call, Errno, Result
from sekisho.sandbox.sentry.syscalls import network


def sendto(call: Call) -> Result:
    """sendto(fd, data, length, flags, address, length): a datagram to somewhere."""
    if not call.args[4]:
        raise Errno(errno.EINVAL)  # flags that the filter does not know
    address = network.address(call, 4)
    data = call.read(call.args[1], min(call.args[2], DATAGRAM_MOST))
    number = call.signed(0)
    fd = task.take(call, number)
    try:
        return _send(call, (number, fd), (data, address, b""), call.signed(3))
    finally:
        os.close(fd)


DATAGRAM_MOST = 1 << 18
"""Bytes of one message; a stream takes less than it is offered, a datagram cannot be larger."""
DONTWAIT, NOSIGNAL = 0x40, 0x4000
SEND_FLAGS = NOSIGNAL | DONTWAIT | 0x8000 | 0x800 | 0x80 | 0x4
"""MSG_NOSIGNAL, DONTWAIT, MORE, CONFIRM, EOR, DONTROUTE."""


def _send(call: Call, to: tuple[int, int], message: tuple[bytes, bytes, bytes], flags: int) -> int:
    """Send data, to an address, with control messages; each of the last two may be empty.

    ``to`` is the caller's number of the socket, and our duplicate of it.
    """
    if flags & ~SEND_FLAGS:
        raise Errno(errno.EINVAL)
    number, fd = to
    data, address, control = message
    family = net.family_of(address) if address else -1
    if family in (net.AF_INET, net.AF_INET6) and call.kernel.network.link is not None:
        way = outside.way(call, number, fd, address)
        try:
            return _send_on(call, way.fd, (data, way.address, control), flags)
        finally:
            way.close()
    if family == net.AF_UNSPEC and not call.kernel.network.is_sealed:
        raise Errno(errno.EAFNOSUPPORT)  # the kernel would take it for an address of IPv4
    if family == net.AF_NETLINK:
        network.netlink_only(call, fd)
        return _send_on(call, fd, (data, b"", control), flags)
    path = network.unix_path(address) if family == net.AF_UNIX else b""
    if not path:
        return _send_on(call, fd, message, flags)
    handle = vfs.handle_at(call, AT_FDCWD, path, follow=True)
    try:
        return _send_on(call, fd, (data, network.reached(handle), control), flags)
    finally:
        os.close(handle)


def _send_on(call: Call, fd: int, message: tuple[bytes, bytes, bytes], flags: int) -> int:
    data, address, control = message
    call.valid()
    if flags & DONTWAIT or not os.get_blocking(fd):
        return socket_native.send_message(fd, data, address, control, flags | NOSIGNAL)
    with call.kernel.waiting(call):
        return socket_native.send_message(fd, data, address, control, flags | NOSIGNAL)


MESSAGE = Struct("=QI4xQQQQi4x")
"""struct msghdr: name and its length, vectors and how many, control and its length, flags."""
VECTOR = Struct("=QQ")
CONTROL = Struct("=Qii")
"""struct cmsghdr: length, level, type."""
VECTORS_MOST = 1024
CONTROL_MOST = 4096
MESSAGES_MOST = 1024
SOL_SOCKET, SCM_RIGHTS = 1, 1
PASSED = frozenset(((0, 1), (0, 2), (0, 8), (41, 50), (41, 52), (41, 67)))
"""Control messages of IP and IPv6 that are numbers alone: type of service, time to live, the interface."""


def sendmsg(call: Call) -> Result:
    """sendmsg(fd, message, flags)."""
    number = call.signed(0)
    fd = task.take(call, number)
    try:
        return _send_at(call, (number, fd), call.args[1], call.signed(2))
    finally:
        os.close(fd)


def sendmmsg(call: Call) -> Result:
    """sendmmsg(fd, messages, count, flags)."""
    size = MESSAGE.size + 8
    number = call.signed(0)
    done = 0
    try:
        for place in range(min(call.args[2] & 0xFFFF_FFFF, MESSAGES_MOST)):
            at = call.args[1] + place * size
            fd = task.take(call, number)  # the first message may have replaced it
            try:
                sent = _send_at(call, (number, fd), at, call.signed(3))
            finally:
                os.close(fd)
            call.write(at + MESSAGE.size, sent.to_bytes(4, "little"))
            done += 1
    except (OSError, Errno):
        if not done:
            raise
    return done


def _send_at(call: Call, to: tuple[int, int], at: int, flags: int) -> int:
    name, length, vectors, count, control, size, _flags = MESSAGE.unpack(call.read(at, MESSAGE.size))
    if count > VECTORS_MOST:
        raise Errno(errno.EMSGSIZE)
    if size > CONTROL_MOST:
        raise Errno(errno.ENOBUFS)
    address = b""
    if name and 2 <= length <= network.ADDRESS_MOST:
        address = network.allowed(call, call.read(name, length))
    parts, room = [], DATAGRAM_MOST
    for start, bytes_there in VECTOR.iter_unpack(call.read(vectors, count * VECTOR.size)):
        parts.append(call.read(start, min(bytes_there, room)))
        room -= len(parts[-1])
    fds: list[int] = []
    try:
        ours = _control(call, call.read(control, size), fds) if control and size else b""
        return _send(call, to, (b"".join(parts), address, ours), flags)
    finally:
        for given in fds:
            os.close(given)


def _control(call: Call, raw: bytes, fds: list[int]) -> bytes:
    """Control messages as we send them: descriptors are our duplicates, which ``fds`` collects."""
    made = b""
    at = 0
    while at + CONTROL.size <= len(raw):
        length, level, kind = CONTROL.unpack_from(raw, at)
        if length < CONTROL.size or at + length > len(raw):
            raise Errno(errno.EINVAL)
        body = raw[at + CONTROL.size : at + length]
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
            taken = [task.take(call, number) for (number,) in NUMBER.iter_unpack(body[: len(body) & ~3])]
            fds += taken
            body = b"".join(map(NUMBER.pack, taken))
        elif (level, kind) not in PASSED:
            raise Errno(errno.EPERM)
        made += (CONTROL.pack(CONTROL.size + len(body), level, kind) + body).ljust(
            (CONTROL.size + len(body) + 7) & ~7, b"\0"
        )
        at += (length + 7) & ~7
    return made


NUMBER = Struct("=i")
