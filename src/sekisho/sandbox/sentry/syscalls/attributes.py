"""Calls on what a file is said to be: mode, owner, size, times, extended attributes, and its file system."""

from __future__ import annotations

import errno
import os
import stat
from _struct import Struct

from sekisho.sandbox import files_native
from sekisho.sandbox.abi.flags import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    O_NONBLOCK,
)
from sekisho.sandbox.sentry import task, vfs
from sekisho.sandbox.sentry.call import Call, Errno, Result

TWO, FOUR = Struct("=2q"), Struct("=4q")

# change


class _Target:
    """What a path means, as a name below the Sentry's own procfs that every call takes. A context manager."""

    __slots__ = ("call", "fd")

    def __init__(self, call: Call, dirfd: int, path: bytes, *, follow: bool, empty: bool = False) -> None:
        self.call = call
        self.fd = vfs.handle_at(call, dirfd, path, follow=follow, empty=empty)

    def __enter__(self) -> str:
        if self.call.kernel.is_emulated(os.fstat(self.fd).st_dev):
            os.close(self.fd)
            raise Errno(errno.EPERM)  # what is said of a file of /proc is said on the whole machine
        self.call.valid()
        return f"self/fd/{self.fd}"

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def chmod(call: Call) -> Result:
    """chmod(path, mode)."""
    return _chmod(call, AT_FDCWD, call.path(0), call.signed(1), 0)


def fchmodat(call: Call) -> Result:
    """fchmodat(dirfd, path, mode)."""
    return _chmod(call, call.signed(0), call.path(1), call.signed(2), 0)


def fchmodat2(call: Call) -> Result:
    """fchmodat2(dirfd, path, mode, flags)."""
    return _chmod(call, call.signed(0), call.path(1), call.signed(2), call.signed(3))


def _chmod(call: Call, dirfd: int, path: bytes, mode: int, flags: int) -> Result:
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise Errno(errno.EINVAL)
    follow, empty = not flags & AT_SYMLINK_NOFOLLOW, bool(flags & AT_EMPTY_PATH)
    target = _Target(call, dirfd, path, follow=follow, empty=empty)
    with target as name:
        if stat.S_ISLNK(os.fstat(target.fd).st_mode):
            raise Errno(errno.EOPNOTSUPP)
        os.chmod(name, safe_mode(mode), dir_fd=call.kernel.proc)
    return 0


def safe_mode(mode: int) -> int:
    """The mode that a file gets: nothing on a host's disk may run as its owner because of us."""
    return mode & 0o1777 if mode & 0o6000 else mode & 0o7777


def chown(call: Call) -> Result:
    """chown(path, uid, gid)."""
    return _chown(call, AT_FDCWD, call.path(0), call.id_number(1), call.id_number(2), 0)


def lchown(call: Call) -> Result:
    """lchown(path, uid, gid)."""
    return _chown(call, AT_FDCWD, call.path(0), call.id_number(1), call.id_number(2), AT_SYMLINK_NOFOLLOW)


def fchownat(call: Call) -> Result:
    """fchownat(dirfd, path, uid, gid, flags)."""
    return _chown(call, call.signed(0), call.path(1), call.id_number(2), call.id_number(3), call.signed(4))


def _chown(call: Call, dirfd: int, path: bytes, uid: int, gid: int, flags: int) -> Result:  # noqa: PLR0917  the call's own
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise Errno(errno.EINVAL)
    follow, empty = not flags & AT_SYMLINK_NOFOLLOW, bool(flags & AT_EMPTY_PATH)
    with _Target(call, dirfd, path, follow=follow, empty=empty) as name:
        os.chown(name, uid, gid, dir_fd=call.kernel.proc)
    return 0


def truncate(call: Call) -> Result:
    """truncate(path, length)."""
    length = call.args[1]
    if length >> 63:
        raise Errno(errno.EINVAL)
    try:
        fd = vfs.open_at(call, AT_FDCWD, call.path(0), os.O_WRONLY | O_NONBLOCK)
    except Errno as error:
        raise Errno(errno.EINVAL if error.number == errno.ENXIO else error.number) from None  # a FIFO
    try:
        if call.kernel.is_emulated(os.fstat(fd).st_dev):
            raise Errno(errno.EACCES)
        call.valid()
        task.bounded(call, length)
        os.ftruncate(fd, length)
    finally:
        os.close(fd)
    return 0


