"""The loop behind controllers: changes become keys, keys are reconciled one by one, failures again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Protocol

from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import EVERYTHING, Broken, Event, Op, Row, Stale, Store

_LOG: Final = logging.getLogger(__name__)

FIRST_WAIT: Final = 0.05
LAST_WAIT: Final = 30.0
"""Seconds until a key that failed is looked at again: twice as long each time."""

SLICE: Final = 200
"""Keys after which others have their turn in the event loop."""


class Controller(Protocol):
    """Brings one thing about. ``name`` is for the log."""

    name: str

    def keys(self, event: Event) -> Iterable[Hashable]:
        """What a change may have an effect on."""

    async def reconcile(self, key: Hashable) -> float | None:
        """Make one key what it should be; seconds after which it is to be looked at again, None for never.

        May raise ApiError or Stale: then it is tried again.
        """


class _Queue:
    """The keys of one controller. A key waits once; one that waits for a moment may come earlier."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._waiting: dict[Hashable, None] = {}
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}
        self._failures: dict[Hashable, int] = {}
        self._wake = asyncio.Event()
        self.busy = False

    def add(self, key: Hashable) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._waiting[key] = None
        self._wake.set()

    def later(self, key: Hashable, seconds: float) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self.add, key)

    @property
    def idle(self) -> bool:
        return not self._waiting and not self.busy

    async def work(self) -> None:
        done = 0
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            key = next(iter(self._waiting))
            del self._waiting[key]
            self.busy = True
            await self._reconcile(key)
            self.busy = False
            done += 1
            if done % SLICE == 0:
                await asyncio.sleep(0)

    async def _reconcile(self, key: Hashable) -> None:
        try:
            again = await self.controller.reconcile(key)
        except (ApiError, Stale, Broken):
            self._failed(key)
        except Exception:  # noqa: BLE001 - one bad object may not stop a controller
            _LOG.exception("controller %s failed at %s", self.controller.name, key)
            self._failed(key)
        else:
            self._failures.pop(key, None)
            if again is not None and key not in self._waiting:
                self.later(key, again)

    def _failed(self, key: Hashable) -> None:
        count = self._failures[key] = self._failures.get(key, 0) + 1
        if key not in self._waiting:
            self.later(key, min(LAST_WAIT, FIRST_WAIT * 2 ** min(count, 16)))

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


class Controllers:
    """Running controllers. ``start`` and ``stop`` are called in the loop of the store."""

    def __init__(self, store: Store, controllers: Sequence[Controller]) -> None:
        self._store = store
        self._queues = [_Queue(row) for row in controllers]
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = asyncio.Event()
        self._caught_up = False

    async def start(self) -> None:
        """Follow every change, and look at everything that is there, bit by bit."""
        self._tasks = [asyncio.create_task(row.work(), name=row.controller.name) for row in self._queues]
        self._tasks.append(asyncio.create_task(self._follow(), name="controllers"))
        await self._listening.wait()

    async def stop(self) -> None:
        """Stop where they are; what is not done is found again at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for queue in self._queues:
            queue.close()

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done but what waits for its time."""
        return self._caught_up and all(queue.idle for queue in self._queues)

    async def _follow(self) -> None:
        """A watcher that does not keep up is dropped; then everything is looked at anew."""
        while True:
            watcher = self._store.hub.watch(EVERYTHING, 0)
            self._listening.set()
            try:
                await self._look_at_all()
                while events := await watcher.take():
                    for event in events:
                        self._tell(event)
            finally:
                watcher.close()
            if self._store.closed:
                return

    async def _look_at_all(self) -> None:
        """Tell what is there. What changes meanwhile is told once more, afterwards."""
        self._caught_up, told = False, 0
        for resource in self._store.resources():
            for row in self._store.rows(resource):
                self._tell(_there(row))
                told += 1
                if told % SLICE == 0:
                    await asyncio.sleep(0)
        self._caught_up = True

    def _tell(self, event: Event) -> None:
        for queue in self._queues:
            for key in queue.controller.keys(event):
                queue.add(key)


def _there(row: Row) -> Event:
    return Event(op=Op.ADDED, row=row, before=None)
