"""Files: openat2 and the calls that ``os`` does not have."""

from __future__ import annotations

import os
from _struct import Struct

from sekisho.sandbox import c_native
from sekisho.sandbox.abi.flags import RESOLVE_NO_MAGICLINKS
from sekisho.sandbox.libc_native import (
    NR_EPOLL_CREATE1,
    NR_FALLOCATE,
    NR_GETDENTS,
    NR_INOTIFY_INIT1,
    NR_OPENAT2,
    NR_RENAMEAT2,
    fail,
    function,
    syscall,
    unconverted,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_int, _text, _uint = c_native.c_int, c_native.c_char_p, c_native.c_uint
_utimensat: Final = function("utimensat", _int, _text, c_native.c_void_p, _int)
_watch: Final = function("inotify_add_watch", _int, _text, _uint)
_unwatch: Final = function("inotify_rm_watch", _int, _int)
_fstatfs: Final = function("fstatfs", _int, c_native.c_void_p)
_send: Final = function("send", _int, _text, c_native.c_size_t, _int)
_send.restype = c_native.c_ssize_t
_write: Final = function("write", _int, _text, c_native.c_size_t)
_write.restype = c_native.c_ssize_t
_linkat: Final = function("linkat", _int, _text, _int, _text, _int)
_raw: Final = unconverted("syscall")


HOW: Final = Struct("=3Q")
"""struct open_how: flags, mode, resolve."""


class Opener:
    """openat2(2) with a structure of its own; one a thread."""

    __slots__ = ("_at", "_frame", "_how")

    def __init__(self) -> None:
        self._how = bytearray(HOW.size)
        self._frame = (c_native.c_char * HOW.size).from_buffer(self._how)
        self._at = c_native.c_void_p(c_native.addressof(self._frame))

    def open(
        self, base: int, path: bytes, flags: int, mode: int = 0, resolve: int = RESOLVE_NO_MAGICLINKS
    ) -> int:
        """Open ``path`` from the directory ``base`` (AT_FDCWD: this process's own)."""
        fd = self.attempt(base, path, flags, mode, resolve)
        if fd < 0:
            raise OSError(-fd, os.strerror(-fd))
        return fd

    def attempt(self, base: int, path: bytes, flags: int, mode: int, resolve: int) -> int:
        """The same, where failure is common: the descriptor, or the negative error number."""
        HOW.pack_into(self._how, 0, flags, mode, resolve)
        fd: int = _raw(NR_OPENAT2, base, path, self._at, HOW.size)
        return fd if fd >= 0 else -c_native.get_errno()


def rename(old_base: int, old: bytes, new_base: int, new: bytes, flags: int) -> None:
    """renameat2(2)."""
    one, two = c_native.create_string_buffer(old), c_native.create_string_buffer(new)
    syscall(NR_RENAMEAT2, old_base, c_native.addressof(one), new_base, c_native.addressof(two), flags)


def link(old_base: int, old: bytes, new_base: int, new: bytes, flags: int) -> None:
    """linkat(2), which ``os.link`` gives no AT_EMPTY_PATH."""
    if _linkat(old_base, old, new_base, new, flags) == -1:
        raise fail()


def set_times(base: int, path: bytes, times: bytes | None, flags: int) -> None:
    """utimensat(2); ``times`` are two packed timespecs, so that UTIME_NOW and UTIME_OMIT can be passed on."""
    if _utimensat(base, path, times, flags) == -1:
        raise fail()


STATFS_SIZE: Final = 120


def statfs(fd: int) -> bytes:
    """What fstatfs(2) says: the kernel's own structure."""
    buffer = c_native.create_string_buffer(STATFS_SIZE)
    if _fstatfs(fd, c_native.addressof(buffer)) == -1:
        raise fail()
    return buffer.raw


def watch(fd: int, path: bytes, mask: int) -> int:
    """Watch a path (inotify_add_watch(2))."""
    found: int = _watch(fd, path, mask)
    if found == -1:
        raise fail()
    return found


def unwatch(fd: int, watch: int) -> None:
    """inotify_rm_watch(2)."""
    if _unwatch(fd, watch) == -1:
        raise fail()


def new_inotify(flags: int) -> int:
    """inotify_init1(2)."""
    return syscall(NR_INOTIFY_INIT1, flags)


def new_epoll(flags: int) -> int:
    """epoll_create1(2)."""
    return syscall(NR_EPOLL_CREATE1, flags)


def directory_entries(fd: int, size: int) -> bytes:
    """getdents(2), the old form."""
    buffer = c_native.create_string_buffer(size)
    got = syscall(NR_GETDENTS, fd, c_native.addressof(buffer), size)
    return buffer.raw[:got]


def allocate(fd: int, mode: int, offset: int, length: int) -> None:
    """fallocate(2)."""
    syscall(NR_FALLOCATE, fd, mode, offset, length)


def send(fd: int, data: bytes, flags: int) -> int:
    """Send (send(2)), which is not tried again after a signal."""
    sent: int = _send(fd, data, len(data), flags)
    if sent == -1:
        raise fail()
    return sent


def write(fd: int, data: bytes) -> int:
    """Write (write(2)), which is not tried again after a signal."""
    written: int = _write(fd, data, len(data))
    if written == -1:
        raise fail()
    return written
