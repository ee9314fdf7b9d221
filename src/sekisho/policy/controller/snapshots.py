"""The snapshot of the moment, for whoever judges: the current one, and a way to wait for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sekisho.policy.controller.snapshot import Snapshot


class Snapshots:
    """Snapshots as they follow one another. There is none until policies have been loaded."""

    def __init__(self) -> None:
        self._current: Snapshot | None = None
        self._changed = asyncio.Condition()

    @property
    def current(self) -> Snapshot | None:
        """The newest snapshot; None before the first."""
        return self._current

    async def publish(self, snapshot: Snapshot) -> None:
        """Let a snapshot hold from now on."""
        async with self._changed:
            self._current = snapshot
            self._changed.notify_all()

    async def wait(self, holds: Callable[[Snapshot], bool] = lambda _: True) -> Snapshot:
        """The first snapshot of which something holds: the current one, or one to come."""
        async with self._changed:
            while self._current is None or not holds(self._current):
                await self._changed.wait()
            return self._current

    async def next(self, after: int) -> Snapshot:
        """The first snapshot with a number above ``after``."""
        return await self.wait(lambda row: row.number > after)
