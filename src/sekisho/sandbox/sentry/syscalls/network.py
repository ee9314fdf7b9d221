"""Sockets: made by the Sentry, connected and bound by it to addresses that it copied once."""

from __future__ import annotations

import errno
import os
import stat

from sekisho.sandbox import socket_native
from sekisho.sandbox.abi.flags import AT_FDCWD, O_CLOEXEC
from sekisho.sandbox.sentry import net, outside, task, vfs
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
    elif family == net.AF_NETLINK:
        if plain not in (net.SOCK_RAW, net.SOCK_DGRAM):
            raise Errno(errno.ESOCKTNOSUPPORT)
        if protocol != 0:
            raise Errno(errno.EPROTONOSUPPORT)
        fd = call.kernel.network.netlink.open(task.inner_ids(call)[0])
        os.set_blocking(fd, not kind & os.O_NONBLOCK)
        return call.give(fd, kind & O_CLOEXEC)
    else:
        raise Errno(errno.EAFNOSUPPORT)
    fd = socket_native.new(family, kind | O_CLOEXEC, protocol)
    return call.give(fd, kind & O_CLOEXEC)


def address(call: Call, index: int) -> bytes:
    """The address that two arguments are, a pointer and a length, if the workload may use it."""
    length = call.signed(index + 1)
    if not 2 <= length <= ADDRESS_MOST:
        raise Errno(errno.EINVAL)
    return allowed(call, call.read(call.args[index], length))


def allowed(call: Call, copied: bytes) -> bytes:
    """An address that was copied, if the workload may use it; rules are asked later."""
    refusal = call.kernel.network.refusal(copied)
    if refusal:
        raise Errno(refusal)
    return copied


def unix_path(address: bytes) -> bytes:
    """The path of an AF_UNIX address; empty for an abstract or no name."""
    if address[2:3] in (b"", b"\0"):
        return b""
    return address[2:].split(b"\0", 1)[0]


def netlink_only(call: Call, fd: int) -> None:
    """Refuse an address of netlink for any other socket."""
    if not call.kernel.network.netlink.is_ours(socket_native.name_of(fd)):
        raise Errno(errno.EINVAL)


INTERNET = (net.AF_INET, net.AF_INET6, net.AF_UNSPEC)


def connect(call: Call) -> Result:
    """connect(fd, address, length)."""
    where = address(call, 1)
    family = net.family_of(where)
    path = unix_path(where) if family == net.AF_UNIX else b""
    handle = -1
    number = call.signed(0)
    fd = task.take(call, number)
    try:
        if family in INTERNET and call.kernel.network.link is not None:
            return outside.connect(call, number, fd, where)
        if family == net.AF_NETLINK:
            netlink_only(call, fd)
            return 0
        if path:
            handle = vfs.handle_at(call, AT_FDCWD, path, follow=True)
            where = reached(handle)
        call.valid()
        _connect(call, fd, where)
    finally:
        os.close(fd)
        if handle >= 0:
            os.close(handle)
    return 0


def reached(handle: int) -> bytes:
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
    where = address(call, 1)
    family = net.family_of(where)
    path = unix_path(where) if family == net.AF_UNIX else b""
    number = call.signed(0)
    fd = task.take(call, number)
    try:
        if family == net.AF_NETLINK:
            netlink_only(call, fd)  # it has its port already; nothing is ever told to groups
        elif path:
            _bind_path(call, fd, path)
        elif call.kernel.network.link is None or not outside.bind(call, number, fd, where):
            call.valid()
            socket_native.bind(fd, where)
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
        if call.kernel.network.moves:
            outside.may_listen(call, fd)
        call.valid()
        socket_native.listen(fd, max(call.signed(1), 0))
    finally:
        os.close(fd)
    return 0


LENGTH = 4
"""sizeof(socklen_t)."""


def getsockname(call: Call) -> Result:
    """getsockname(fd, address, length): the kernel's answer, but netlink's for a netlink socket."""
    fd = task.take(call, call.signed(0))
    try:
        name = socket_native.name_of(fd)
    finally:
        os.close(fd)
    if call.kernel.network.netlink.is_ours(name):
        name = net.AF_NETLINK.to_bytes(2, "little") + bytes(2) + name[4:8] + bytes(4)
    room = int.from_bytes(call.read(call.args[2], LENGTH), "little", signed=True)
    if room < 0:
        raise Errno(errno.EINVAL)
    call.write(call.args[1], name[:room])
    call.write(call.args[2], len(name).to_bytes(LENGTH, "little"))
    return 0
