"""``pods/portforward``: connections to a Pod's ports.

kubectl opens a pair of SPDY streams for each connection. Clients of the WebSocket protocol name the ports
beforehand and have one connection to each: its data and its errors are two numbered channels.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sekisho.apiserver.runtime import Feed, RuntimeProblem
from sekisho.web.pipe import Pipe
from sekisho.web.spdy import SpdySession, SpdyStream

_LOG: Final = logging.getLogger(__name__)

PROTOCOL: Final = "portforward.k8s.io"
TUNNEL: Final = f"SPDY/3.1+{PROTOCOL}"
"""The subprotocol of a WebSocket that carries SPDY."""

CHANNELS: Final = "v4.channel.k8s.io"
"""The subprotocol of a WebSocket with numbered channels (kubelet's portforward/websocket.go)."""

PIECE: Final = 32 * 1024
"""Bytes of one message."""

PORTS: Final = 100
"""Ports of one WebSocket: their channels are numbered by a byte, two for each."""

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


class NumberedForward:
    """One connection to each of some ports, over a WebSocket with a data and an error channel for each."""

    def __init__(self, connect: Connect, ports: Sequence[int]) -> None:
        self._connect = connect
        self._ports = ports

    async def serve(self, pipe: Pipe) -> None:
        """Until the client goes, or no connection is left."""
        lines = [_Numbered(pipe, 2 * number, port) for number, port in enumerate(self._ports)]
        for line in lines:
            await line.announce()
        work: set[asyncio.Future[None]] = {asyncio.ensure_future(line.carry(self._connect)) for line in lines}
        pump = asyncio.ensure_future(_hand_out(pipe, lines))
        try:
            left = set(work)
            while left and not pump.done():
                done, _ = await asyncio.wait({*left, pump}, return_when=asyncio.FIRST_COMPLETED)
                left -= done
        finally:
            for task in (*work, pump):
                task.cancel()
            await asyncio.gather(*work, pump, return_exceptions=True)


async def _hand_out(pipe: Pipe, lines: Sequence[_Numbered]) -> None:
    """Give what comes to the connection whose channel it is for; one that does not read holds up all."""
    while message := await pipe.read():
        channel, data = message[0], message[1:]
        if channel % 2 == 0 and channel // 2 < len(lines) and data:
            await lines[channel // 2].incoming.put(data)


class _Numbered:
    """One connection of a WebSocket with numbered channels, as a pipe."""

    def __init__(self, pipe: Pipe, channel: int, port: int) -> None:
        self._pipe = pipe
        self._channel = channel
        self._port = port
        self.incoming: Feed[bytes] = Feed()

    async def announce(self) -> None:
        """Say on both channels which port they are of."""
        number = self._port.to_bytes(2, "little")
        for channel in (self._channel, self._channel + 1):
            await self._pipe.write(bytes([channel]) + number)

    async def read(self) -> bytes:
        """What comes next. There is no end but the client's going, which cancels."""
        return await self.incoming.take() or b""

    async def write(self, data: bytes) -> None:
        """In pieces that clients take."""
        for start in range(0, len(data), PIECE):
            await self._pipe.write(bytes([self._channel]) + data[start : start + PIECE])

    async def carry(self, connect: Connect) -> None:
        """The connection; what goes wrong with it is told on its error channel."""
        text = ""
        try:
            await connect(self._port, self)
        except RuntimeProblem as problem:
            text = str(problem)
        except ConnectionError:
            return
        except Exception:  # noqa: BLE001 - one connection may not end the others
            _LOG.exception("a forwarded connection failed")
            text = "the connection failed"
        await self.incoming.close()
        if text:
            message = f"error forwarding port {self._port} to pod: {text}"
            await self._pipe.write(bytes([self._channel + 1]) + message.encode())
