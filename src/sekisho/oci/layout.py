"""OCI layouts: images in a folder or a tar archive, without a registry (image-spec, image-layout).

A layout is a ``Source``, and a folder takes content too: what is written is whole or not there, and the index
is replaced at once.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import orjson

from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.content import (
    INDEX,
    INDEXES,
    MANIFEST_SIZE,
    MANIFESTS,
    Check,
    Content,
    Descriptor,
    Index,
    digest_of,
    parse,
    problem,
    read_object,
)
from sekisho.oci.reference import is_digest
from sekisho.oci.source import BLOB, REFERRERS
from sekisho.oci.tarfiles import FileSet, Folder, read_all

MARK: Final = "oci-layout"
LIST: Final = "index.json"
VERSION: Final = "1.0.0"
TAG: Final = "org.opencontainers.image.ref.name"
"""The annotation that is a tag."""

_MARK_SIZE: Final = Limit("the mark of a layout", 4096, "bytes", "it is one line")


class Layout:
    """One layout: a ``Source``. Made by ``opened``, or by ``created`` for a folder."""

    def __init__(self, files: FileSet) -> None:
        self.files = files

    @classmethod
    def opened(cls, files: FileSet) -> Layout:
        """The layout of files. Raises DiagnosticError (OCI009)."""
        mark = read_all(files, MARK, _MARK_SIZE)
        if mark is None:
            raise _broken(files, f"{MARK} is missing")
        version = read_object(mark, f"{files.name}/{MARK}").get("imageLayoutVersion")
        if not isinstance(version, str) or not version.startswith("1."):
            raise _broken(files, f"its version is {version!r}, and 1.0.0 is read")
        return cls(files)

    @classmethod
    def created(cls, path: Path) -> WritableLayout:
        """The layout of a folder, made if it is not there. Raises DiagnosticError (OCI009)."""
        path.mkdir(parents=True, exist_ok=True)
        if not (path / MARK).exists():
            if any(path.iterdir()):
                raise _broken(Folder(path), "the folder has other files and no layout")
            _write(path / MARK, orjson.dumps({"imageLayoutVersion": VERSION}))
            _write(path / LIST, _index([]))
        return WritableLayout(path)

    def __str__(self) -> str:
        return self.files.name

    def listed(self) -> tuple[Descriptor, ...]:
        """What its index lists. Raises DiagnosticError (OCI006, OCI009)."""
        body = read_all(self.files, LIST, MANIFEST_SIZE)
        if body is None:
            raise _broken(self.files, f"{LIST} is missing")
        found = parse(Content.of(body, INDEX))
        assert isinstance(found, Index), "it was read as one"
        return found.manifests

    async def manifest(self, which: str, *, deadline: Deadline) -> Content | None:  # noqa: ARG002 - local
        """The manifest or index of a tag or a digest; of the empty text, the only one that is listed."""
        listed = self.listed()
        if is_digest(which):
            types = {row.digest: row.media_type for row in listed}
            return self._content(which, types.get(which, ""))
        rows = [row for row in listed if row.media_type in MANIFESTS | INDEXES]
        if which:
            rows = [row for row in rows if row.annotations.get(TAG) == which]
        digests = {row.digest: row for row in rows}
        if len(digests) > 1:
            many = f"{len(digests)} images" + (f" with the tag {which}" if which else "")
            raise _broken(self.files, f"it has {many}, so it must be said which")
        return self._content(rows[0].digest, rows[0].media_type) if rows else None

    async def blob(
        self,
        which: Descriptor,
        *,
        deadline: Deadline,  # noqa: ARG002 - nothing is waited for
        limit: Limit = BLOB,
    ) -> bytes | None:
        """A blob, whole; see ``Source``."""
        body = read_all(self.files, _place(which.digest), limit)
        if body is not None:
            state = Check(which.digest, which.size)
            state.add(body)
            state.done()
        return body

    @asynccontextmanager
    async def open(
        self,
        which: Descriptor,
        *,
        deadline: Deadline,  # noqa: ARG002 - nothing is waited for
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A blob in pieces; see ``Source``."""
        if self.files.size(_place(which.digest)) is None:
            raise problem(codes.NOT_FOUND, f"{self} has no {which.digest}")
        yield in_pieces(self.files.pieces(_place(which.digest)), Check(which.digest, which.size))

    async def referrers(
        self,
        digest: str,
        *,
        deadline: Deadline,  # noqa: ARG002 - nothing is waited for
        artifact_type: str = "",
    ) -> tuple[Descriptor, ...]:
        """What is listed and refers to a manifest, in the index or in one with the tag of the tag schema."""
        found: dict[str, Descriptor] = {}
        listed = self.listed()
        if REFERRERS.exceeded_by(len(listed)):
            raise problem(codes.TOO_LARGE, f"{self}: {REFERRERS}")
        for row in listed:
            content = self._content(row.digest, row.media_type)
            value = parse(content) if content is not None else None
            if content is None or value is None:
                continue
            if isinstance(value, Index) and row.annotations.get(TAG) == digest.replace(":", "-"):
                found |= {one.digest: one for one in value.manifests}
            if value.subject is not None and value.subject.digest == digest:
                kind = value.artifact_type if isinstance(value, Index) else value.type
                found[row.digest] = Descriptor(
                    media_type=value.media_type,
                    digest=content.digest,
                    size=len(content.body),
                    artifact_type=kind,
                    annotations=value.annotations,
                )
        return tuple(
            row for row in found.values() if not artifact_type or row.artifact_type in ("", artifact_type)
        )

    async def tags(self, *, deadline: Deadline) -> tuple[str, ...]:  # noqa: ARG002 - local
        """The tags, in the index's order."""
        return tuple(row.annotations[TAG] for row in self.listed() if TAG in row.annotations)

    def _content(self, digest: str, media_type: str) -> Content | None:
        body = read_all(self.files, _place(digest), MANIFEST_SIZE)
        return None if body is None else Content.of(body, media_type, asked=digest)


