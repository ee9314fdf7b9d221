"""Paths of the workload, resolved in the workload's own mount tree.

The Sentry lives in the mount namespace of its workload and has the workload's root as its own, so absolute
paths, ``..`` and symbolic links mean what they mean to the workload, and no path can name anything outside.
Magic links (/proc/<pid>/fd/3, exe, cwd, root) are never followed in passing: ``procfs`` looks at each of
them.
"""

from __future__ import annotations

import errno
import os

from sekisho.sandbox.abi.flags import (
    AT_FDCWD,
    O_CLOEXEC,
    O_DIRECTORY,
    O_NOFOLLOW,
    O_PATH,
    RESOLVE_NO_MAGICLINKS,
)
from sekisho.sandbox.sentry import task
from sekisho.sandbox.sentry.call import Errno
from sekisho.sandbox.sentry.fs import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.sentry.call import Call

HANDLE = O_PATH | O_CLOEXEC


def open_at(call: Call, dirfd: int, path: bytes, flags: int, mode: int = 0) -> int:
    """Open what a path of the caller's means, with exactly these flags (and close-on-exec for ourselves)."""
    if not path:
        raise Errno(errno.ENOENT)
    if path.startswith(b"/"):
        return _open(call, AT_FDCWD, path, flags, mode)
    base = task.directory(call, dirfd)
    try:
        return _open(call, base, path, flags, mode)
    finally:
        os.close(base)


def _open(call: Call, base: int, path: bytes, flags: int, mode: int) -> int:
    fd = call.opener.attempt(base, path, flags | O_CLOEXEC, mode, RESOLVE_NO_MAGICLINKS)
    if fd >= 0:
        return fd
    if fd in (-errno.ENOENT, -errno.ELOOP):
        found = procfs.another_way(call, base, path, flags)
        if found is not None:
            return found
    raise Errno(-fd)


def handle_at(call: Call, dirfd: int, path: bytes, *, follow: bool, empty: bool = False) -> int:
    """A handle (O_PATH) on what a path means; with ``empty``, an empty path means the descriptor itself."""
    if not path and empty:
        return task.directory(call, dirfd)
    return open_at(call, dirfd, path, O_PATH if follow else O_PATH | O_NOFOLLOW)


class Parent:
    """The directory in which the last part of a path is to be made, removed or renamed, and that part.

    ``name`` holds no directory, so acting on it follows nothing. A context manager: the directory is closed.
    """

    __slots__ = ("fd", "name")

    def __init__(self, call: Call, dirfd: int, path: bytes) -> None:
        if not path:
            raise Errno(errno.ENOENT)
        head, name = _split(path)
        self.name = name
        if not head:
            self.fd = task.directory(call, dirfd)
        else:
            self.fd = open_at(call, dirfd, head, O_PATH | O_DIRECTORY)

    def __enter__(self) -> Parent:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _split(path: bytes) -> tuple[bytes, bytes]:
    """A path before and from its last part; slashes at the end belong to that part."""
    bare = path.rstrip(b"/")
    cut = bare.rfind(b"/") + 1
    if not bare:
        return b"/", b"."  # the root itself
    return path[:cut], path[cut:]
