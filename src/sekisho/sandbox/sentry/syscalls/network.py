"""Sockets: made by the Sentry, connected and bound by it to addresses that it copied once."""

from __future__ import annotations

import errno
import os
import stat
from _struct import Struct

from sekisho.sandbox import socket_native
from sekisho.sandbox.abi.flags import AT_FDCWD, O_CLOEXEC
from sekisho.sandbox.sentry import net, task, vfs
from sekisho.sandbox.sentry.call import Call, Errno, Result

ADDRESS_MOST = 128
"""sizeof(struct sockaddr_storage)."""
UNIX_PATH_MOST = 108


def socket(call: Call) -> Result:
    """socket(family, type, protocol)."""
    family, kind, protocol = call.signed(0), call.signed(1), call.signed(2)
    plain = kind & ~net.SOCK_FLAGS
    if not 0 <= plain < net.SOCK_MAX:
        raise Errno(errno.EINVAL)
    if family == net.AF_UNIX:
        if plain not in (net.SOCK_STREAM, net.SOCK_DGRAM, net.SOCK_SEQPACKET):
            raise Errno(errno.ESOCKTNOSUPPORT)
        if protocol not in (0, 1):
            raise Errno(errno.EPROTONOSUPPORT)
    elif family in (net.AF_INET, net.AF_INET6):
        if plain == net.SOCK_RAW:
            raise Errno(errno.EPERM)
        if plain not in net.PROTOCOLS or protocol not in net.PROTOCOLS[plain]:
            raise Errno(errno.EPROTONOSUPPORT)
    else:
        raise Errno(errno.EAFNOSUPPORT)
    fd = socket_native.new(family, kind | O_CLOEXEC, protocol)
    return call.give(fd, kind & O_CLOEXEC)


def _address(call: Call, index: int) -> bytes:
    """The address that two arguments are, a pointer and a length, if the workload may use it."""
    length = call.signed(index + 1)
    if not 2 <= length <= ADDRESS_MOST:
        raise Errno(errno.EINVAL)
    return _allowed(call, call.read(call.args[index], length))


def _allowed(call: Call, address: bytes) -> bytes:
    refusal = call.kernel.network.refusal(address)
    if refusal:
        raise Errno(refusal)
    return address


def _unix_path(address: bytes) -> bytes:
    """The path of an AF_UNIX address; empty for an abstract or no name."""
    if address[2:3] in (b"", b"\0"):
        return b""
    return address[2:].split(b"\0", 1)[0]


def connect(call: Call) -> Result:
    """connect(fd, address, length)."""
    address = _address(call, 1)
    path = _unix_path(address) if net.family_of(address) == net.AF_UNIX else b""
    handle = -1
    fd = task.take(call, call.signed(0))
    try:
        if path:
            handle = vfs.handle_at(call, AT_FDCWD, path, follow=True)
            address = _reached(handle)
        call.valid()
        _connect(call, fd, address)
    finally:
        os.close(fd)
        if handle >= 0:
            os.close(handle)
    return 0


def _reached(handle: int) -> bytes:
    """The address of a socket that we have a handle on."""
    if not stat.S_ISSOCK(os.fstat(handle).st_mode):
        raise Errno(errno.ECONNREFUSED)
    return b"\x01\x00self/fd/%d\0" % handle


def _connect(call: Call, fd: int, address: bytes) -> None:
    if not os.get_blocking(fd):
        socket_native.connect(fd, address)
        return
    with call.kernel.waiting(call):
        socket_native.connect(fd, address)


def bind(call: Call) -> Result:
    """bind(fd, address, length)."""
    address = _address(call, 1)
    path = _unix_path(address) if net.family_of(address) == net.AF_UNIX else b""
    fd = task.take(call, call.signed(0))
    try:
        if not path:
            call.valid()
            socket_native.bind(fd, address)
            return 0
        _bind_path(call, fd, path)
    finally:
        os.close(fd)
    return 0