class WritableLayout(Layout):
    """A layout in a folder that content is put into."""

    def __init__(self, path: Path) -> None:
        super().__init__(Folder(path))
        self._path = path

    async def put_blob(self, body: bytes, media_type: str, *, deadline: Deadline) -> Descriptor:  # noqa: ARG002
        """Put a blob."""
        found = Descriptor(media_type=media_type, digest=digest_of(body), size=len(body))
        place = self._path / _place(found.digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            _write(place, body)
        return found

    async def put_manifest(
        self, body: bytes, media_type: str, *, deadline: Deadline, tag: str = ""
    ) -> Content:
        """Put a manifest or an index, and list it, with a tag or without. Raises DiagnosticError (OCI006)."""
        content = Content.of(body, media_type)
        parse(content)
        await self.put_blob(body, media_type, deadline=deadline)
        _write(self._path / LIST, _index(_listed(self.listed(), content.descriptor, tag)))
        return content


async def in_pieces(pieces: Iterator[bytes], state: Check) -> AsyncIterator[bytes]:
    """Pieces that are read in a thread, checked."""
    while True:
        piece = await asyncio.to_thread(next, pieces, None)
        if piece is None:
            state.done()
            return
        state.add(piece)
        yield piece


def _listed(rows: tuple[Descriptor, ...], new: Descriptor, tag: str) -> list[dict[str, Any]]:
    """The list with a manifest more, or with its tag moved; what had the tag stays, without it."""
    found: list[dict[str, Any]] = []
    for row in rows:
        tagged = row.annotations.get(TAG)
        same = row.digest == new.digest
        if same and tagged is None and tag:
            continue
        kept = row.raw()
        if tag and tagged == tag:
            if same:
                continue
            kept["annotations"] = {key: text for key, text in row.annotations.items() if key != TAG}
        found.append(kept)
    if tag or new.digest not in {row["digest"] for row in found}:
        found.append({**new.raw(), **({"annotations": {TAG: tag}} if tag else {})})
    return found


def _index(rows: list[dict[str, Any]]) -> bytes:
    value: Mapping[str, Any] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": rows}
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def _place(digest: str) -> str:
    algorithm, _, hexes = digest.partition(":")
    return f"blobs/{algorithm}/{hexes}"


def _write(path: Path, body: bytes) -> None:
    """Write a file, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _broken(files: FileSet, why: str) -> DiagnosticError:
    return problem(codes.BAD_LAYOUT, f"{files.name} is no image layout: {why}")
