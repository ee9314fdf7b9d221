"""How long a server waits for its clients: for the head of a request, for a body, and between two requests.

aiohttp ends connections that are idle between requests, and nothing else. Whoever sends a head byte by byte,
or a connection without a word, would hold a place for ever, so all connections are looked at now and then.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp import web

LOOKS: Final = 4
"""How often connections are looked at within the time that a head may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Seconds for a head, for a body, and between requests; and connections at the same time."""

    head: float
    body: float
    idle: float
    connections: int


class Patience:
    """Ends connections that take too long over their first head, and those beyond the bound.

    Between two requests aiohttp's own timer runs, also while a head comes in.
    """

    def __init__(self, server: web.Server, bounds: Bounds) -> None:
        self._server = server
        self._bounds = bounds
        self._silent: dict[web.RequestHandler, float] = {}
        self._task = asyncio.create_task(self._watch())

    def close(self) -> None:
        """Look no more."""
        self._task.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._bounds.head / LOOKS)
            self._look(asyncio.get_running_loop().time())

    def _look(self, now: float) -> None:
        connections = self._server.connections
        silent = [row for row in connections if row._request_count == 0]
        self._silent = {row: self._silent.get(row, now) for row in silent}
        late = [row for row, since in self._silent.items() if now - since > self._bounds.head]
        for connection in (*late, *connections[self._bounds.connections :]):
            connection.force_close()
