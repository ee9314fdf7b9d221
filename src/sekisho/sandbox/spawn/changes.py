"""What was written over a root: read from the upper directory of its overlay."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")
WHITEOUT = ("trusted.overlay.whiteout", "user.overlay.whiteout")


def changes(upper: int, lower: str) -> Iterator[tuple[str, str]]:
    """Each change as a kind (``A`` added, ``M`` changed, ``D`` deleted) and an absolute path, in order.

    ``upper`` is a descriptor of the upper directory, ``lower`` the path of what lies under it. Directories
    are named only when they were made.
    """
    yield from _walk(upper, lower.rstrip("/"), "")


def _walk(folder: int, lower: str, path: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        here = f"{path}/{name}"
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        there = _exists(f"{lower}{here}")
        if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
            if there:
                yield "D", here
        elif stat.S_ISDIR(info.st_mode):
            if not there:
                yield "A", here
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                if there and _opaque(fd):
                    yield "M", here
                yield from _walk(fd, lower, here)
            finally:
                os.close(fd)
        else:
            yield ("M" if there else "A"), here


def _exists(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError:
        return False
    return True


def _opaque(fd: int) -> bool:
    for name in OPAQUE:
        try:
            if os.getxattr(fd, name) == b"y":
                return True
        except OSError:
            continue
    return False
