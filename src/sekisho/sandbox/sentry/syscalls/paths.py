"""Calls that take a path: what opens, makes, removes, renames and changes."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from _struct import Struct

from sekisho.sandbox import files_native
from sekisho.sandbox.abi.flags import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_FOLLOW,
    O_CREAT,
    O_DIRECTORY,
    O_NOCTTY,
    O_NONBLOCK,
    O_PATH,
    O_TMPFILE,
    O_TRUNC,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    RESOLVE_NO_MAGICLINKS,
)
from sekisho.sandbox.process_native import PAGE
from sekisho.sandbox.sentry import special, task, vfs
from sekisho.sandbox.sentry.call import Call, Errno, Result

# open


def open(call: Call) -> Result:
    """open(path, flags, mode)."""
    return _open(call, AT_FDCWD, call.path(0), call.signed(1), call.signed(2))


def openat(call: Call) -> Result:
    """openat(dirfd, path, flags, mode)."""
    return _open(call, call.signed(0), call.path(1), call.signed(2), call.signed(3))


def creat(call: Call) -> Result:
    """creat(path, mode)."""
    return _open(call, AT_FDCWD, call.path(0), os.O_WRONLY | O_CREAT | O_TRUNC, call.signed(1))


HOW = Struct("=3Q")

_STATUS = os.O_APPEND | os.O_DIRECT | os.O_NOATIME
"""Flags of an open file that can be set later."""

_KNOWN = 0o37777703
"""Every flag that open knows; others are ignored by it, and refused by openat2 through which we go."""


def _open(call: Call, dirfd: int, path: bytes, flags: int, mode: int) -> Result:
    call.kernel.server.settle(call)
    flags &= _KNOWN
    makes = flags & O_CREAT or flags & O_TMPFILE == O_TMPFILE
    if makes:
        mode = mode & 0o7777 & ~task.umask(call)
        call.valid()
    else:
        mode = 0
        if flags & O_TRUNC:
            call.valid()
    if flags & O_PATH:
        raise Errno(errno.ENOSYS)  # the filter lets these through: a handle cannot be installed in a process
    # Without waiting for anything: what makes an open wait is found out below.
    try:
        fd = vfs.open_at(call, dirfd, path, flags | O_NONBLOCK | O_NOCTTY, mode)
    except Errno as error:
        if error.number in (errno.ENXIO, errno.EWOULDBLOCK) and not flags & O_NONBLOCK:
            return special.open_waiting(call, dirfd, path, flags)
        raise
    info = os.fstat(fd)
    kind = stat.S_IFMT(info.st_mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR):
        return special.open_special(call, fd, info, flags)
    if info.st_dev == call.kernel.proc_device:
        return special.open_proc(call, fd, flags)
    if not flags & O_NONBLOCK:
        fcntl.fcntl(fd, fcntl.F_SETFL, flags & _STATUS)
    return call.give(fd, flags)


def openat2(call: Call) -> Result:
    """openat2(dirfd, path, how, size): the kernel's own restrictions of the resolution are kept."""
    size = call.args[3]
    if size < HOW.size:
        raise Errno(errno.EINVAL)
    if size > PAGE:
        raise Errno(errno.E2BIG)
    raw = call.read(call.args[2], size)
    if any(raw[HOW.size :]):
        raise Errno(errno.E2BIG)
    flags, mode, resolve = HOW.unpack_from(raw)
    if flags & ~_KNOWN or (mode and not flags & (O_CREAT | O_TMPFILE & ~O_DIRECTORY)):
        raise Errno(errno.EINVAL)
    if flags & O_PATH or resolve & ~RESOLVE_NO_MAGICLINKS:
        raise Errno(errno.ENOSYS)  # programs fall back to openat, which they must where the kernel is old
    return _open(call, call.signed(0), call.path(1), flags, mode)


# make and remove


def mkdir(call: Call) -> Result:
    """mkdir(path, mode)."""
    return _mkdir(call, AT_FDCWD, call.path(0), call.signed(1))


def mkdirat(call: Call) -> Result:
    """mkdirat(dirfd, path, mode)."""
    return _mkdir(call, call.signed(0), call.path(1), call.signed(2))


def _mkdir(call: Call, dirfd: int, path: bytes, mode: int) -> Result:
    mode = mode & 0o1777 & ~task.umask(call)
    with vfs.Parent(call, dirfd, path) as parent:
        call.valid()
        os.mkdir(parent.name, mode, dir_fd=parent.fd)
    return 0


def mknod(call: Call) -> Result:
    """mknod(path, mode, device)."""
    return _mknod(call, AT_FDCWD, call.path(0), call.signed(1))


