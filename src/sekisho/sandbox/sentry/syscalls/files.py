"""Calls on descriptors that the kernel does not run for the workload."""

from __future__ import annotations

import errno
import fcntl as descriptors
import os
import stat
from _struct import Struct

from sekisho.sandbox import files_native
from sekisho.sandbox.abi.flags import O_PATH
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
        mode = os.fstat(handle).st_mode
    finally:
        os.close(handle)
    command = call.args[1] & 0xFFFF_FFFF
    if stat.S_ISSOCK(mode) and command in interfaces.COMMANDS:
        return interfaces.ioctl(call, command, call.args[2])
    if command == TIOCSTI:
        raise Errno(errno.EPERM)
    if command in OWNER_TAKEN and (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        call.read(call.args[2], INT.size)
        return 0
    if command in OWNER_TOLD and stat.S_ISSOCK(mode):
        call.write(call.args[2], INT.pack(0))
        return 0
    raise Errno(errno.ENOTTY)


TIOCSTI = 0x5412
FIOASYNC, FIOSETOWN, SIOCSPGRP, FIOGETOWN, SIOCGPGRP = 0x5452, 0x8901, 0x8902, 0x8903, 0x8904
OWNER_TAKEN = frozenset((FIOASYNC, FIOSETOWN, SIOCSPGRP))
OWNER_TOLD = frozenset((FIOGETOWN, SIOCGPGRP))
INT = Struct("=i")


def fcntl(call: Call) -> Result:
    """fcntl(fd, command, argument): the commands that the filter leaves to us.

    Who owns a file is taken and forgotten: the kernel would signal with the Sentry's rights. Programs ask for
    it to be told of what they also poll for.
    """
    fd = task.take(call, call.signed(0))
    try:
        if descriptors.fcntl(fd, descriptors.F_GETFL) & O_PATH:
            raise Errno(errno.EBADF)
        command, argument = call.args[1] & 0xFFFF_FFFF, call.args[2]
        if command == F_SETFL:
            kept = argument & (os.O_APPEND | os.O_NONBLOCK | os.O_NOATIME | os.O_DIRECT)
            call.valid()
            return descriptors.fcntl(fd, F_SETFL, kept)
        if command == F_SETPIPE_SZ:
            return _pipe_size(call, fd, argument & 0xFFFF_FFFF)
        if command == F_SETSIG and argument == 0:
            return 0
        answer = TAKEN.get(command)
        if answer is None:
            raise Errno(errno.EINVAL)
        return answer
    finally:
        os.close(fd)


F_SETFL, F_SETSIG, F_SETPIPE_SZ = 4, 10, 1031
F_UNLCK = 2
TAKEN = {8: 0, 9: 0, 11: 0, 1025: F_UNLCK}
"""F_SETOWN, F_GETOWN (nobody), F_GETSIG (SIGIO), F_GETLEASE (there is none)."""
PIPE_MOST = 1 << 20
"""Bytes of a pipe that a program without privileges may ask for, as /proc/sys/fs/pipe-max-size says."""


def _pipe_size(call: Call, fd: int, size: int) -> int:
    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
        raise Errno(errno.EBADF)
    if size > 1 << 31:
        raise Errno(errno.EINVAL)
    if size > PIPE_MOST:
        raise Errno(errno.EPERM)
    call.valid()
    return descriptors.fcntl(fd, F_SETPIPE_SZ, size)


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
    fd = _changeable(call)
    try:
        call.valid()
        os.fchmod(fd, safe_mode(call.signed(1)))
    finally:
        os.close(fd)
    return 0


def fchown(call: Call) -> Result:
    """fchown(fd, uid, gid)."""
    fd = _changeable(call)
    try:
        call.valid()
        os.fchown(fd, call.id_number(1), call.id_number(2))
    finally:
        os.close(fd)
    return 0


def _changeable(call: Call) -> int:
    """A duplicate of the caller's descriptor, of a file whose attributes it may change; EBADF, EPERM."""
    fd = task.take(call, call.signed(0))
    if call.kernel.is_emulated(os.fstat(fd).st_dev):
        os.close(fd)
        raise Errno(errno.EPERM)
    return fd


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
        if mode == 0 and stat.S_ISREG(os.fstat(fd).st_mode):
            task.bounded(call, call.args[2] + call.args[3])
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
