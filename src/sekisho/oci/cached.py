"""A source that remembers: one flight for each question, what was answered, and what was known last.

- What a digest names never changes: it is kept in memory and on disk, and its digest is computed again when
  it comes from there.
- What a tag means, what refers to an image, and that something is not there, is believed for some seconds
  (``Ages``), each kind with its own.
- Where the source cannot be asked, what it said last counts for a while longer, if it was something. Whoever
  must not rely on that looks at ``stale``. That it cannot be asked is remembered for a moment too, so that a
  registry that is down is not asked by everyone.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sekisho.cache import Cache, digest_of
from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.content import MANIFEST_SIZE, Content, Descriptor, check, problem
from sekisho.oci.flight import Flights
from sekisho.oci.reference import is_digest
from sekisho.oci.source import BLOB, Source

KIND: Final = "oci"
FORMAT: Final = "1"
DISK: Final = 512 * 1024 * 1024
"""Bytes of the cache on disk: manifests and signatures have some kilobytes."""

ENTRIES: Final = 20_000
BYTES: Final = 64 * 1024 * 1024
"""How many answers are remembered, and how many bytes of content in memory."""

_TROUBLE: Final = frozenset({codes.NOT_ASKED, codes.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Seconds for which answers are believed.

    ``tag`` and ``list``: what a tag means, what refers to an image. ``absent``: that something is not there.
    ``trouble``: that the source cannot be asked. ``stale``: how old an answer may be that stands in for one.
    """

    tag: float = 30.0
    list: float = 30.0
    absent: float = 10.0
    trouble: float = 1.0
    stale: float = 3600.0


class _Known(NamedTuple):
    value: Any
    at: float
    age: float


