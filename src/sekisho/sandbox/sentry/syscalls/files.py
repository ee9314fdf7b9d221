"""Calls on descriptors that the kernel does not run for the workload."""

from __future__ import annotations

import errno
import os
import stat
from _struct import Struct

from sekisho.sandbox import files_native
from sekisho.sandbox.sentry import task
from sekisho.sandbox.sentry.call import Call, Errno, Result
from sekisho.sandbox.sentry.syscalls import interfaces
from sekisho.sandbox.sentry.syscalls.attributes import answer_statfs, safe_mode

COPY_MOST = 1 << 20
"""Bytes that one call copies at most: it may always do less than it was asked for."""
SEND_MOST = 1 << 16
DENTS_MOST = 1 << 16

OFFSET = Struct("=q")


def ioctl(call: Call) -> Result:
    """ioctl(fd, command, ...): those that the filter does not know are no command of anything here."""
    handle = task.descriptor(call, call.signed(0))
    try:
        is_socket = stat.S_ISSOCK(os.fstat(handle).st_mode)
    finally:
        os.close(handle)
    command = call.args[1] & 0xFFFF_FFFF
    if is_socket and command in interfaces.COMMANDS:
        return interfaces.ioctl(call, command, call.args[2])
    if command == TIOCSTI:
        raise Errno(errno.EPERM)
    raise Errno(errno.ENOTTY)


TIOCSTI = 0x5412


def getdents(call: Call) -> Result:
    """getdents(fd, buffer, size)."""
    fd = task.take(call, call.signed(0))
    try:
        data = files_native.directory_entries(fd, min(call.args[2] & 0xFFFF_FFFF, DENTS_MOST))
        if data:
            call.write(call.args[1], data)
        return len(data)
    finally:
        os.close(fd)


def fchmod(call: Call) -> Result:
    """fchmod(fd, mode)."""
    handle = task.descriptor(call, call.signed(0))
    try:
        if call.kernel.is_emulated(os.fstat(handle).st_dev):
            raise Errno(errno.EPERM)
        call.valid()
        os.chmod(f"self/fd/{handle}", safe_mode(call.signed(1)), dir_fd=call.kernel.proc)
    finally:
        os.close(handle)
    return 0


def fchown(call: Call) -> Result:
    """fchown(fd, uid, gid)."""
    handle = task.descriptor(call, call.signed(0))
    try:
        if call.kernel.is_emulated(os.fstat(handle).st_dev):
            raise Errno(errno.EPERM)
        call.valid()
        os.chown(f"self/fd/{handle}", call.id_number(1), call.id_number(2), dir_fd=call.kernel.proc)
    finally:
        os.close(handle)
    return 0


def fstatfs(call: Call) -> Result:
    """fstatfs(fd, buffer)."""
    return answer_statfs(call, task.descriptor(call, call.signed(0)), call.args[1])


def sync(_call: Call) -> Result:
    """sync(): the workload's writes reach the disk when the host writes its own."""
    return 0


def syncfs(call: Call) -> Result:
    """syncfs(fd)."""
    os.close(task.descriptor(call, call.signed(0)))
    return 0


def fallocate(call: Call) -> Result:
    """fallocate(fd, mode, offset, length)."""
    mode = call.signed(1)
    if mode not in (0, KEEP_SIZE, KEEP_SIZE | PUNCH_HOLE):
        raise Errno(errno.EOPNOTSUPP)
    fd = task.take(call, call.signed(0))
    try:
        call.valid()
        files_native.allocate(fd, mode, call.args[2], call.args[3])
    finally:
        os.close(fd)
    return 0


KEEP_SIZE, PUNCH_HOLE = 1, 2


def memfd_create(call: Call) -> Result:
    """memfd_create(name, flags)."""
    flags = call.args[1] & 0xFFFF_FFFF
    if flags & ~(os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC):
        raise Errno(errno.EINVAL)
    name = call.memory.string(call.tid, call.args[0], NAME_MOST + 1)
    if name is None:
        raise Errno(errno.EINVAL)
    fd = os.memfd_create(os.fsdecode(name), flags | os.MFD_CLOEXEC)
    return call.give(fd, os.O_CLOEXEC if flags & os.MFD_CLOEXEC else 0)


MFD_NOEXEC_SEAL, MFD_EXEC = 8, 16
NAME_MOST = 249


def sendfile(call: Call) -> Result:
    """sendfile(out, in, offset, count)."""
    out, source = task.take(call, call.signed(0)), -1
    try:
        source = task.take(call, call.signed(1))
        if not stat.S_ISREG(os.fstat(source).st_mode):
            raise Errno(errno.EINVAL)
        at = call.args[2]
        start = OFFSET.unpack(call.read(at, 8))[0] if at else os.lseek(source, 0, os.SEEK_CUR)
        data = os.pread(source, min(call.args[3], SEND_MOST), start)
        call.valid()
        done = _write(call, out, data) if data else 0
        if at:
            call.write(at, OFFSET.pack(start + done))
        else:
            os.lseek(source, start + done, os.SEEK_SET)
        return done
    finally:
        os.close(out)
        if source >= 0:
            os.close(source)


def _write(call: Call, fd: int, data: bytes) -> int:
    """Write some of it, waiting only if the caller would wait."""
    kind = stat.S_IFMT(os.fstat(fd).st_mode)
    if kind == stat.S_IFSOCK:
        try:
            return files_native.send(fd, data, MSG_DONTWAIT | MSG_NOSIGNAL)
        except BlockingIOError:
            if os.get_blocking(fd) is False:
                raise
        with call.kernel.waiting(call):
            return files_native.send(fd, data, MSG_NOSIGNAL)
    if kind == stat.S_IFREG or not os.get_blocking(fd):
        return os.write(fd, data)
    with call.kernel.waiting(call):
        return files_native.write(fd, data[:PIPE_BUF])


MSG_DONTWAIT, MSG_NOSIGNAL = 0x40, 0x4000
PIPE_BUF = 4096


def copy_file_range(call: Call) -> Result:
    """copy_file_range(in, in offset, out, out offset, length, flags)."""
    if call.args[5] & 0xFFFF_FFFF:
        raise Errno(errno.EINVAL)
    source, out = task.take(call, call.signed(0)), -1
    try:
        out = task.take(call, call.signed(2))
        for fd in (source, out):
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise Errno(errno.EINVAL)
        return _copy(call, source, out)
    finally:
        os.close(source)
        if out >= 0:
            os.close(out)


def _copy(call: Call, source: int, out: int) -> int:
    places = [OFFSET.unpack(call.read(at, 8))[0] if at else None for at in (call.args[1], call.args[3])]
    start, end = places
    length = min(call.args[4], COPY_MOST)
    data = os.read(source, length) if start is None else os.pread(source, length, start)
    call.valid()
    done = os.write(out, data) if end is None else os.pwrite(out, data, end)
    if start is not None:
        call.write(call.args[1], OFFSET.pack(start + done))
    elif done < len(data):
        os.lseek(source, done - len(data), os.SEEK_CUR)
    if end is not None:
        call.write(call.args[3], OFFSET.pack(end + done))
    return done
