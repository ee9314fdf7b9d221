"""Files that are kept in an image: policies and manifests, put there by `oras push` or `docker build`.

oras makes each file a layer, whose title is the file's name; a folder is a layer too, packed. Of an image
that was built, the layers are read as they lie upon each other. Nothing is written to this machine's disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import IO, Final, NamedTuple

from sekisho.diag import Deadline, Limit
from sekisho.oci import codes
from sekisho.oci.content import Descriptor, problem
from sekisho.oci.layers import bad_layer, entries, fetched, opened, parts_of
from sekisho.oci.source import BLOB, Source, image
from sekisho.oci.unpack import OPAQUE, WHITEOUT

TITLE: Final = "org.opencontainers.image.title"
PACKED: Final = "io.deis.oras.content.unpack"
"""The annotations of oras: the name of a file, and that it is a folder that was packed."""

ALL: Final = Limit("the files of a bundle", 256 * 1024 * 1024, "bytes", "they are held in memory")


class File(NamedTuple):
    """A file: its name within the image, and its bytes."""

    name: str
    content: bytes


async def files(source: Source, which: str, *, suffixes: Collection[str], deadline: Deadline) -> list[File]:
    """The files with these suffixes, by their names. Raises DiagnosticError (OCI002 to OCI011)."""
    _, manifest = await image(source, which, None, deadline=deadline)
    found = _Found(tuple(suffixes))
    for layer in manifest.layers:
        title = layer.annotations.get(TITLE, "")
        if title and layer.annotations.get(PACKED) != "true":
            if not found.wanted(title):
                continue
            body = await source.blob(layer, deadline=deadline)
            if body is None:
                raise problem(codes.NOT_FOUND, f"the layer {layer.digest} is not there")
            found.put(parts_of(title, layer), body)
        elif title or "tar" in layer.media_type:
            with await fetched(source, layer, deadline=deadline) as content:
                await asyncio.to_thread(found.unpack, layer, content)
    return [File("/".join(parts), body) for parts, body in sorted(found.rows.items())]


class _Found:
    """The files so far."""

    def __init__(self, suffixes: tuple[str, ...]) -> None:
        self.rows: dict[tuple[str, ...], bytes] = {}
        self._suffixes = suffixes
        self._bytes = 0

    def wanted(self, name: str) -> bool:
        """Whether a name has one of the suffixes, and is not hidden."""
        return name.endswith(self._suffixes) and not any(part.startswith(".") for part in name.split("/"))

    def put(self, parts: tuple[str, ...], body: bytes) -> None:
        """A file more."""
        self._bytes += len(body)
        if ALL.exceeded_by(self._bytes):
            raise problem(codes.TOO_LARGE, str(ALL))
        self.rows[parts] = body

    def unpack(self, layer: Descriptor, content: IO[bytes]) -> None:
        """The files of a layer that is an archive, and what it deletes of those below it."""
        lower = set(self.rows)
        with opened(layer, content, limit=ALL) as archive:
            for parts, member in entries(archive, layer):
                if not parts:
                    continue
                *above, name = parts
                if name == OPAQUE:
                    self._delete(tuple(above), lower)
                elif name.startswith(WHITEOUT):
                    self._delete((*above, name.removeprefix(WHITEOUT)), lower)
                elif member.isfile() and self.wanted("/".join(parts)):
                    if BLOB.exceeded_by(member.size):
                        raise problem(codes.TOO_LARGE, f"{member.name}: {BLOB}")
                    opened_file = archive.extractfile(member)
                    assert opened_file is not None, "a file has content"
                    body = opened_file.read()
                    if len(body) != member.size:
                        raise bad_layer(layer, f"{member.name!r} is cut off")
                    self.put(parts, body)
                    lower.discard(parts)

    def _delete(self, place: tuple[str, ...], lower: set[tuple[str, ...]]) -> None:
        for parts in [parts for parts in self.rows if parts[: len(place)] == place and parts in lower]:
            del self.rows[parts]
