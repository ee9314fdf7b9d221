"""Layers: from a source to the entries of a tar archive, checked before anything looks at them.

1. The bytes come to a file of ours; their digest and size are those of the manifest, or nothing goes on.
2. They are unpacked to a second file, up to a limit; what comes out has the digest that the image's
   configuration names (``diff_ids``), where there is one.
3. The archive is read from there. Its headers are bounded, since tarfile holds them in memory.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import IO, Any, Final, NamedTuple, cast

from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.content import Descriptor, problem
from sekisho.oci.source import Source

UNPACKED: Final = Limit("an unpacked layer", 16 * 1024**3, "bytes", "it goes to this machine's disk")
ENTRIES: Final = Limit("entries of a layer", 1_000_000, "entries", "a whole distribution has some 100,000")
HEADER: Final = Limit("a header of an archive", 1024 * 1024, "bytes", "it is a name and some attributes")

CHUNK: Final = 1024 * 1024
IN_MEMORY: Final = 8 * 1024 * 1024
"""Bytes of a layer that are held in memory; larger ones go to a file."""

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"

FOREIGN: Final = frozenset({"foreign", "nondistributable"})
"""Parts of media types of layers that registries do not hold."""


@contextmanager
def opened(
    layer: Descriptor, compressed: IO[bytes], *, diff_id: str = "", limit: Limit = UNPACKED
) -> Iterator[tarfile.TarFile]:
    """The archive of a layer that was fetched. Raises DiagnosticError (OCI005, OCI007, OCI010)."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as plain:
        _unpack(layer, compressed, plain, diff_id, limit)
        plain.seek(0)
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", _Bounded(plain, layer)), mode="r:") as archive:
                yield archive
        except (tarfile.TarError, RecursionError, EOFError, ValueError) as error:
            raise bad_layer(layer, f"it is no tar archive: {error}") from None


async def fetched(source: Source, layer: Descriptor, *, deadline: Deadline) -> IO[bytes]:
    """The bytes of a layer, whose digest and size are right, in a file that goes away when it is closed."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - whoever asks closes it
    try:
        async with source.open(layer, deadline=deadline) as pieces:
            async for piece in pieces:
                file.write(piece)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def entries(archive: tarfile.TarFile, layer: Descriptor) -> Iterator[tuple[tuple[str, ...], tarfile.TarInfo]]:
    """The entries with the parts of their names. Raises DiagnosticError (OCI007, OCI010)."""
    for count, member in enumerate(archive, 1):
        if ENTRIES.exceeded_by(count):
            raise problem(codes.TOO_LARGE, f"the layer {layer.digest}: {ENTRIES}")
        yield parts_of(member.name, layer), member


def parts_of(name: str, layer: Descriptor) -> tuple[str, ...]:
    """The parts of a name, from the root on. Raises DiagnosticError (OCI010) where it leads out."""
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts or "\0" in name:
        raise bad_layer(layer, f"{name!r} leads out of the root folder")
    return parts


class _Bounded:
    """A file of which nobody reads much at once: tarfile reads headers whole, however large they are."""

    def __init__(self, file: IO[bytes], layer: Descriptor) -> None:
        self._file = file
        self._layer = layer

    def read(self, size: int = -1) -> bytes:
        if size < 0 or HEADER.exceeded_by(size):
            raise problem(codes.TOO_LARGE, f"the layer {self._layer.digest}: {HEADER}")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _unpack(layer: Descriptor, compressed: IO[bytes], plain: IO[bytes], diff_id: str, limit: Limit) -> None:
    begin = compressed.read(4)
    compressed.seek(0)
    form = _form(begin, layer)
    state = hashlib.sha256()
    size = 0
    try:
        with form.open(compressed) as reader:
            while piece := reader.read(CHUNK):
                size += len(piece)
                if limit.exceeded_by(size):
                    raise problem(codes.TOO_LARGE, f"the layer {layer.digest}: {limit}")
                state.update(piece)
                plain.write(piece)
    except form.errors as error:
        raise bad_layer(layer, f"its compression is broken: {error}") from None
    came = f"sha256:{state.hexdigest()}"
    if diff_id.startswith("sha256:") and diff_id != came:
        message = f"the layer {layer.digest} is {came} unpacked, where {diff_id} was announced"
        raise problem(codes.NOT_THE_CONTENT, message)


class _Form(NamedTuple):
    """How bytes are unpacked, and what that raises for broken ones."""

    open: Callable[[IO[bytes]], Any]
    errors: tuple[type[Exception], ...]


_PLAIN: Final = _Form(nullcontext, ())
_GZIP: Final = _Form(
    lambda file: gzip.GzipFile(fileobj=file, mode="rb"), (zlib.error, EOFError, gzip.BadGzipFile)
)
_ZSTD: Final[Mapping[str, Callable[[Any, IO[bytes]], Any]]] = {
    "compression.zstd": lambda module, file: module.ZstdFile(file),
    "zstandard": lambda module, file: module.ZstdDecompressor().stream_reader(file, read_across_frames=True),
}
"""Zstandard by the standard library (Python 3.14), or by a package if it is there."""


def _form(begin: bytes, layer: Descriptor) -> _Form:
    """The form of bytes that begin so: what they are counts, and not what they are called."""
    if begin.startswith(GZIP):
        return _GZIP
    return _zstd(layer) if begin == ZSTD else _PLAIN


def _zstd(layer: Descriptor) -> _Form:
    for name, opening in _ZSTD.items():
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return _Form(partial(opening, module), (module.ZstdError, EOFError))
    why = "it is compressed by zstd, which this Python does not read"
    raise bad_layer(layer, why, "use Python 3.14 or newer, or install the package zstandard")


def bad_layer(layer: Descriptor, why: str, help: str = "") -> DiagnosticError:
    """A layer that cannot be used."""
    return problem(codes.BAD_LAYER, f"the layer {layer.digest} cannot be unpacked: {why}", help)
