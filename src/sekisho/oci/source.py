"""Where content is: a registry, a folder, an archive. What all of them answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from sekisho.diag import Deadline, Limit
from sekisho.oci import codes
from sekisho.oci.content import Content, Descriptor, Index, Manifest, Platform, parse, problem

BLOB: Final = Limit("a blob", 16 * 1024 * 1024, "bytes", "it is held in memory whole; layers are streamed")

NESTED: Final = Limit("indexes within indexes", 3, "levels", "an index for platforms has one")

REFERRERS: Final = Limit("referrers of an image", 1_000, "entries", "each may be a signature to verify")

TAGS: Final = Limit("tags of a repository", 100_000, "tags", "they are held in memory")


class Source(Protocol):
    """One repository. None is "there is none", an answer; what could not be asked raises DiagnosticError."""

    async def manifest(self, which: str, *, deadline: Deadline) -> Content | None:
        """The manifest or index of a tag or a digest. The digest of what comes is computed anew."""
        ...

    async def blob(self, which: Descriptor, *, deadline: Deadline, limit: Limit = BLOB) -> bytes | None:
        """A blob, whole; its digest and size are checked."""
        ...

    def open(
        self, which: Descriptor, *, deadline: Deadline
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A blob in pieces, whose digest and size are checked at the end: who reads to it has what was asked.

        Raises DiagnosticError (OCI002) where there is none.
        """
        ...

    async def referrers(
        self, digest: str, *, deadline: Deadline, artifact_type: str = ""
    ) -> tuple[Descriptor, ...]:
        """What refers to a manifest: signatures, attestations. Empty if nothing does."""
        ...

    async def tags(self, *, deadline: Deadline) -> tuple[str, ...]:
        """The tags, in the source's order."""
        ...


async def image(
    source: Source, which: str, platform: Platform | None, *, deadline: Deadline
) -> tuple[Content, Manifest]:
    """The image of a tag or digest: where that is an index, the one for a platform.

    Raises DiagnosticError: OCI002 if there is none, OCI011 if none is for the platform.
    """
    for _ in range(NESTED.value + 1):
        content = await source.manifest(which, deadline=deadline)
        if content is None:
            raise problem(codes.NOT_FOUND, f"{source} has no {which}")
        found = parse(content)
        if isinstance(found, Manifest):
            return content, found
        which = _chosen(found, platform).digest
    raise problem(codes.TOO_LARGE, str(NESTED))


def _chosen(index: Index, platform: Platform | None) -> Descriptor:
    if platform is not None:
        return index.choose(platform)
    if len(index.manifests) == 1:
        return index.manifests[0]
    raise problem(codes.NO_PLATFORM, "there are images for several platforms, and none was asked for")
