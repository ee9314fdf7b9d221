"""What was written over a root: read from the upper directory of its overlay."""

from __future__ import annotations

import os
import stat

from sekisho.sandbox.spawn.tree import disk_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.sandbox.spec import SandboxSpec

OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")


def changes(kept: int, spec: SandboxSpec) -> Iterator[tuple[str, str]]:
    """Each change as a kind (``A`` added, ``M`` changed, ``D`` deleted) and an absolute path, disk by disk
    in order.

    ``kept`` is a descriptor of the directory that holds what was written (``tree.Tree``). Directories are
    named only when they were made.
    """
    disks = [mount for mount in spec.mounts if mount.type == "overlay"]
    rows = [("upper", spec.root.path, "")]
    rows += [(f"{disk_folder(n)}/upper", disk.source, disk.destination) for n, disk in enumerate(disks)]
    for folder, lower, path in rows:
        try:
            upper = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=kept)
        except FileNotFoundError:
            continue  # that disk could only be read
        try:
            yield from _walk(upper, lower.rstrip("/"), path.rstrip("/"), "")
        finally:
            os.close(upper)


def _walk(folder: int, lower: str, top: str, path: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        here = f"{path}/{name}"
        shown = f"{top}{here}"
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        there = _exists(f"{lower}{here}")
        if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
            if there:
                yield "D", shown
        elif stat.S_ISDIR(info.st_mode):
            if not there:
                yield "A", shown
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                if there and _opaque(fd):
                    yield "M", shown
                yield from _walk(fd, lower, top, here)
            finally:
                os.close(fd)
        else:
            yield ("M" if there else "A"), shown


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