# times


def utime(call: Call) -> Result:
    """utime(path, times in seconds)."""
    times = None
    if call.args[1]:
        first, second = TWO.unpack(call.read(call.args[1], TWO.size))
        times = FOUR.pack(first, 0, second, 0)
    return _set_times(call, AT_FDCWD, call.path(0), times, 0)


def utimes(call: Call) -> Result:
    """utimes(path, times in microseconds)."""
    return _set_times(call, AT_FDCWD, call.path(0), _microseconds(call, call.args[1]), 0)


def futimesat(call: Call) -> Result:
    """futimesat(dirfd, path, times in microseconds); without a path it is the descriptor itself."""
    times = _microseconds(call, call.args[2])
    if not call.args[1]:
        return _set_times(call, call.signed(0), b"", times, AT_EMPTY_PATH)
    return _set_times(call, call.signed(0), call.path(1), times, 0)


def utimensat(call: Call) -> Result:
    """utimensat(dirfd, path, times in nanoseconds, flags); without a path it is the descriptor itself."""
    times = call.read(call.args[2], FOUR.size) if call.args[2] else None
    if not call.args[1]:
        if call.signed(0) == AT_FDCWD:
            raise Errno(errno.EFAULT)
        return _set_times(call, call.signed(0), b"", times, AT_EMPTY_PATH)
    return _set_times(call, call.signed(0), call.path(1), times, call.signed(3))


def _microseconds(call: Call, address: int) -> bytes | None:
    if not address:
        return None
    a, b, c, d = FOUR.unpack(call.read(address, FOUR.size))
    if not (0 <= b < 1_000_000 and 0 <= d < 1_000_000):
        raise Errno(errno.EINVAL)
    return FOUR.pack(a, b * 1000, c, d * 1000)


def _set_times(call: Call, dirfd: int, path: bytes, times: bytes | None, flags: int) -> Result:
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise Errno(errno.EINVAL)
    follow, empty = not flags & AT_SYMLINK_NOFOLLOW, bool(flags & AT_EMPTY_PATH)
    handle = vfs.handle_at(call, dirfd, path, follow=follow, empty=empty)
    try:
        call.valid()
        if call.kernel.is_emulated(os.fstat(handle).st_dev):
            raise Errno(errno.EPERM)
        files_native.set_times(handle, b"", times, AT_EMPTY_PATH)
    finally:
        os.close(handle)
    return 0


# extended attributes


def setxattr(call: Call) -> Result:
    """setxattr(path, name, value, size, flags)."""
    return _setxattr(call, _Target(call, AT_FDCWD, call.path(0), follow=True))


def lsetxattr(call: Call) -> Result:
    """lsetxattr(path, name, value, size, flags)."""
    return _setxattr(call, _Target(call, AT_FDCWD, call.path(0), follow=False))


def fsetxattr(call: Call) -> Result:
    """fsetxattr(fd, name, value, size, flags)."""
    return _setxattr(call, _Target(call, call.signed(0), b"", follow=True, empty=True))


def _setxattr(call: Call, target: _Target) -> Result:
    with target as place:
        name, size = _attribute(call), call.args[3]
        if size > XATTR_SIZE_MAX:
            raise Errno(errno.E2BIG)
        if not name.startswith(SETTABLE):
            raise Errno(errno.EPERM)
        value = call.read(call.args[2], size)
        os.setxattr(place, name, value, call.signed(4))
    return 0


def getxattr(call: Call) -> Result:
    """getxattr(path, name, value, size)."""
    return _getxattr(call, _Target(call, AT_FDCWD, call.path(0), follow=True))


def lgetxattr(call: Call) -> Result:
    """lgetxattr(path, name, value, size)."""
    return _getxattr(call, _Target(call, AT_FDCWD, call.path(0), follow=False))


def fgetxattr(call: Call) -> Result:
    """fgetxattr(fd, name, value, size)."""
    return _getxattr(call, _Target(call, call.signed(0), b"", follow=True, empty=True))


