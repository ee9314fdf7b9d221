"""Registries: the pull side of the distribution specification.

"There is none" is an answer; everything else that is no answer is a DiagnosticError of ``asking``. Digests
are computed anew from what came, whatever the registry calls it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self
from urllib.parse import quote, urlencode, urljoin

import orjson

from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.asking import Ask, Registries, Reply, not_asked, within
from sekisho.oci.content import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    INDEX,
    MANIFEST,
    Check,
    Content,
    Descriptor,
    Index,
    parse,
    problem,
)
from sekisho.oci.reference import Reference, is_digest
from sekisho.oci.source import BLOB, REFERRERS, TAGS
from sekisho.web import shown
from sekisho.web.asyncclient import Stream
from sekisho.web.exchange import origin

ACCEPT: Final = f"{INDEX}, {DOCKER_INDEX}, {MANIFEST}, {DOCKER_MANIFEST}"

PAGES: Final = Limit("pages of a list", 100, "pages", "a list that goes on and on is no list")
_NEXT: Final = re.compile(r'<([^<>]*)>\s*;[^,]*\brel\s*=\s*"?next"?', re.IGNORECASE)
_NO_API: Final = frozenset({400, 404, 405, 501})
"""How registries without a referrers API say so; the specification knows 404 only."""


class Repository:
    """One repository of a registry: a ``Source``."""

    def __init__(self, registries: Registries, registry: str, name: str) -> None:
        self.registries = registries
        self.registry = registry
        self.name = name

    @classmethod
    def of(cls, registries: Registries, reference: Reference) -> Self:
        """The repository of a reference."""
        return cls(registries, reference.registry, reference.repository)

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"

    async def manifest(self, which: str, *, deadline: Deadline) -> Content | None:
        """The manifest or index of a tag or a digest; see ``Source``."""
        asked = which if is_digest(which) else ""
        path = f"{self.name}/manifests/{quote(which, safe=':')}"
        reply = await self.ask(Ask(path=path, headers={"Accept": ACCEPT}), deadline=deadline)
        if reply.status == 404:
            return None
        media_type = reply.header("content-type").partition(";")[0].strip().lower()
        content = Content.of(reply.body, media_type, asked=asked)
        claimed = reply.header("docker-content-digest")
        if not asked and is_digest(claimed) and claimed.startswith("sha256:") and claimed != content.digest:
            message = f"{self}:{which} came as {claimed}, and is {content.digest}"
            raise problem(codes.NOT_THE_CONTENT, message)
        return content

    async def blob(self, which: Descriptor, *, deadline: Deadline, limit: Limit = BLOB) -> bytes | None:
        """A blob, whole; see ``Source``."""
        if limit.exceeded_by(which.size):
            raise problem(codes.TOO_LARGE, f"{self}@{which.digest} is refused: {limit}")
        try:
            async with self.open(which, deadline=deadline) as pieces:
                return b"".join([piece async for piece in pieces])
        except DiagnosticError as error:
            if error.diagnostics[0].code is codes.NOT_FOUND:
                return None
            raise

    @asynccontextmanager
    async def open(self, which: Descriptor, *, deadline: Deadline) -> AsyncIterator[AsyncIterator[bytes]]:
        """A blob in pieces; see ``Source``."""
        ask = Ask(path=f"{self.name}/blobs/{which.digest}")
        async with self.registries.open(self, ask, deadline=deadline) as stream:
            if stream.status == 404:
                raise problem(codes.NOT_FOUND, f"there is no {self}@{which.digest}")
            yield _checked(self, stream, which, deadline)

    async def referrers(
        self, digest: str, *, deadline: Deadline, artifact_type: str = ""
    ) -> tuple[Descriptor, ...]:
        """What refers to a manifest; by the tag schema where the registry has no API for it."""
        if self.registries.has_referrers(self.registry):
            found = await self._referrers(digest, artifact_type, deadline)
            if found is not None:
                return _filtered(found, artifact_type)
            self.registries.lacks_referrers(self.registry)
        content = await self.manifest(digest.replace(":", "-"), deadline=deadline)
        listed = parse(content) if content is not None else None
        return _filtered(listed.manifests, artifact_type) if isinstance(listed, Index) else ()

    async def _referrers(
        self, digest: str, artifact_type: str, deadline: Deadline
    ) -> tuple[Descriptor, ...] | None:
        query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
        path = f"{self.name}/referrers/{digest}{query}"
        found: list[Descriptor] = []
        for page in range(PAGES.value):
            ask = Ask(path=path, headers={"Accept": INDEX}, absent=_NO_API if page == 0 else frozenset())
            reply = await self.ask(ask, deadline=deadline)
            media_type = reply.header("content-type").partition(";")[0].strip().lower()
            if reply.status in _NO_API or (page == 0 and media_type != INDEX):
                return None
            listed = parse(Content.of(reply.body, INDEX))
            found += listed.manifests if isinstance(listed, Index) else ()
            if REFERRERS.exceeded_by(len(found)):
                raise problem(codes.TOO_LARGE, f"{self}@{digest}: {REFERRERS}")
            path = self._next(reply)
            if not path:
                return tuple(found)
        raise problem(codes.TOO_LARGE, f"{self}@{digest}: {PAGES}")

    async def tags(self, *, deadline: Deadline) -> tuple[str, ...]:
        """The tags; see ``Source``. Empty where there is no such repository."""
        path = f"{self.name}/tags/list?n=1000"
        found: list[str] = []
        for _ in range(PAGES.value):
            reply = await self.ask(Ask(path=path), deadline=deadline)
            if reply.status == 404:
                return tuple(found)
            rows = _json(self, reply).get("tags")
            found += [row for row in rows if isinstance(row, str)] if isinstance(rows, list) else []
            if TAGS.exceeded_by(len(found)):
                raise problem(codes.TOO_LARGE, f"{self}: {TAGS}")
            path = self._next(reply)
            if not path:
                return tuple(found)
        raise problem(codes.TOO_LARGE, f"{self}: {PAGES}")

    async def ask(self, ask: Ask, *, deadline: Deadline) -> Reply:
        """A question to this repository."""
        return await self.registries.ask(self, ask, deadline=deadline)

    def _next(self, reply: Reply) -> str:
        """Where the next page is: on the same registry, else nowhere."""
        found = _NEXT.search(reply.header("link"))
        if found is None:
            return ""
        base = self.registries.base(self.registry)
        url: str = urljoin(base, found[1])
        if origin(url) != origin(base):
            raise not_asked(self, f"the next page is elsewhere: {shown(url)}")
        return url


async def _checked(
    repository: Repository, stream: Stream, which: Descriptor, deadline: Deadline
) -> AsyncIterator[bytes]:
    state = Check(which.digest, which.size)
    async for piece in within(repository, stream, deadline):
        state.add(piece)
        yield piece
    state.done()


def _json(repository: Repository, reply: Reply) -> dict[str, Any]:
    try:
        value = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise not_asked(repository, "its answer is no JSON object")
    return value


def _filtered(rows: tuple[Descriptor, ...], artifact_type: str) -> tuple[Descriptor, ...]:
    """Only those of a type. Those that name none stay: some registries do not copy the type into the list."""
    return tuple(row for row in rows if not artifact_type or row.artifact_type in ("", artifact_type))
