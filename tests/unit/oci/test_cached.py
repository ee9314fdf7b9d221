"""A source that remembers: one flight, ages, what was known last, and what must not be believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from sekisho.diag import Code, Deadline, DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.cached import Ages, Cached, Memory
from sekisho.oci.content import MANIFEST, Content, Descriptor, digest_of, problem
from sekisho.oci.source import BLOB

BODY = b"{}"
CONTENT = Content.of(BODY, MANIFEST)
ROW = Descriptor(media_type="x", digest=CONTENT.digest, size=2)


class Plain:
    """A source that says what it is told to, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tag: Content | None = CONTENT
        self.rows: tuple[Descriptor, ...] = (ROW,)
        self.trouble: Code | None = None
        self.seconds = 0.0

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        await asyncio.sleep(self.seconds)
        if self.trouble is not None:
            raise problem(self.trouble, "trouble")

    async def manifest(self, which: str, *, deadline: Deadline) -> Content | None:
        await self._ask(which)
        return self.tag

    async def blob(self, which: Descriptor, *, deadline: Deadline, limit: Limit = BLOB) -> bytes | None:
        await self._ask("blob")
        return BODY

    def open(
        self, which: Descriptor, *, deadline: Deadline
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        raise AssertionError

    async def referrers(
        self,
        digest: str,
        *,
        deadline: Deadline,
        artifact_type: str = "",
    ) -> tuple[Descriptor, ...]:
        await self._ask(digest)
        return self.rows

    async def tags(self, *, deadline: Deadline) -> tuple[str, ...]:
        await self._ask("tags")
        return ("a",)


class World:
    """A remembered source and its clock."""

    def __init__(self, root: str | None = None) -> None:
        self.now = 0.0
        self.plain = Plain()
        self.memory = Memory.on_disk(root)
        self.memory.clock = lambda: self.now
        self.source = Cached(self.plain, "r/a", self.memory, Ages())

    async def manifest(self, which: str = "v1", seconds: float = 5) -> Content | None:
        return await self.source.manifest(which, deadline=Deadline.after(seconds))


def run(work: Callable[[World], Awaitable[None]], root: str | None = None) -> None:
    async def main() -> None:
        await work(World(root))

    asyncio.run(main())


async def code(asking: Awaitable[Any]) -> str:
    with pytest.raises(DiagnosticError) as caught:
        await asking
    return caught.value.diagnostics[0].code.id


def test_a_thousand_questions_at_once_are_one() -> None:
    async def work(world: World) -> None:
        world.plain.seconds = 0.05
        found = await asyncio.gather(*(world.manifest() for _ in range(1000)))
        assert set(found) == {CONTENT}
        assert world.plain.asked == ["v1"]

    run(work)


def test_a_tag_is_believed_for_a_while_and_then_asked_anew() -> None:
    async def work(world: World) -> None:
        await world.manifest()
        world.now = 29
        await world.manifest()
        assert len(world.plain.asked) == 1
        world.now = 31
        world.plain.tag = Content.of(b"[]", MANIFEST)
        assert await world.manifest() == world.plain.tag
        assert world.source.stale == {}

    run(work)


def test_that_there_is_none_is_believed_for_less() -> None:
    async def work(world: World) -> None:
        world.plain.tag = None
        assert await world.manifest() is None
        world.plain.tag = CONTENT
        assert await world.manifest() is None
        world.now = 11
        assert await world.manifest() == CONTENT

    run(work)


def test_no_referrers_is_believed_for_less_than_some() -> None:
    async def work(world: World) -> None:
        world.plain.rows = ()
        ask = world.source.referrers
        assert await ask(CONTENT.digest, deadline=Deadline.after(5)) == ()
        world.plain.rows = (ROW,)
        world.now = 11
        assert await ask(CONTENT.digest, deadline=Deadline.after(5)) == (ROW,)

    run(work)


def test_what_a_digest_names_is_asked_for_once() -> None:
    async def work(world: World) -> None:
        for _ in range(2):
            assert await world.manifest(CONTENT.digest) == CONTENT
            assert await world.source.blob(ROW, deadline=Deadline.after(5)) == BODY
            world.now += 1e6
        assert world.plain.asked == [CONTENT.digest, "blob"]

    run(work)


def test_content_is_kept_on_disk_and_checked_when_it_comes_back(tmp_path: Path) -> None:
    root = str(tmp_path / "cache")

    async def first(world: World) -> None:
        await world.manifest(CONTENT.digest)

    async def second(world: World) -> None:
        world.plain.trouble = codes.NOT_ASKED
        assert await world.manifest(CONTENT.digest) == CONTENT

    async def third(world: World) -> None:
        assert world.memory.disk is not None
        name = world.source._name
        from sekisho.cache import digest_of as key_of

        key = key_of(b"manifest", name.encode(), CONTENT.digest.encode())
        world.memory.disk.put(key, b"x\nforged")
        assert await world.manifest(CONTENT.digest) == CONTENT
        assert world.plain.asked == [CONTENT.digest]

    for work in (first, second, third):
        run(work, root)


def test_what_was_known_last_stands_in_for_a_while_and_is_told() -> None:
    async def work(world: World) -> None:
        await world.manifest()
        world.plain.trouble = codes.NOT_ASKED
        world.now = 100
        assert await world.manifest() == CONTENT
        assert world.source.stale == {"tag v1": 100}
        world.now = 3601
        assert await code(world.manifest()) == "OCI003"

    run(work)


@pytest.mark.parametrize("trouble", [codes.REFUSED, codes.NOT_THE_CONTENT, codes.TOO_LARGE], ids=str)
def test_only_for_what_could_not_be_asked_something_stands_in(trouble: Code) -> None:
    async def work(world: World) -> None:
        await world.manifest()
        world.plain.trouble = trouble
        world.now = 100
        assert await code(world.manifest()) == trouble.id

    run(work)


def test_that_there_was_none_never_stands_in() -> None:
    async def work(world: World) -> None:
        world.plain.rows = ()
        await world.source.referrers(CONTENT.digest, deadline=Deadline.after(5))
        world.plain.trouble = codes.NOT_ASKED
        world.now = 100
        asking = world.source.referrers(CONTENT.digest, deadline=Deadline.after(5))
        assert await code(asking) == "OCI003"

    run(work)


def test_a_source_in_trouble_is_left_alone_for_a_moment() -> None:
    async def work(world: World) -> None:
        world.plain.trouble = codes.NOT_ASKED
        for _ in range(3):
            assert await code(world.manifest()) == "OCI003"
        assert len(world.plain.asked) == 1
        world.now = 2
        world.plain.trouble = None
        assert await world.manifest() == CONTENT

    run(work)


def test_everyone_waits_until_the_own_deadline_only() -> None:
    async def work(world: World) -> None:
        world.plain.seconds = 0.3
        slow = asyncio.create_task(world.manifest(seconds=5))
        await asyncio.sleep(0)
        assert await code(world.manifest(seconds=0.05)) == "OCI003"
        assert await slow == CONTENT

    run(work)


def test_who_had_less_time_does_not_speak_for_the_others() -> None:
    async def work(world: World) -> None:
        world.plain.seconds = 0.1
        world.plain.trouble = codes.NOT_ASKED
        hasty = asyncio.create_task(world.manifest())
        await asyncio.sleep(0.02)
        other = asyncio.create_task(world.manifest())
        await asyncio.sleep(0.02)
        assert await code(hasty) == "OCI003"
        world.plain.trouble = None
        assert await other == CONTENT

    run(work)


def test_who_stops_waiting_does_not_stop_the_others() -> None:
    async def work(world: World) -> None:
        world.plain.seconds = 0.1
        first, second = (asyncio.create_task(world.manifest()) for _ in range(2))
        await asyncio.sleep(0.02)
        first.cancel()
        assert await second == CONTENT
        assert len(world.plain.asked) == 1

    run(work)


def test_sources_are_told_apart() -> None:
    async def work(world: World) -> None:
        await world.manifest(CONTENT.digest)
        other = Cached(world.plain, "r/b", world.memory)
        await other.manifest(CONTENT.digest, deadline=Deadline.after(5))
        assert len(world.plain.asked) == 2

    run(work)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sekisho.oci.cached.ENTRIES", 10)
    monkeypatch.setattr("sekisho.oci.cached.BYTES", 5000)
    memory = Memory()
    for number in range(100):
        memory.put(number, b"x", 1)
    assert len(memory._known) == 10
    for number in range(10):
        body = bytes(1000)
        memory.put(("big", number), Content(media_type="", digest=digest_of(body), body=body), 1)
    assert memory._bytes <= 5000