def _getxattr(call: Call, target: _Target) -> Result:
    with target as place:
        name = _attribute(call)
        if not name.startswith(SETTABLE):
            raise Errno(errno.ENODATA)
        return _answer_bytes(call, os.getxattr(place, name), call.args[2], call.args[3])


def listxattr(call: Call) -> Result:
    """listxattr(path, list, size)."""
    return _listxattr(call, _Target(call, AT_FDCWD, call.path(0), follow=True))


def llistxattr(call: Call) -> Result:
    """llistxattr(path, list, size)."""
    return _listxattr(call, _Target(call, AT_FDCWD, call.path(0), follow=False))


def flistxattr(call: Call) -> Result:
    """flistxattr(fd, list, size)."""
    return _listxattr(call, _Target(call, call.signed(0), b"", follow=True, empty=True))


def _listxattr(call: Call, target: _Target) -> Result:
    with target as place:
        names = [os.fsencode(name) for name in os.listxattr(place)]
        data = b"".join(name + b"\0" for name in names if name.startswith(SETTABLE))
        return _answer_bytes(call, data, call.args[1], call.args[2])


def removexattr(call: Call) -> Result:
    """removexattr(path, name)."""
    return _removexattr(call, _Target(call, AT_FDCWD, call.path(0), follow=True))


def lremovexattr(call: Call) -> Result:
    """lremovexattr(path, name)."""
    return _removexattr(call, _Target(call, AT_FDCWD, call.path(0), follow=False))


def fremovexattr(call: Call) -> Result:
    """fremovexattr(fd, name)."""
    return _removexattr(call, _Target(call, call.signed(0), b"", follow=True, empty=True))


def _removexattr(call: Call, target: _Target) -> Result:
    with target as place:
        name = _attribute(call)
        if not name.startswith(SETTABLE):
            raise Errno(errno.EPERM)
        os.removexattr(place, name)
    return 0


SETTABLE = (b"user.", b"system.posix_acl_")
"""The attributes that a file's owner gives; the others are the system's, and are not shown."""

XATTR_SIZE_MAX = 65_536
XATTR_NAME_MAX = 255


def _attribute(call: Call) -> bytes:
    name = call.memory.string(call.tid, call.args[1], XATTR_NAME_MAX + 1)
    if not name:
        raise Errno(errno.ERANGE)
    return name


def _answer_bytes(call: Call, data: bytes, address: int, size: int) -> Result:
    """Bytes into a buffer of the caller's; with size 0 only their number."""
    if size:
        if len(data) > size:
            raise Errno(errno.ERANGE)
        call.write(address, data)
    return len(data)


# the rest


def statfs(call: Call) -> Result:
    """statfs(path, buffer)."""
    handle = vfs.handle_at(call, AT_FDCWD, call.path(0), follow=True)
    return answer_statfs(call, handle, call.args[1])


def answer_statfs(call: Call, handle: int, address: int) -> Result:
    """What a handle's file system is like, without its id on the host; the handle is closed."""
    try:
        raw = bytearray(files_native.statfs(handle))
    finally:
        os.close(handle)
    raw[56:64] = bytes(8)  # f_fsid
    call.write(address, bytes(raw))
    return 0


def inotify_add_watch(call: Call) -> Result:
    """inotify_add_watch(fd, path, mask)."""
    mask = call.args[2] & 0xFFFF_FFFF
    handle = vfs.handle_at(call, AT_FDCWD, call.path(1), follow=not mask & IN_DONT_FOLLOW)
    try:
        watcher = task.take(call, call.signed(0))
        try:
            call.valid()
            if mask & IN_ONLYDIR and not stat.S_ISDIR(os.fstat(handle).st_mode):
                raise Errno(errno.ENOTDIR)
            name = b"self/fd/%d" % handle
            return files_native.watch(watcher, name, mask & ~(IN_DONT_FOLLOW | IN_ONLYDIR))
        finally:
            os.close(watcher)
    finally:
        os.close(handle)


IN_ONLYDIR, IN_DONT_FOLLOW = 0x0100_0000, 0x0200_0000