class Memory:
    """What all sources of a process remember; bounded, the unused go first."""

    def __init__(self, disk: Cache | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.disk = disk
        self.clock = clock
        self.flights: Flights[Hashable, Any] = Flights()
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()
        self._bytes = 0

    @classmethod
    def on_disk(cls, root: str | None) -> Memory:
        """With the cache of a folder; None is none."""
        return cls(Cache(root, kind=KIND, format_version=FORMAT, max_bytes=DISK))

    def get(self, key: Hashable) -> _Known | None:
        """What is remembered of a question, however old."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: Hashable, value: Any, age: float) -> None:
        """Remember an answer, believed for so long."""
        self._forget(key)
        self._known[key] = _Known(value, self.clock(), age)
        self._bytes += _weight(value)
        while len(self._known) > ENTRIES or self._bytes > BYTES:
            self._forget(next(iter(self._known)))

    def _forget(self, key: Hashable) -> None:
        found = self._known.pop(key, None)
        if found is not None:
            self._bytes -= _weight(found.value)


def _weight(value: Any) -> int:
    if isinstance(value, Content):
        return len(value.body)
    return len(value) if isinstance(value, bytes) else 100


class Cached:
    """A ``Source`` before another one. ``name`` tells sources apart in the memory that they share.

    ``stale`` are the questions that were answered with what was known last, and how old that was in seconds;
    make one object for each decision, and look there afterwards.
    """

    def __init__(self, source: Source, name: str, memory: Memory, ages: Ages = Ages()) -> None:
        self._source = source
        self._name = name
        self._memory = memory
        self._ages = ages
        self.stale: dict[str, float] = {}

    def __str__(self) -> str:
        return self._name

    async def manifest(self, which: str, *, deadline: Deadline) -> Content | None:
        """See ``Source``."""

        async def work() -> Content | None:
            return await self._source.manifest(which, deadline=deadline)

        if is_digest(which):
            return await self._named(which, work, deadline)
        found: Content | None = await self._asked(("tag", which), work, self._ages.tag, deadline)
        return found

    async def blob(self, which: Descriptor, *, deadline: Deadline, limit: Limit = BLOB) -> bytes | None:
        """See ``Source``; what is larger than a manifest may be is not remembered."""

        async def work() -> Content | None:
            body = await self._source.blob(which, deadline=deadline, limit=limit)
            return None if body is None else Content(media_type="", digest=which.digest, body=body)

        if MANIFEST_SIZE.exceeded_by(which.size) or limit.exceeded_by(which.size):
            return await self._source.blob(which, deadline=deadline, limit=limit)
        found = await self._named(which.digest, work, deadline, kind="blob")
        if found is not None:
            check(found.body, which.digest, which.size)
        return None if found is None else found.body

    def open(
        self, which: Descriptor, *, deadline: Deadline
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """See ``Source``; nothing of it is remembered."""
        return self._source.open(which, deadline=deadline)

    async def referrers(
        self, digest: str, *, deadline: Deadline, artifact_type: str = ""
    ) -> tuple[Descriptor, ...]:
        """See ``Source``."""

        async def work() -> tuple[Descriptor, ...]:
            return await self._source.referrers(digest, deadline=deadline, artifact_type=artifact_type)

        key = ("referrers", digest, artifact_type)
        found: tuple[Descriptor, ...] = await self._asked(key, work, self._ages.list, deadline)
        return found

    async def tags(self, *, deadline: Deadline) -> tuple[str, ...]:
        """See ``Source``."""

        async def work() -> tuple[str, ...]:
            return await self._source.tags(deadline=deadline)

        found: tuple[str, ...] = await self._asked(("tags",), work, self._ages.list, deadline)
        return found

    async def _named(
        self,
        digest: str,
        work: Callable[[], Awaitable[Content | None]],
        deadline: Deadline,
        kind: str = "manifest",
    ) -> Content | None:
        """What a digest names. It is the same in every repository, but whether it is there is not."""
        key = (kind, self._name, digest)
        known = self._memory.get(key)
        if known is not None and isinstance(known.value, Content):
            return known.value
        kept = self._from_disk(kind, digest)
        if kept is not None:
            self._memory.put(key, kept, 0)
            return kept
        found: Content | None = await self._asked((kind, digest), work, 0, deadline)
        if found is not None:
            self._to_disk(kind, found)
        return found

    async def _asked(
        self, question: tuple[str, ...], work: Callable[[], Awaitable[Any]], age: float, deadline: Deadline
    ) -> Any:
        """An answer that is still believed, else a new one, else what was known last."""
        key = (question[0], self._name, *question[1:])
        memory, now = self._memory, self._memory.clock()
        known = memory.get(key)
        if known is not None and now < known.at + known.age:
            return known.value
        troubled = memory.get(("trouble", key))
        if troubled is not None and now < troubled.at + troubled.age:
            return self._instead(question, known, troubled.value)
        try:
            return await self._fly(key, work, age, deadline)
        except DiagnosticError as error:
            if error.diagnostics[0].code not in _TROUBLE:
                raise
            return self._instead(question, known, error)

    async def _fly(
        self, key: Hashable, work: Callable[[], Awaitable[Any]], age: float, deadline: Deadline
    ) -> Any:
        """Ask, or wait for the one who does. Whose time was too short speaks for itself alone."""
        led = False

        async def ask() -> Any:
            nonlocal led
            led = True
            value = await work()
            self._memory.put(key, value, age if value else self._ages.absent)
            return value

        while True:
            try:
                async with asyncio.timeout(max(deadline.remaining(), 0)):
                    return await self._memory.flights.ask(key, ask)
            except TimeoutError:
                message = f"{self._name} could not be asked: its answer was not there before the deadline"
                raise problem(codes.NOT_ASKED, message) from None
            except DiagnosticError as error:
                if error.diagnostics[0].code not in _TROUBLE:
                    raise
                if led or error.diagnostics[0].code is codes.REFUSED:
                    self._memory.put(("trouble", key), error, self._ages.trouble)
                    raise

    def _instead(self, question: tuple[str, ...], known: _Known | None, error: DiagnosticError) -> Any:
        """What was known last, if it was something, is not too old, and nobody was refused."""
        if error.diagnostics[0].code is codes.NOT_ASKED and known is not None and known.value:
            old = self._memory.clock() - known.at
            if old <= self._ages.stale:
                self.stale[" ".join(question)] = old
                return known.value
        raise DiagnosticError(error.diagnostics)

    def _from_disk(self, kind: str, digest: str) -> Content | None:
        """Content that was kept, if it is still what it was: the digest is computed again."""
        disk = self._memory.disk
        payload = disk.get(_key(kind, self._name, digest)) if disk is not None else None
        if payload is None:
            return None
        media_type, _, body = payload.partition(b"\n")
        try:
            check(body, digest)
        except DiagnosticError:
            return None
        return Content(media_type=media_type.decode("ascii", "replace"), digest=digest, body=body)

    def _to_disk(self, kind: str, content: Content) -> None:
        if self._memory.disk is not None:
            payload = content.media_type.encode("ascii", "replace") + b"\n" + content.body
            self._memory.disk.put(_key(kind, self._name, content.digest), payload)


def _key(kind: str, name: str, digest: str) -> str:
    return digest_of(kind.encode(), name.encode(), digest.encode())
