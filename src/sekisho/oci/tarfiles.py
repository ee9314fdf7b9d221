"""Files of a folder or of a tar archive, by their names: the two places where layouts are.

Nothing is unpacked: of an archive only the places of its files are kept. Names that lead out, files that are
none, and names that come twice (of which two readers could read different ones) are refused.
"""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from sekisho.diag import DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.content import problem

MEMBERS: Final = Limit("files of an image archive", 100_000, "files", "an image has some hundreds")
LINKS: Final = 8
"""Links that are followed from one to the next, within an archive."""

CHUNK: Final = 1024 * 1024


class FileSet(Protocol):
    """Files by their names. ``read`` gives None for what is not there."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def size(self, name: str) -> int | None:
        """How large a file is, None if it is not there. Raises DiagnosticError (OCI009)."""
        ...

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a file that is there. Raises DiagnosticError (OCI009)."""
        ...


def read_all(files: FileSet, name: str, limit: Limit) -> bytes | None:
    """A file, whole; None if it is not there. Raises DiagnosticError (OCI007, OCI009)."""
    size = files.size(name)
    if size is None:
        return None
    if limit.exceeded_by(size):
        raise problem(codes.TOO_LARGE, f"{files.name}: {name}: {limit}")
    return b"".join(files.pieces(name))


class Folder:
    """The files of a folder. Links are not followed, and only regular files are read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def size(self, name: str) -> int | None:
        """See ``FileSet``."""
        with self._open(name) as file:
            return None if file is None else os.fstat(file.fileno()).st_size

    def pieces(self, name: str) -> Iterator[bytes]:
        """See ``FileSet``."""
        with self._open(name) as file:
            while file is not None and (piece := file.read(CHUNK)):
                yield piece

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO | None]:
        try:
            # Without O_NONBLOCK a pipe in the place of a file would hold us for ever.
            file = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            yield None
            return
        except OSError as error:
            raise _broken(self.name, f"{name} cannot be read: {error.strerror}") from None
        with os.fdopen(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise _broken(self.name, f"{name} is no file")
            yield opened


class Archive:
    """The files of a tar archive, which must not be compressed as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        self._list()

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def size(self, name: str) -> int | None:
        """See ``FileSet``."""
        found = self._place(name)
        return None if found is None else found[1]

    def pieces(self, name: str) -> Iterator[bytes]:
        """See ``FileSet``."""
        place = self._place(name)
        assert place is not None, "its size was asked for"
        begin, left = place
        with self.path.open("rb") as file:
            file.seek(begin)
            while left:
                piece = file.read(min(CHUNK, left))
                if not piece:
                    raise _broken(self.name, f"{name} is cut off")
                left -= len(piece)
                yield piece

    def _place(self, name: str) -> tuple[int, int] | None:
        for _ in range(LINKS):
            if name not in self._links:
                break
            name = self._links[name]
        return self._places.get(name)

    def _list(self) -> None:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise _broken(self.name, "it is no file")
            with tarfile.open(self.path, "r:") as archive:
                for count, member in enumerate(archive, 1):
                    if MEMBERS.exceeded_by(count):
                        raise problem(codes.TOO_LARGE, f"{self.name}: {MEMBERS}")
                    self._add(member)
        except OSError as error:
            raise _broken(self.name, f"it cannot be read: {error.strerror or 'it is cut off'}") from None
        except (tarfile.TarError, ValueError, EOFError):
            help = "an archive that is compressed as a whole must be unpacked first (gunzip)"
            raise _broken(self.name, "it is no tar archive", help) from None

    def _add(self, member: tarfile.TarInfo) -> None:
        if member.isdir():
            return
        name = posixpath.normpath(member.name)
        if name.startswith(("/", "../")) or name in ("..", "."):
            raise _broken(self.name, f"{member.name!r} leads out of it")
        if name in self._places or name in self._links:
            raise _broken(self.name, f"{name} is there twice")
        if member.issym():
            self._links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        elif member.isfile() and not member.issparse():
            self._places[name] = (member.offset_data, member.size)
        else:
            raise _broken(self.name, f"{name} is no file")


def _broken(name: str, why: str, help: str = "") -> DiagnosticError:
    return problem(codes.BAD_LAYOUT, f"{name} is no image layout: {why}", help)
