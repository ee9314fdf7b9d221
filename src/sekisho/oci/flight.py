"""One flight: of those who ask the same at one time, one asks, and all get its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Flights(Generic[K, T]):
    """Questions under way. Who stops waiting does not stop the others' answer."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[T]] = {}

    async def ask(self, key: K, work: Callable[[], Awaitable[T]]) -> T:
        """The answer to a question, asked unless somebody is asking it already."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(work))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: K, task: asyncio.Task[T]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # it is told to those who wait; nobody may be left


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
