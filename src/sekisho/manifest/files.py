"""From paths to texts: files, directories, standard input."""

# ruff: noqa: PTH112, PTH116, PTH118
# Thousands of files are walked here, and opened by descriptor; path objects would cost more than the reading.

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from typing import IO, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Source
from sekisho.manifest import codes
from sekisho.manifest.limits import ALL_FILES, FILE_SIZE
from sekisho.manifest.read import Read, parse
from sekisho.manifest.text import decode

SUFFIXES: Final = (".yaml", ".yml", ".json")
STDIN: Final = "<stdin>"

_STREAM: Final = re.compile(r"/dev/(?:stdin|fd/[0-9]+)")
"""Paths that shells make for ``<(command)``: these may be pipes."""

_BLOCK: Final = 1024 * 1024


def read_source(path: str) -> Source:
    """The text of one file; raises DiagnosticError (SRC002-SRC004, SRC020-SRC022)."""
    return decode(_shown(path), _Files().content(path))


def read_paths(paths: Sequence[str], *, stdin: IO[bytes]) -> Iterator[Read]:
    """Read files, directories (recursively, in order of names) and ``-``, one after the other.

    A file named by itself may have any suffix; in directories those of ``SUFFIXES`` count, hidden files and
    folders do not. What is named twice, or reached twice through links, is read once. Nothing that is wrong
    with one path ends the others.
    """
    files = _Files()
    for path in paths:
        if path == "-":
            yield files.read_stream(stdin)
        elif os.path.isdir(path):
            yield from files.read_folder(path)
        else:
            yield from files.read(path)


class _Files:
    """What was read so far: which files and folders, and how many bytes."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()
        self._bytes = 0

    def read_folder(self, folder: str) -> Iterator[Read]:
        """The manifests in a folder, unless it was read before."""
        empty = True
        for file in self._walk(folder):
            empty = False
            if file is not None:
                yield from self.read(file) if isinstance(file, str) else (file,)
        if empty:
            suffixes = ", ".join(SUFFIXES)
            yield _failed(folder, _error(codes.NOTHING, f"{_shown(folder)} holds no manifests ({suffixes})"))

    def _walk(self, folder: str) -> Iterator[str | Read | None]:
        """The files below a folder, or why a folder in it cannot be read, or None for one that was read."""
        try:
            if self._is_seen(os.stat(folder)):
                yield None
                return
            with os.scandir(folder) as entries:
                names = sorted((entry.name, _is_folder(entry)) for entry in entries)
        except OSError as error:
            yield _failed(folder, _os_error(folder, error))
            return
        for name, is_folder in names:
            path = os.path.join(folder, name)
            if name.startswith("."):
                continue
            if is_folder:
                yield from self._walk(path)
            elif name.endswith(SUFFIXES):
                yield path

    def read(self, path: str) -> Iterator[Read]:
        """One file, unless it was read before."""
        try:
            yield parse(decode(_shown(path), self.content(path)))
        except DiagnosticError as error:
            yield _failed(path, error)
        except _SeenError:
            return

    def read_stream(self, stdin: IO[bytes]) -> Read:
        """Standard input."""
        try:
            return parse(decode(STDIN, self._all(stdin, _BLOCK)))
        except DiagnosticError as error:
            return _failed(STDIN, error)
        except OSError as error:
            return _failed(STDIN, _os_error(STDIN, error))

    def content(self, path: str) -> bytes:
        """The bytes of a regular file; raises DiagnosticError, _SeenError."""
        try:
            # Without O_NONBLOCK, opening a FIFO would wait for whoever writes to it.
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _os_error(path, error) from error
        except ValueError as error:  # a NUL in the path
            raise _error(codes.NOT_FOUND, f"there is no file or directory {_shown(path)}") from error
        try:
            with open(fd, "rb", buffering=0, closefd=False) as file:
                return self._opened(path, file)
        except IsADirectoryError as error:
            raise _error(codes.NOT_A_FILE, f"{_shown(path)} is a directory") from error
        except OSError as error:
            raise _os_error(path, error) from error
        finally:
            os.close(fd)

    def _opened(self, path: str, file: IO[bytes]) -> bytes:
        info = os.fstat(file.fileno())
        if stat.S_ISREG(info.st_mode):
            if self._is_seen(info):
                raise _SeenError
            return self._all(file, info.st_size + 1)
        if not _STREAM.fullmatch(path):
            raise _error(codes.NOT_A_FILE, f"{_shown(path)} is no regular file")
        os.set_blocking(file.fileno(), True)
        return self._all(file, _BLOCK)

    def _all(self, file: IO[bytes], block: int) -> bytes:
        """Everything that a file gives, but hardly more than the limit; raises DiagnosticError, OSError."""
        parts = []
        left = FILE_SIZE.value + 1
        while left > 0 and (part := file.read(min(block, left))):
            parts.append(part)
            left -= len(part)
            self._bytes += len(part)
            if ALL_FILES.exceeded_by(self._bytes):
                raise _error(codes.TOO_LARGE, f"the files are too large: {ALL_FILES}")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _is_seen(self, info: os.stat_result) -> bool:
        identity = (info.st_dev, info.st_ino)
        if identity in self._seen:
            return True
        self._seen.add(identity)
        return False


class _SeenError(Exception):
    """The file was read before."""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _failed(path: str, error: DiagnosticError) -> Read:
    return Read(source=Source(_shown(path), ""), problems=list(error.diagnostics))


def _shown(path: str) -> str:
    """A path as it can be printed: a name may hold any byte but a slash."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _os_error(path: str, error: OSError) -> DiagnosticError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return _error(codes.NOT_FOUND, f"there is no file or directory {_shown(path)}")
    if error.errno in (errno.ENXIO, errno.ENODEV):  # a socket, a device without a driver
        return _error(codes.NOT_A_FILE, f"{_shown(path)} is no regular file")
    return _error(codes.UNREADABLE, f"{_shown(path)} cannot be read: {error.strerror or error}")


def _error(code: Code, message: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=code, message=message))
