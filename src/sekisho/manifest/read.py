"""From bytes and paths to documents."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Level, Source, Span
from sekisho.manifest import codes
from sekisho.manifest.document import Chunk, Document
from sekisho.manifest.jsontext import parse_json
from sekisho.manifest.limits import FILE_SIZE

SUFFIXES: Final = (".yaml", ".yml", ".json")
STDIN: Final = "<stdin>"

_SEPARATOR: Final = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_DIRECTIVES: Final = re.compile(r"(?:[ \t]*(?:%[^\n]*|#[^\n]*)?(?:\n|\Z))*\Z")


@dataclass(slots=True, kw_only=True)
class Read:
    """One source, its documents, and what is wrong with it. A broken document hides no other."""

    source: Source
    documents: list[Document] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    lists: bool = True


def load(source: Source, *, lists: bool = True) -> list[Document]:
    """The documents of a text; raises DiagnosticError (SRC001-SRC010) if one cannot be read."""
    read = parse(source, lists=lists)
    errors = [problem for problem in read.problems if problem.level is Level.ERROR]
    if errors:
        raise DiagnosticError(errors)
    return read.documents


def parse(source: Source, *, lists: bool = True) -> Read:
    """The documents of a text and everything that is wrong with it.

    ``lists`` makes each item of a ``kind: List`` a document; without it a List is a document as it is.
    """
    read = Read(source=source, lists=lists)
    text = source.text
    if text.lstrip(" \t\r\n")[:1] in ("{", "["):
        found = parse_json(source)
        if found is not None:
            values, read.problems = found
            chunk = Chunk(source=source, start=0, end=len(text), json=True)
            for at, value in values:
                _add(read, chunk, at, value)
            return read
    for start, end in _chunks(text):
        _parse_chunk(read, Chunk(source=source, start=start, end=end))
    return read


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """The stretches between ``---`` lines; directives stay with the document that they are for."""
    start = 0
    for found in _SEPARATOR.finditer(text):
        if _DIRECTIVES.match(text, start, found.start()):
            continue
        yield start, found.start()
        start = found.start()
    if start < len(text):
        yield start, len(text)


def _parse_chunk(read: Read, chunk: Chunk) -> None:
    import yaml

    from sekisho.manifest.build import Builder, BuildError
    from sekisho.manifest.syntax import build_problem, remark_problem, yaml_problem

    text = chunk.source.text[chunk.start : chunk.end]
    try:
        builder = Builder(text)
        values = builder.documents()
    except BuildError as error:
        read.problems.append(build_problem(chunk, error))
        return
    except yaml.YAMLError as error:
        read.problems.append(yaml_problem(chunk, error))
        return
    read.problems += [remark_problem(chunk, remark) for remark in builder.remarks]
    for index, value in enumerate(values):
        _add(read, chunk, index, value)


def _add(read: Read, chunk: Chunk, index: int, value: Any) -> None:
    """Add a document; the items of a List, at any depth, are documents of their own."""
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while stack:
        value, prefix = stack.pop()
        if (
            read.lists
            and isinstance(value, dict)
            and isinstance(kind := value.get("kind"), str)
            and kind.endswith("List")
            and isinstance(items := value.get("items"), list)
        ):
            rows = [(item, (*prefix, "items", at)) for at, item in enumerate(items)]
            stack.extend(reversed(rows))
        else:
            read.documents.append(Document(value=value, chunk=chunk, index=index, prefix=prefix))


def decode(name: str, data: bytes) -> Source:
    """The text of a file; raises DiagnosticError (SRC002-SRC004) if it is none."""
    if FILE_SIZE.exceeded_by(len(data)):
        raise _error(codes.TOO_LARGE, f"{len(data):,} bytes; {FILE_SIZE}", Source(name, ""))
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return Source(name, data.decode("utf-16"))
        if b"\0" in data:
            at = data.index(b"\0")
            raise _error(codes.BINARY, f"the file is binary: byte {at} is NUL", Source(name, ""))
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        source = Source(name, data[: error.start].decode("utf-8", "replace"))
        message = f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8"
        help = "save the file as UTF-8"
        raise _error(codes.ENCODING, message, source, len(source.text), help) from None
    return Source(name, text.removeprefix("\ufeff"))


def read_source(path: str) -> Source:
    """The text of one file; raises DiagnosticError (SRC002-SRC004, SRC020-SRC022)."""
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            raise _error(codes.NOT_A_FILE, f"{path} is not a regular file", None)
        return decode(path, Path(path).read_bytes())
    except OSError as error:
        raise _os_error(path, error) from error


def read_paths(paths: Sequence[str], *, stdin: IO[bytes]) -> Iterator[Read]:
    """Read files, directories (recursively, in order of names) and ``-``, one after the other.

    A file named by itself may have any suffix; in directories those of ``SUFFIXES`` count, hidden files and
    folders do not. A file that is named twice is read once.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if path == "-":
            yield _read(STDIN, stdin.read)
        else:
            yield from _read_path(path, seen)


def _read_path(path: str, seen: set[tuple[int, int]]) -> Iterator[Read]:
    try:
        found = Path(path).stat()
    except OSError as error:
        yield _failed(path, _os_error(path, error))
        return
    if stat.S_ISDIR(found.st_mode):
        files = list(_walk(path, set()))
        if not files:
            message = f"{path} holds no manifests ({', '.join(SUFFIXES)})"
            yield _failed(path, _error(codes.NOTHING, message, None))
        for file in files:
            yield from _read_file(file, seen)
    else:
        yield from _read_file(path, seen)


def _read_file(path: str, seen: set[tuple[int, int]]) -> Iterator[Read]:
    try:
        found = Path(path).stat()
        identity = (found.st_dev, found.st_ino)
        if identity in seen:
            return
        seen.add(identity)
        if not stat.S_ISREG(found.st_mode):
            yield _failed(path, _error(codes.NOT_A_FILE, f"{path} is not a regular file", None))
            return
    except OSError as error:
        yield _failed(path, _os_error(path, error))
        return
    yield _read(path, Path(path).read_bytes)


def _walk(folder: str, above: set[tuple[int, int]]) -> Iterator[str]:
    """The manifests below a folder. A folder that is inside itself, by a link, is not entered again."""
    found = Path(folder).stat()
    identity = (found.st_dev, found.st_ino)
    if identity in above:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # reading it as a file tells why
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            yield from _walk(entry.path, above | {identity})
        elif entry.name.endswith(SUFFIXES):
            yield entry.path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _read(name: str, data: Any) -> Read:
    try:
        return parse(decode(name, data()))
    except DiagnosticError as error:
        return _failed(name, error)
    except OSError as error:
        return _failed(name, _os_error(name, error))


def _failed(name: str, error: DiagnosticError) -> Read:
    return Read(source=Source(name, ""), problems=list(error.diagnostics))


def _os_error(path: str, error: OSError) -> DiagnosticError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return _error(codes.NOT_FOUND, f"there is no file or directory {path}", None)
    return _error(codes.UNREADABLE, f"{path} cannot be read: {error.strerror or error}", None)


def _error(
    code: Code, message: str, source: Source | None, offset: int = 0, help: str = ""
) -> DiagnosticError:
    at = Span(source, offset, offset) if source is not None else None
    return DiagnosticError(Diagnostic(code=code, message=message, at=at, help=help))