def mknodat(call: Call) -> Result:
    """mknodat(dirfd, path, mode, device)."""
    return _mknod(call, call.signed(0), call.path(1), call.signed(2))


def _mknod(call: Call, dirfd: int, path: bytes, mode: int) -> Result:
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK):
        raise Errno(errno.EPERM)  # devices are the host's
    mode = stat.S_IFMT(mode) | mode & 0o7777 & ~task.umask(call)
    with vfs.Parent(call, dirfd, path) as parent:
        call.valid()
        os.mknod(parent.name, mode, dir_fd=parent.fd)
    return 0


def rmdir(call: Call) -> Result:
    """rmdir(path)."""
    return _unlink(call, AT_FDCWD, call.path(0), AT_REMOVEDIR)


def unlink(call: Call) -> Result:
    """unlink(path)."""
    return _unlink(call, AT_FDCWD, call.path(0), 0)


def unlinkat(call: Call) -> Result:
    """unlinkat(dirfd, path, flags)."""
    return _unlink(call, call.signed(0), call.path(1), call.signed(2))


def _unlink(call: Call, dirfd: int, path: bytes, flags: int) -> Result:
    if flags & ~AT_REMOVEDIR:
        raise Errno(errno.EINVAL)
    if path and not path.strip(b"/"):
        raise Errno(errno.EBUSY if flags else errno.EISDIR)  # the root itself
    with vfs.Parent(call, dirfd, path) as parent:
        call.valid()
        if flags:
            os.rmdir(parent.name, dir_fd=parent.fd)
        else:
            os.unlink(parent.name, dir_fd=parent.fd)
    return 0


# rename and link


def rename(call: Call) -> Result:
    """rename(old, new)."""
    return _rename(call, AT_FDCWD, call.path(0), AT_FDCWD, call.path(1), 0)


def renameat(call: Call) -> Result:
    """renameat(old dirfd, old, new dirfd, new)."""
    return _rename(call, call.signed(0), call.path(1), call.signed(2), call.path(3), 0)


def renameat2(call: Call) -> Result:
    """renameat2(old dirfd, old, new dirfd, new, flags)."""
    return _rename(call, call.signed(0), call.path(1), call.signed(2), call.path(3), call.signed(4))


def _rename(call: Call, old_fd: int, old: bytes, new_fd: int, new: bytes, flags: int) -> Result:  # noqa: PLR0917  the call's own
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE):
        raise Errno(errno.EINVAL)  # whiteouts are the overlay's own
    with vfs.Parent(call, old_fd, old) as source, vfs.Parent(call, new_fd, new) as target:
        call.valid()
        files_native.rename(source.fd, source.name, target.fd, target.name, flags)
    return 0


def link(call: Call) -> Result:
    """link(old, new)."""
    return _link(call, AT_FDCWD, call.path(0), AT_FDCWD, call.path(1), 0)


def linkat(call: Call) -> Result:
    """linkat(old dirfd, old, new dirfd, new, flags)."""
    return _link(call, call.signed(0), call.path(1), call.signed(2), call.path(3), call.signed(4))


def _link(call: Call, old_fd: int, old: bytes, new_fd: int, new: bytes, flags: int) -> Result:  # noqa: PLR0917  the call's own
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        raise Errno(errno.EINVAL)
    if not old and flags & AT_EMPTY_PATH:
        raise Errno(errno.ENOENT)  # as for everyone without CAP_DAC_READ_SEARCH
    if not flags & AT_SYMLINK_FOLLOW:
        with vfs.Parent(call, old_fd, old) as source, vfs.Parent(call, new_fd, new) as target:
            call.valid()
            files_native.link(source.fd, source.name, target.fd, target.name, 0)
        return 0
    handle = vfs.handle_at(call, old_fd, old, follow=True)
    try:
        with vfs.Parent(call, new_fd, new) as target:
            call.valid()
            name = b"self/fd/%d" % handle
            files_native.link(AT_FDCWD, name, target.fd, target.name, AT_SYMLINK_FOLLOW)
    finally:
        os.close(handle)
    return 0


def symlink(call: Call) -> Result:
    """symlink(text, path)."""
    return _symlink(call, call.path(0), AT_FDCWD, call.path(1))


def symlinkat(call: Call) -> Result:
    """symlinkat(text, dirfd, path)."""
    return _symlink(call, call.path(0), call.signed(1), call.path(2))


def _symlink(call: Call, text: bytes, dirfd: int, path: bytes) -> Result:
    if not text:
        raise Errno(errno.ENOENT)
    with vfs.Parent(call, dirfd, path) as parent:
        call.valid()
        os.symlink(text, parent.name, dir_fd=parent.fd)
    return 0
