"""``pods/portforward``: connections to a Pod's ports, each a pair of SPDY streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sekisho.apiserver.runtime import RuntimeProblem
from sekisho.web.pipe import Pipe
from sekisho.web.spdy import SpdySession, SpdyStream

_LOG: Final = logging.getLogger(__name__)

PROTOCOL: Final = "portforward.k8s.io"
TUNNEL: Final = f"SPDY/3.1+{PROTOCOL}"
"""The subprotocol of a WebSocket that carries SPDY."""

Connect = Callable[[int, Pipe], Awaitable[None]]
"""Carries one connection to a port."""


class Forward:
    """The connections that one client forwards."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._half: dict[str, SpdyStream] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, pipe: Pipe) -> None:
        """Until the client goes; then every connection ends."""
        session = SpdySession(pipe, self._accept)
        self._session = session
        try:
            await session.run()
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, stream: SpdyStream) -> None:
        await self._session.reply(stream)
        word = stream.headers.get("requestid", "")
        other = self._half.pop(word, None)
        if other is None:
            self._half[word] = stream
            return
        pair = {one.headers.get("streamtype"): one for one in (stream, other)}
        port = stream.headers.get("port", "")
        if pair.keys() != {"error", "data"} or not port.isdecimal() or not 0 < int(port) < 65_536:
            for one in (stream, other):
                await one.end()
            return
        task = asyncio.create_task(self._carry(pair["data"], pair["error"], int(port)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, data: SpdyStream, error: SpdyStream, port: int) -> None:
        text = ""
        try:
            await self._connect(port, data)
        except RuntimeProblem as problem:
            text = str(problem)
        except ConnectionError:
            return
        except Exception:  # noqa: BLE001 - one connection may not end the others
            _LOG.exception("a forwarded connection failed")
            text = "the connection failed"
        try:
            if text:
                await error.write(f"error forwarding port {port} to pod: {text}".encode())
            await error.end()
            await data.end()
        except ConnectionError:
            return
