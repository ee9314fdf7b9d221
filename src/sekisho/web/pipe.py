"""Connections that are more than a request and its answer: bytes both ways after an upgrade."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from aiohttp import web

MAX_MESSAGE: Final = 4 * 1024 * 1024
"""Bytes of one WebSocket message; clients of Kubernetes send at most some tens of kilobytes."""

CHUNK: Final = 64 * 1024
"""Bytes read from a connection at once."""


class Pipe(Protocol):
    """Bytes both ways. On a WebSocket what is read and written are whole messages."""

    async def read(self) -> bytes:
        """What comes next, empty at the end."""

    async def write(self, data: bytes) -> None:
        """Send; raises ConnectionError when nobody takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """A request that becomes a connection, which is closed when ``serve`` returns.

    ``websocket`` is the subprotocol of a WebSocket; without it the connection is bare, and ``headers`` are
    those of the 101 (``Upgrade`` among them).
    """

    serve: Callable[[Pipe], Awaitable[None]]
    websocket: str = ""
    headers: Sequence[tuple[str, str]] = ()


async def serve_upgrade(request: web.Request, upgrade: Upgrade) -> web.StreamResponse:
    """Answer a request with an upgrade, and serve the connection until it ends."""
    if upgrade.websocket:
        return await _websocket(request, upgrade)
    return await _bare(request, upgrade)


class _WebSocketPipe:
    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def read(self) -> bytes:
        from aiohttp import WSMsgType

        while True:
            message = await self._socket.receive()
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return b""
            data = message.data.encode() if message.type is WSMsgType.TEXT else bytes(message.data)
            if data:  # Kubernetes' Python client sends text as text
                return data

    async def write(self, data: bytes) -> None:
        await self._socket.send_bytes(data)


async def _websocket(request: web.Request, upgrade: Upgrade) -> web.StreamResponse:
    from aiohttp import web

    socket = web.WebSocketResponse(protocols=(upgrade.websocket,), max_msg_size=MAX_MESSAGE, compress=False)
    await socket.prepare(request)
    try:
        await upgrade.serve(_WebSocketPipe(socket))
    except ConnectionError:
        pass  # the client went away
    finally:
        await socket.close()
    return socket


class _BarePipe:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        try:
            return await self._reader.read(CHUNK)
        except ConnectionError:
            return b""

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


async def _bare(request: web.Request, upgrade: Upgrade) -> web.StreamResponse:
    """Take the connection from aiohttp: it knows no upgrade but WebSockets."""
    from aiohttp import web

    transport = request.transport
    if transport is None:
        return web.Response(status=400)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    transport.resume_reading()
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    lines = ["HTTP/1.1 101 Switching Protocols", *(f"{name}: {value}" for name, value in upgrade.headers)]
    try:
        writer.write("\r\n".join([*lines, "Connection: Upgrade", "", ""]).encode("latin-1"))
        await writer.drain()
        await upgrade.serve(_BarePipe(reader, writer))
    except ConnectionError:
        pass  # the client went away
    finally:
        transport.close()
    return web.Response(status=101)
