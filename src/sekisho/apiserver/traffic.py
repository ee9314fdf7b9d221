"""Requests under way, so that what can wait lets them go first."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

PAUSE: Final = 0.005
"""Seconds without a request that count as a lull: who writes one object after the other leaves less."""


class Traffic:
    """Counts requests: ``with traffic:`` around each."""

    def __init__(self) -> None:
        self._under_way = 0
        self._begun = 0

    def __enter__(self) -> None:
        self._under_way += 1
        self._begun += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._under_way -= 1

    async def lull(self, at_most: float) -> None:
        """Wait until nobody asks for anything, or for so many seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + at_most
        while loop.time() < until:
            begun = self._begun
            await asyncio.sleep(PAUSE)
            if not self._under_way and self._begun == begun:
                return
