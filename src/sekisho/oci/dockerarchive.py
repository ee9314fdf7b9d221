"""What ``docker save`` writes: one or more images in a tar archive, as a ``Source``.

Its form (``manifest.json`` with Config, RepoTags and Layers) has no manifest and no digests, so a manifest is
made of the files' digests. Its digest is this archive's own, and not that of the image in a registry.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson

from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.content import (
    DOCKER_MANIFEST,
    MANIFEST_SIZE,
    Check,
    Content,
    Descriptor,
    problem,
)
from sekisho.oci.layout import in_pieces
from sekisho.oci.reference import is_digest, parse_reference
from sekisho.oci.source import BLOB
from sekisho.oci.tarfiles import FileSet, read_all

LIST: Final = "manifest.json"
CONFIG: Final = "application/vnd.docker.container.image.v1+json"
LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"


class DockerArchive:
    """The archive: a ``Source``. Raises DiagnosticError (OCI009) for what is none."""

    def __init__(self, files: FileSet) -> None:
        self.files = files
        self._images: list[tuple[tuple[str, ...], Content]] = []
        self._blobs: dict[str, str] = {}
        body = read_all(files, LIST, MANIFEST_SIZE)
        if body is None:
            raise self._broken(f"{LIST} is missing")
        try:
            rows = orjson.loads(body)
        except orjson.JSONDecodeError:
            rows = None
        if not isinstance(rows, list):
            raise self._broken(f"{LIST} is no list")
        for row in rows:
            self._images.append(self._image(row))

    def __str__(self) -> str:
        return self.files.name

    def _image(self, row: Any) -> tuple[tuple[str, ...], Content]:
        config = row.get("Config") if isinstance(row, dict) else None
        layers = row.get("Layers") if isinstance(row, dict) else None
        tags = (row.get("RepoTags") if isinstance(row, dict) else None) or []
        names = [config, *layers] if isinstance(layers, list) else [None]
        if not isinstance(tags, list) or not all(isinstance(name, str) for name in (*names, *tags)):
            raise self._broken(f"an entry of {LIST} is malformed")
        first, *others = (self._descriptor(str(name), LAYER) for name in names)
        value = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": {**first.raw(), "mediaType": CONFIG},
            "layers": [one.raw() for one in others],
        }
        known = tuple(str(parse_reference(str(tag))) for tag in tags)
        return known, Content.of(orjson.dumps(value), DOCKER_MANIFEST)

    def _descriptor(self, name: str, media_type: str) -> Descriptor:
        size = self.files.size(name)
        if size is None:
            raise self._broken(f"{name} is missing")
        state = hashlib.sha256()
        for piece in self.files.pieces(name):
            state.update(piece)
        digest = f"sha256:{state.hexdigest()}"
        self._blobs[digest] = name
        return Descriptor(media_type=media_type, digest=digest, size=size)

    async def manifest(self, which: str, *, deadline: Deadline) -> Content | None:  # noqa: ARG002 - local
        """The manifest of a name with a tag, of a digest; of the empty text, the only image."""
        if not which and len(self._images) > 1:
            raise self._broken(f"it has {len(self._images)} images, so it must be said which")
        if ":" in which and not is_digest(which):
            which = str(parse_reference(which))
        for tags, content in self._images:
            if which in ("", content.digest) or any(which in (tag, tag.rpartition(":")[2]) for tag in tags):
                return content
        return None

    async def blob(
        self,
        which: Descriptor,
        *,
        deadline: Deadline,  # noqa: ARG002 - nothing is waited for
        limit: Limit = BLOB,
    ) -> bytes | None:
        """A blob, whole; see ``Source``."""
        name = self._blobs.get(which.digest)
        return None if name is None else read_all(self.files, name, limit)

    @asynccontextmanager
    async def open(
        self,
        which: Descriptor,
        *,
        deadline: Deadline,  # noqa: ARG002 - nothing is waited for
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A blob in pieces; see ``Source``."""
        name = self._blobs.get(which.digest)
        if name is None:
            raise problem(codes.NOT_FOUND, f"{self} has no {which.digest}")
        yield in_pieces(self.files.pieces(name), Check(which.digest, which.size))

    async def referrers(
        self,
        digest: str,  # noqa: ARG002 - there are none
        *,
        deadline: Deadline,  # noqa: ARG002 - nothing is waited for
        artifact_type: str = "",  # noqa: ARG002 - there are none
    ) -> tuple[Descriptor, ...]:
        """None: this form has no place for them."""
        return ()

    async def tags(self, *, deadline: Deadline) -> tuple[str, ...]:  # noqa: ARG002 - local
        """The names with tags."""
        return tuple(tag for tags, _ in self._images for tag in tags)

    def _broken(self, why: str) -> DiagnosticError:
        return problem(codes.BAD_LAYOUT, f"{self.files.name} is no image archive: {why}")
