"""A root folder that strangers' entries are written into, and nothing outside of it.

Names are resolved here, part by part, by descriptors of folders: a link is read and followed within the root,
as in a chroot, and never by the system. So an image's own links work (``/bin`` → ``usr/bin``), and none leads
out, also where one was just replaced.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

LINKS: Final = 40
"""Links that are followed for one name: Linux' own bound."""

CHUNK: Final = 1024 * 1024

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Parts = tuple[str, ...]


class Root:
    """The folder. Raises OSError; what leads in circles or through what is no folder is one too."""

    def __init__(self, path: Path) -> None:
        self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close it."""
        os.close(self._root)

    def __enter__(self) -> Root:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def resolved(self, parts: Parts, *, make: bool = False) -> Parts:
        """The parts without links, of a folder; it is made, with its parents, where that is wanted."""
        done: list[str] = []
        left = list(reversed(parts))
        links = 0
        while left:
            part = left.pop()
            if part in ("", "."):
                continue
            if part == "..":
                # Above the root is the root, as in a chroot.
                del done[-1:]
                continue
            with self._plain(done) as folder:
                try:
                    mode = os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode
                except FileNotFoundError:
                    if not make:
                        raise
                    os.mkdir(part, 0o755, dir_fd=folder)
                    mode = stat.S_IFDIR
                if not stat.S_ISLNK(mode):
                    if not stat.S_ISDIR(mode):
                        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), "/".join(parts))
                    done.append(part)
                    continue
                target = os.readlink(part, dir_fd=folder)
            links += 1
            if links > LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), "/".join(parts))
            if target.startswith("/"):
                done.clear()
            left += reversed(target.split("/"))
        return tuple(done)

    @contextmanager
    def folder(self, parts: Parts) -> Iterator[int]:
        """The descriptor of a folder that ``resolved`` gave."""
        with self._plain(parts) as found:
            yield found

    @contextmanager
    def _plain(self, parts: Sequence[str]) -> Iterator[int]:
        """The descriptor of a folder, no part of which is a link."""
        here = os.open(".", _FOLDER, dir_fd=self._root)
        try:
            for part in parts:
                below = os.open(part, _FOLDER, dir_fd=here)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)

    def kind(self, parent: Parts, name: str) -> int:
        """What stands there (the type bits of its mode), 0 if nothing does."""
        with self.folder(parent) as folder:
            try:
                return stat.S_IFMT(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
            except FileNotFoundError:
                return 0

    def read(self, parts: Parts, limit: int) -> bytes:
        """A file, through links within the root; empty where there is none, or one larger than the limit."""
        for _ in range(LINKS):
            try:
                parent = self.resolved(parts[:-1])
                with self.folder(parent) as folder:
                    file = os.open(parts[-1], _FILE, dir_fd=folder)
            except OSError as error:
                if error.errno != errno.ELOOP or self.kind(parent, parts[-1]) != stat.S_IFLNK:
                    return b""
                with self.folder(parent) as folder:
                    target = os.readlink(parts[-1], dir_fd=folder)
                parts = tuple(target.split("/")) if target.startswith("/") else (*parent, *target.split("/"))
                continue
            with os.fdopen(file, "rb") as opened:
                info = os.fstat(file)
                return opened.read(limit) if stat.S_ISREG(info.st_mode) and info.st_size <= limit else b""
        return b""

    def make_folder(self, parent: Parts, name: str) -> None:
        """Make a folder, or keep the one that is there."""
        if self.kind(parent, name) != stat.S_IFDIR:
            self.remove(parent, name)
            with self.folder(parent) as folder:
                os.mkdir(name, 0o755, dir_fd=folder)

    def write(
        self,
        parent: Parts,
        name: str,
        content: IO[bytes],
        mode: int,
        owner: tuple[int, int] | None = None,
    ) -> None:
        """Write a file anew; for an owner, who is a user and a group, if one is named."""
        self.remove(parent, name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self.folder(parent) as folder:
            file = os.open(name, flags, 0o600, dir_fd=folder)
        with os.fdopen(file, "wb") as opened:
            while piece := content.read(CHUNK):
                opened.write(piece)
            opened.flush()
            if owner is not None:
                os.fchown(file, *owner)
            # After the owner, of whom a change takes set-user-id bits away.
            os.fchmod(file, mode)

    def link(self, parent: Parts, name: str, target: Parts) -> None:
        """A second name of a file, which must be one, within the root."""
        at = self.resolved(target[:-1])
        if self.kind(at, target[-1]) != stat.S_IFREG:
            raise OSError(errno.EINVAL, "a link must lead to a file", "/".join(target))
        if (at, target[-1]) == (parent, name):
            return
        self.remove(parent, name)
        with self.folder(at) as there, self.folder(parent) as here:
            os.link(target[-1], name, src_dir_fd=there, dst_dir_fd=here, follow_symlinks=False)

    def symlink(self, parent: Parts, name: str, target: str) -> None:
        """A link to anything; it is only ever followed within the root here."""
        self.remove(parent, name)
        with self.folder(parent) as folder:
            os.symlink(target, name, dir_fd=folder)

    def set_mode(self, parts: Parts, mode: int) -> None:
        """The mode of a folder."""
        with self.folder(parts) as folder:
            os.fchmod(folder, mode)

    def set_time(self, parent: Parts, name: str, seconds: float) -> None:
        """When it was changed last."""
        with self.folder(parent) as folder, suppress(OSError, OverflowError):
            os.utime(name, (seconds, seconds), dir_fd=folder, follow_symlinks=False)

    def set_owner(self, parent: Parts, name: str, user: int, group: int) -> None:
        """Whose it is; needs the right to give files away."""
        with self.folder(parent) as folder:
            os.chown(name, user, group, dir_fd=folder, follow_symlinks=False)

    def names(self, parts: Parts) -> list[str]:
        """What is in a folder."""
        with self.folder(parts) as folder:
            return os.listdir(folder)  # noqa: PTH208 - pathlib knows no descriptors

    def remove(self, parent: Parts, name: str) -> None:
        """Remove what stands there, with all that is in it; nothing is no error."""
        kind = self.kind(parent, name)
        if not kind:
            return
        if kind == stat.S_IFDIR:
            inside = (*parent, name)
            self.set_mode(inside, 0o700)
            for child in self.names(inside):
                self.remove(inside, child)
        with self.folder(parent) as folder:
            if kind == stat.S_IFDIR:
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)
