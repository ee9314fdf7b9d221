"""Opening what is neither a plain file nor a directory: FIFOs, devices, and files of /proc."""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from sekisho.sandbox.abi.flags import (
    AT_FDCWD,
    O_ACCMODE,
    O_CLOEXEC,
    O_CREAT,
    O_EXCL,
    O_NOCTTY,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_TRUNC,
)
from sekisho.sandbox.sentry import task, vfs
from sekisho.sandbox.sentry.call import Errno
from sekisho.sandbox.sentry.fs import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.sentry.call import Call, Result

MEMORY_DEVICES = frozenset(os.makedev(1, minor) for minor in (3, 5, 7, 8, 9))
"""null, zero, full, random, urandom."""
TTY = os.makedev(5, 0)
PTMX = os.makedev(5, 2)

_ONCE = O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW
"""Flags that have done their work when an open file is opened again."""


def open_special(call: Call, fd: int, info: os.stat_result, flags: int) -> Result:
    """Give what ``fd`` (ours to close) was opened on without waiting, if the workload may have it."""
    kind = stat.S_IFMT(info.st_mode)
    if kind == stat.S_IFIFO and flags & O_ACCMODE == os.O_RDONLY and not flags & O_NONBLOCK:
        # Our reader stands for the caller that waits: writers may come from now on.
        return _wait(call, fd, flags)
    if kind == stat.S_IFCHR and info.st_rdev == TTY:
        os.close(fd)
        fd = _terminal(call, flags)
    elif kind == stat.S_IFCHR and not _harmless(call, info):
        os.close(fd)
        raise Errno(errno.EPERM)
    elif kind not in (stat.S_IFIFO, stat.S_IFCHR):
        os.close(fd)
        raise Errno(errno.ENXIO)
    return _give(call, fd, flags)


def _give(call: Call, fd: int, flags: int) -> Result:
    if not flags & O_NONBLOCK:
        fcntl.fcntl(fd, fcntl.F_SETFL, flags & (os.O_APPEND | os.O_NOATIME))
    return call.hand_over(fd, flags)


def _harmless(call: Call, info: os.stat_result) -> bool:
    if info.st_rdev in MEMORY_DEVICES or info.st_rdev == PTMX:
        return True
    return info.st_dev == call.kernel.terminals


def _terminal(call: Call, flags: int) -> int:
    """The caller's controlling terminal, which /dev/tty means; ENXIO if it has none here."""
    number = task.terminal(call)
    if os.major(number) != 136:
        raise Errno(errno.ENXIO)
    path = b"/dev/pts/%d" % os.minor(number)
    return call.opener.open(AT_FDCWD, path, flags & ~_ONCE | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)


def open_waiting(call: Call, dirfd: int, path: bytes, flags: int) -> Result:
    """Open what cannot be opened at once: a FIFO without a reader, a file under a lease."""
    handle = vfs.open_at(call, dirfd, path, O_PATH | flags & O_NOFOLLOW)
    info = os.fstat(handle)
    if stat.S_ISCHR(info.st_mode) and info.st_rdev == TTY:
        os.close(handle)
        return _give(call, _terminal(call, flags), flags)
    if stat.S_IFMT(info.st_mode) not in (stat.S_IFIFO, stat.S_IFREG):
        os.close(handle)
        raise Errno(errno.ENXIO)
    return _wait(call, handle, flags)


def _wait(call: Call, handle: int, flags: int) -> Result:
    """Open again what we have a handle on, as long as it takes."""
    again = flags & ~_ONCE | O_NOCTTY | O_CLOEXEC
    try:
        with call.kernel.waiting(call):
            fd = call.opener.open(AT_FDCWD, b"self/fd/%d" % handle, again, 0, 0)
    finally:
        os.close(handle)
    return call.hand_over(fd, flags)


def open_proc(call: Call, fd: int, flags: int) -> Result:
    """Give a file or directory of /proc, or one of our own in its place. ``fd`` is ours to close."""
    try:
        made = procfs.open_checked(call, fd, flags)
    finally:
        os.close(fd)
    return call.give(made, flags)
