"""How reviews share a process: a fast lane in the event loop, a slow one in threads, and bounds on both.

A review takes about a millisecond and never waits, so it is fastest where it is: in the event loop, one after
the other, with a look at the network after each. One that takes longer than ``QUICK`` would keep the process
from reading, answering and noticing deadlines, so it is broken off and begun again in a thread; a review is
pure, so that changes nothing but the time. What was slow lately, and what asks others, goes there at once.

Everything is bounded: who comes when the queue is full, or would not get a turn in time, is told at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from sekisho.diag import Deadline, Limit

QUICK: Final = 0.05
"""Seconds that a review may hold the event loop: fifty times what it takes, a twentieth of a timeout."""

QUEUE: Final = Limit(
    "waiting reviews", 512, "reviews", "more than that a process does not answer in a second"
)
SLOW: Final = Limit("slow reviews", 64, "reviews", "each holds a request, an object and soon a thread")
THREADS: Final = 4
"""Threads of the slow lane: one policy that waits for a provider must not stop the next one."""

REMEMBERED: Final = 10.0
"""Seconds for which what was slow goes to the slow lane at once."""
KNOWN: Final = 256
"""Kinds of requests that are remembered as slow."""

SHARE: Final = 0.5
"""The share of its time that a review may have to wait: the mean is of what was, not of what is to come."""

TURNS: Final = 6
"""Turns of the event loop between a request's bytes and its answer's, beside the one that reviews it."""

SMOOTH: Final = 0.05
"""The weight of the newest review in the mean time of one."""


class Overloaded(Exception):
    """There is no place, or no time to wait for one."""


class Late(Exception):
    """The deadline passed."""


class Result(NamedTuple):
    """What a review came to, and whether its deadline cut it short: then more time may say more."""

    answer: object
    late: bool


Work = Callable[[Deadline], Result]


class _Waiting(NamedTuple):
    future: asyncio.Future[object]
    work: Work
    deadline: Deadline
    sort: Hashable


class Lanes:
    """Runs reviews in the loop that it is made in."""

    def __init__(self, *, queue: int = QUEUE.value, threads: int = THREADS) -> None:
        self._queue: deque[_Waiting] = deque()
        self._bound = queue
        self._mean = 0.001
        self._slow = 0
        self._sorts: dict[Hashable, float] = {}
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._runner: asyncio.Task[None] | None = None
        self._looks = (0.0, 0.0)

    @property
    def waiting(self) -> int:
        """Reviews that have not begun."""
        return len(self._queue)

    async def run(self, work: Work, deadline: Deadline, *, sort: Hashable, waits: bool = False) -> object:
        """What the work comes to. Raises Overloaded at once, and Late when the deadline passes.

        ``sort`` is what makes reviews alike; ``waits`` is true for one that asks others.
        """
        if waits or self._was_slow(sort):
            return await self._run_slowly(work, deadline)
        expected = len(self._queue) * self._mean
        if len(self._queue) >= self._bound or expected > SHARE * deadline.remaining():
            raise Overloaded
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        self._queue.append(_Waiting(future, work, deadline, sort))
        timer = loop.call_later(max(0.0, deadline.remaining()), _expire, future)
        if self._runner is None:
            now = time.monotonic()
            self._looks = (now, now)
            self._runner = loop.create_task(self._drain())
        try:
            return await future
        finally:
            timer.cancel()

    def close(self) -> None:
        """Wait for nobody."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _was_slow(self, sort: Hashable) -> bool:
        until = self._sorts.get(sort)
        return until is not None and until > time.monotonic()

    def lag(self) -> float:
        """Seconds of a request's time that pass unseen: unread, on its way here, and on the way out.

        What is read now came after the look before the last one; then it takes some turns of the loop, each
        with a review in it, until it is here, and some more until its answer is sent.
        """
        if self._runner is None:
            return 0.0
        return time.monotonic() - self._looks[0] + TURNS * self._mean

    async def _drain(self) -> None:
        """Review what waits, one at a time; between two the loop reads what has come in."""
        while self._queue:
            self._looks = (self._looks[1], time.monotonic())
            waiting = self._queue.popleft()
            if not waiting.future.done():
                self._review(waiting)
            await asyncio.sleep(0)
        self._runner = None

    def _review(self, waiting: _Waiting) -> None:
        started = time.monotonic()
        short = Deadline(min(waiting.deadline.at, started + QUICK))
        try:
            result = waiting.work(short)
        except Exception as error:  # noqa: BLE001 - it is the caller's, who waits for it
            waiting.future.set_exception(error)
            return
        took = time.monotonic() - started
        self._mean += SMOOTH * (took - self._mean)
        if not result.late or waiting.deadline.passed():
            waiting.future.set_result(result.answer)
        else:
            self._remember(waiting.sort, started)
            slowly = asyncio.ensure_future(self._run_slowly(waiting.work, waiting.deadline))
            slowly.add_done_callback(lambda done: _pass_on(done, waiting.future))

    def _remember(self, sort: Hashable, now: float) -> None:
        if len(self._sorts) >= KNOWN:
            self._sorts = {row: until for row, until in self._sorts.items() if until > now}
        if len(self._sorts) < KNOWN:
            self._sorts[sort] = now + REMEMBERED

    async def _run_slowly(self, work: Work, deadline: Deadline) -> object:
        if self._slow >= SLOW.value or deadline.passed():
            raise Overloaded
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="sekisho-review")
        self._slow += 1
        under_way = asyncio.get_running_loop().run_in_executor(self._pool, work, deadline)
        under_way.add_done_callback(self._ended)
        try:
            result = await asyncio.wait_for(asyncio.shield(under_way), deadline.remaining())
        except TimeoutError:
            raise Late from None
        return result.answer

    def _ended(self, done: asyncio.Future[Result]) -> None:
        """A place is free when the work ends, which may be after its answer was due."""
        self._slow -= 1
        if not done.cancelled():
            done.exception()


def _expire(future: asyncio.Future[object]) -> None:
    if not future.done():
        future.set_exception(Late())


def _pass_on(done: asyncio.Future[object], future: asyncio.Future[object]) -> None:
    error = None if done.cancelled() else done.exception()
    if future.done():
        return
    if done.cancelled():
        future.cancel()
    elif error is not None:
        future.set_exception(error)
    else:
        future.set_result(done.result())
