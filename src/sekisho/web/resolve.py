"""Names to addresses, so that a resolver that hangs holds nobody up.

The system's resolver cannot be interrupted. aiohttp asks it in threads that the interpreter waits for when it
ends; these here are daemons, and whoever waits for them waits with a deadline.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Row = tuple[Any, Any, int, str, tuple[Any, ...]]
"""A row of ``getaddrinfo``."""


async def addresses(host: str, port: int, family: int = socket.AF_UNSPEC) -> list[Row]:
    """The rows of ``getaddrinfo``; OSError as there."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Row]] = loop.create_future()

    def look() -> None:
        rows: list[Row] = []
        error: OSError | None = None
        try:
            rows = list(socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM))
        except UnicodeError as wrong:
            error = socket.gaierror(socket.EAI_NONAME, str(wrong))
        except OSError as wrong:
            error = wrong
        with suppress(RuntimeError):  # the loop may be gone by now
            loop.call_soon_threadsafe(tell, rows, error)

    def tell(rows: list[Row], error: OSError | None) -> None:
        if found.done():
            return  # nobody waits any more
        if error is None:
            found.set_result(rows)
        else:
            found.set_exception(error)

    threading.Thread(target=look, name="sekisho-resolve", daemon=True).start()
    return await found


class Resolver(AbstractResolver):
    """aiohttp's view of the same."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host."""
        rows = await addresses(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=str(place[0]),
                port=int(place[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, place in rows
        ]

    async def close(self) -> None:
        """Nothing is held open."""
