"""The workers of ``serve``: started, told what to judge by, started again when they end, and ended.

Every worker has a place. What it is sent last is what it works by, so a place needs no queue: a sender brings
its worker up to date with the newest edition, and what came in between is never sent.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.admission import Edition
from sekisho.cli.serving import frames
from sekisho.cli.serving.frames import Broken, Frame
from sekisho.web.server import Listener

_LOG: Final = logging.getLogger(__name__)

MODULE: Final = "sekisho.cli.serving.worker"

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 10.0
"""Seconds before a worker is started again: they double as long as workers end at once."""

SOUND: Final = 30.0
"""Seconds after which a worker counts as one that works, so that its end is the first one again."""

GRACE: Final = 3.0
"""Seconds beyond the time to drain after which a worker is killed."""

OnFrame = Callable[[int, Frame], None]


@dataclass(frozen=True, slots=True)
class _Content:
    """An edition as bytes, made once for all workers."""

    digest: str
    policies: bytes
    inventory: bytes


@dataclass(slots=True)
class Place:
    """One worker, and what is known of it."""

    number: int
    process: asyncio.subprocess.Process | None = None
    has: str = ""
    sent: _Content | None = None
    waiting: int = 0
    ended: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    identity: tuple[str, str] | None = None


class Crew:
    """``count`` workers on one port. ``begin`` is the head of the first frame for each of them."""

    def __init__(self, count: int, listener: Listener, begin: Callable[[], Mapping[str, Any]]) -> None:
        self.places = tuple(Place(number=number) for number in range(count))
        self._listener = listener
        self._begin = begin
        self._content: _Content | None = None
        self._identity: tuple[str, str] | None = None
        self._on: dict[str, list[OnFrame]] = {}
        self._changed = asyncio.Event()
        self._drain = 5.0

    def on(self, name: str, do: OnFrame) -> None:
        """Call this with the place's number for each frame of this name."""
        self._on.setdefault(name, []).append(do)

    @property
    def ready(self) -> bool:
        """Whether every worker has policies."""
        return bool(self.places) and all(place.has for place in self.places)

    @property
    def current(self) -> bool:
        """Whether every worker has the newest ones."""
        content = self._content
        return content is not None and all(place.has == content.digest for place in self.places)

    async def settled(self) -> None:
        """Wait until every worker has the newest edition."""
        while not self.current:
            await self._changed.wait()

    def publish(self, edition: Edition, digest: str) -> None:
        """Have all workers judge by this; they get what they do not have."""
        old = self._content
        policies, inventory = frames.lines(edition.policies), frames.lines(edition.inventory)
        if old is not None:  # the same bytes are the same object, so that comparing them is one look
            policies = old.policies if old.policies == policies else policies
            inventory = old.inventory if old.inventory == inventory else inventory
        self._content = _Content(digest, policies, inventory)
        self._wake()

    def show(self, chain: str, key: str) -> None:
        """Have all workers show this certificate."""
        self._identity = (chain, key)
        self._wake()

    async def run(self) -> None:
        """Keep all places filled until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for place in self.places:
                    group.create_task(self._keep(place), name=f"worker {place.number}")
        finally:
            await asyncio.gather(*(self._end(place) for place in self.places))

    async def tell(self, number: int, head: Mapping[str, Any]) -> None:
        """Send one worker a frame."""
        process = self.places[number].process
        if process is not None and process.stdin is not None:
            process.stdin.write(frames.packed(Frame(dict(head))))

    def _wake(self) -> None:
        for place in self.places:
            place.news.set()

    async def _keep(self, place: Place) -> None:
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            await self._work(place)
            place.ended += 1
            pause = FIRST_PAUSE if time.monotonic() - started > SOUND else min(pause * 2, LONGEST_PAUSE)
            _LOG.error("worker %d ended; the next one begins in %.1f s", place.number, pause)
            await asyncio.sleep(pause)

    async def _work(self, place: Place) -> None:
        """One worker, from its start to its end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # what stands in the working directory is nobody's module
            "-m",
            MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(self._listener.descriptor,),
            limit=2**20,
        )
        place.process, place.sent, place.identity = process, None, self._identity
        assert process.stdin is not None, "it is a pipe"
        head = {**self._begin(), "is": "begin", "listener": self._listener.descriptor}
        process.stdin.write(frames.packed(Frame(head)))
        sending = asyncio.create_task(self._send(place, process.stdin))
        place.news.set()
        try:
            await self._listen(place, process)
            with suppress(ProcessLookupError):
                process.kill()  # one that says nothing any more is of no use
            await process.wait()
        finally:
            place.has = ""
            sending.cancel()

    async def _listen(self, place: Place, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None, "it is a pipe"
        try:
            while (frame := await frames.read(process.stdout)) is not None:
                if frame.name == "has":
                    place.has = str(frame.head["digest"])
                    self._changed.set()
                    self._changed = asyncio.Event()
                elif frame.name == "figures":
                    place.waiting = int(frame.head.get("waiting", 0))
                for do in self._on.get(frame.name, ()):
                    do(place.number, frame)
        except Broken:
            _LOG.error("worker %d said something that cannot be read", place.number)

    async def _send(self, place: Place, writer: asyncio.StreamWriter) -> None:
        """Bring a worker up to date whenever there is something new."""
        try:
            while True:
                await place.news.wait()
                place.news.clear()
                if self._identity is not None and place.identity != self._identity:
                    place.identity = self._identity
                    writer.write(frames.packed(Frame({"is": "tls", "identity": list(self._identity)})))
                content = self._content
                if content is not None and content != place.sent:
                    writer.write(frames.packed(_edition(content, place.sent)))
                    place.sent = content
                await writer.drain()
        except ConnectionError:
            pass  # it has ended, which ``_listen`` sees

    async def _end(self, place: Place) -> None:
        """Let a worker drain, and kill one that does not end."""
        process = place.process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None, "it is a pipe"
        with suppress(ConnectionError):
            process.stdin.write(frames.packed(Frame({"is": "stop"})))
            process.stdin.close()
        try:
            async with asyncio.timeout(self._drain + GRACE):
                await self._listen(place, process)
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _edition(content: _Content, sent: _Content | None) -> Frame:
    """A frame with what a worker does not have."""
    policies = None if sent is not None and sent.policies is content.policies else content.policies
    inventory = None if sent is not None and sent.inventory is content.inventory else content.inventory
    head = {
        "is": "edition",
        "digest": content.digest,
        "policies": None if policies is None else len(policies),
        "inventory": inventory is not None,
    }
    return Frame(head, (policies or b"") + (inventory or b""))