def _bind_path(call: Call, fd: int, path: bytes) -> None:
    """Make the socket's name in the tree; its own text is what getsockname says afterwards."""
    umask = task.umask(call)
    with vfs.Parent(call, AT_FDCWD, path) as parent:
        call.valid()
        # This thread has a working directory and umask of its own.
        os.fchdir(parent.fd)
        before = os.umask(umask)
        try:
            if b"/" not in path:
                socket_native.bind(fd, b"\x01\x00" + path + b"\0")
            else:
                with call.plainly():
                    socket_native.bind(
                        fd, b"\x01\x00" + path + (b"\0" if len(path) < UNIX_PATH_MOST else b"")
                    )
        except OSError as error:
            if error.errno == errno.EEXIST:
                raise Errno(errno.EADDRINUSE) from None
            raise
        finally:
            os.umask(before)
            os.fchdir(call.kernel.proc)


def listen(call: Call) -> Result:
    """listen(fd, backlog)."""
    fd = task.take(call, call.signed(0))
    try:
        call.valid()
        socket_native.listen(fd, max(call.signed(1), 0))
    finally:
        os.close(fd)
    return 0


def sendto(call: Call) -> Result:
    """sendto(fd, data, length, flags, address, length): a datagram to somewhere."""
    if not call.args[4]:
        raise Errno(errno.EINVAL)  # flags that the filter does not know
    address = _address(call, 4)
    data = call.read(call.args[1], min(call.args[2], DATAGRAM_MOST))
    return _send(call, data, address, call.signed(3))


DATAGRAM_MOST = 1 << 18
"""Bytes of one message; a stream takes less than it is offered, a datagram cannot be larger."""
DONTWAIT, NOSIGNAL = 0x40, 0x4000
SEND_FLAGS = NOSIGNAL | DONTWAIT | 0x8000 | 0x80 | 0x4
"""MSG_NOSIGNAL, DONTWAIT, MORE, EOR, DONTROUTE."""


def _send(call: Call, data: bytes, address: bytes, flags: int) -> int:
    fd = task.take(call, call.signed(0))
    try:
        return _send_on(call, fd, (data, address, b""), flags)
    finally:
        os.close(fd)


def _send_on(call: Call, fd: int, message: tuple[bytes, bytes, bytes], flags: int) -> int:
    """Send data, to an address, with control messages; each of the last two may be empty."""
    if flags & ~SEND_FLAGS:
        raise Errno(errno.EINVAL)
    data, address, control = message
    handle = -1
    path = _unix_path(address) if address and net.family_of(address) == net.AF_UNIX else b""
    if path:
        handle = vfs.handle_at(call, AT_FDCWD, path, follow=True)
        address = _reached(handle)
    try:
        call.valid()
        if flags & DONTWAIT or not os.get_blocking(fd):
            return socket_native.send_message(fd, data, address, control, flags | NOSIGNAL)
        with call.kernel.waiting(call):
            return socket_native.send_message(fd, data, address, control, flags | NOSIGNAL)
    finally:
        if handle >= 0:
            os.close(handle)


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
    fd = task.take(call, call.signed(0))
    try:
        return _send_at(call, fd, call.args[1], call.signed(2))
    finally:
        os.close(fd)


def sendmmsg(call: Call) -> Result:
    """sendmmsg(fd, messages, count, flags)."""
    size = MESSAGE.size + 8
    fd = task.take(call, call.signed(0))
    done = 0
    try:
        for number in range(min(call.args[2] & 0xFFFF_FFFF, MESSAGES_MOST)):
            at = call.args[1] + number * size
            sent = _send_at(call, fd, at, call.signed(3))
            call.write(at + MESSAGE.size, sent.to_bytes(4, "little"))
            done += 1
    except (OSError, Errno):
        if not done:
            raise
    finally:
        os.close(fd)
    return done


def _send_at(call: Call, fd: int, at: int, flags: int) -> int:
    name, length, vectors, count, control, size, _flags = MESSAGE.unpack(call.read(at, MESSAGE.size))
    if count > VECTORS_MOST:
        raise Errno(errno.EMSGSIZE)
    if size > CONTROL_MOST:
        raise Errno(errno.ENOBUFS)
    address = b""
    if name and 2 <= length <= ADDRESS_MOST:
        address = _allowed(call, call.read(name, length))
    parts, room = [], DATAGRAM_MOST
    for start, bytes_there in VECTOR.iter_unpack(call.read(vectors, count * VECTOR.size)):
        parts.append(call.read(start, min(bytes_there, room)))
        room -= len(parts[-1])
    fds: list[int] = []
    try:
        ours = _control(call, call.read(control, size), fds) if control and size else b""
        return _send_on(call, fd, (b"".join(parts), address, ours), flags)
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
