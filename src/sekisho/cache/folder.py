"""A folder that only we can write, and the files in it, by descriptors and never by path.

What the cache holds may be code. So the folder is opened without following a link, its owner and mode are
taken from the open descriptor, and every file is reached relative to it: nobody can swap it after the check.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
import weakref
from collections.abc import Iterator
from typing import Final

_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TEMPORARY: Final = ".new-"
_ABANDONED_SECONDS: Final = 3600.0
"""A temporary file this old belongs to a process that died; a write takes milliseconds."""

_DAY_SECONDS: Final = 86_400.0
"""An entry that is used is marked as used at most once a day, so that a hit costs no write."""


class NotTrustedError(Exception):
    """The folder may be somebody else's to write. The message says why."""


class Folder:
    """A folder of the cache. Creating one makes it where it is missing; raises OSError, NotTrustedError."""

    __slots__ = ("__weakref__", "_fd", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 - pathlib costs start-up time
        self._open(path, None)

    def _open(self, name: str, parent: int | None) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        try:
            fd = os.open(name, _FOLDER_FLAGS, dir_fd=parent)
        except OSError as error:
            info = os.lstat(name) if parent is None else os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                raise
            what = "a symbolic link" if stat.S_ISLNK(info.st_mode) else "not a folder"
            raise NotTrustedError(f"{self.path} is {what}") from error
        weakref.finalize(self, os.close, fd)
        self._fd = fd
        info = os.fstat(fd)
        if info.st_uid != os.geteuid():
            raise NotTrustedError(f"{self.path} belongs to another user (uid {info.st_uid})")
        if mode := stat.S_IMODE(info.st_mode) & 0o077:
            allowed = "write to" if mode & 0o022 else "read"
            raise NotTrustedError(f"others may {allowed} {self.path}")

    def child(self, name: str) -> Folder:
        """A folder inside this one, with the same demands on it."""
        inner = Folder.__new__(Folder)
        inner.path = os.path.join(self.path, name)  # noqa: PTH118 - as above
        inner._open(name, self._fd)
        return inner

    def read(self, name: str, largest: int) -> bytes | None:
        """The content of a file; None if it is missing, no plain file of ours, or larger than ``largest``."""
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._fd)
        except OSError:
            return None
        try:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid() or info.st_size > largest:
                return None
            if info.st_mtime < time.time() - _DAY_SECONDS:
                self._touch(fd)
            return _read_all(fd, info.st_size)
        except OSError:
            return None
        finally:
            os.close(fd)

    @staticmethod
    def _touch(fd: int) -> None:
        try:
            os.utime(fd)
        except OSError:
            return

    def write(self, name: str, content: bytes) -> None:
        """Put a file in place at once: readers see all of it or none. Raises OSError."""
        temporary = _TEMPORARY + secrets.token_hex(8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(temporary, flags, 0o600, dir_fd=self._fd)
        try:
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(fd, view) :]
            finally:
                os.close(fd)
            os.rename(temporary, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        except BaseException:
            self.remove(temporary)
            raise

    def remove(self, name: str) -> None:
        """Delete a file, if it can be."""
        try:
            os.unlink(name, dir_fd=self._fd)
        except OSError:
            return

    def entries(self) -> Iterator[tuple[float, int, str]]:
        """Each file as (time of last use, bytes, name). Abandoned temporary files are deleted on the way."""
        for name in os.listdir(self._fd):  # noqa: PTH208 - a descriptor, not a path
            try:
                info = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
            except OSError:
                continue
            if not name.startswith(_TEMPORARY):
                yield info.st_mtime, info.st_size, name
            elif info.st_mtime < time.time() - _ABANDONED_SECONDS:
                self.remove(name)


def _read_all(fd: int, size: int) -> bytes:
    parts = []
    while part := os.read(fd, size + 1):
        parts.append(part)
    return b"".join(parts)
