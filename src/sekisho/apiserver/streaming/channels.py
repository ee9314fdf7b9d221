"""The streams of a command, over a WebSocket or over SPDY (remotecommand).

Over a WebSocket the first byte of each message is the channel. Over SPDY each channel is a stream that the
client opens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

import orjson

from sekisho.apiserver.runtime import Feed
from sekisho.web.pipe import Pipe
from sekisho.web.spdy import SpdySession, SpdyStream

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
NAMES: Final = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}

WEBSOCKET: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
SPDY: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
"""Protocols that are spoken, the best first."""

OPEN_SECONDS: Final = 30.0
"""How long a client may take to open the streams that it named (remotecommand's stream creation timeout)."""

START_SECONDS: Final = 0.05
"""How long a command over a WebSocket waits: kubectl before 1.33 reads messages before it has made streams
for them, and drops those (client-go remotecommand/websocket.go)."""

LEAVE_SECONDS: Final = 5.0
"""How long a client of SPDY may take to read what is left and go; a WebSocket is closed by the server."""

PIECE: Final = 32 * 1024
"""Bytes of one message."""


class Channels(Protocol):
    """One command's streams."""

    stdin: Feed[bytes]
    sizes: Feed[tuple[int, int]]
    patience: float
    """Seconds that the client may take to go once it has been told the status."""

    async def ready(self) -> bool:
        """Wait until the client has opened everything; False if it does not."""

    async def pump(self) -> None:
        """Read what the client sends until it goes."""

    async def write(self, channel: int, data: bytes) -> None:
        """Send on a channel."""

    async def finish(self, status: bytes) -> None:
        """Tell how it ended; nothing is sent after it."""


class WebSocketChannels:
    """Over a WebSocket."""

    patience = 0.0

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.stdin: Feed[bytes] = Feed()
        self.sizes: Feed[tuple[int, int]] = Feed()

    async def ready(self) -> bool:
        """After a moment: the client says nothing about it."""
        await asyncio.sleep(START_SECONDS)
        return True

    async def pump(self) -> None:
        """Until the client goes."""
        while message := await self._pipe.read():
            channel, data = message[0], message[1:]
            if channel == STDIN and data:
                await self.stdin.put(data)
            elif channel == RESIZE:
                await _resize(self.sizes, data)
            elif channel == CLOSE and data[:1] == bytes([STDIN]):
                await self.stdin.close()
        await self.stdin.close()
        await self.sizes.close()

    async def write(self, channel: int, data: bytes) -> None:
        """In pieces that clients take."""
        for start in range(0, len(data), PIECE):
            await self._pipe.write(bytes([channel]) + data[start : start + PIECE])

    async def finish(self, status: bytes) -> None:
        """The status; the caller closes the connection."""
        await self._pipe.write(bytes([ERROR]) + status)


class SpdyChannels:
    """Over SPDY. ``wanted`` are the channels that the client said it would open."""

    patience = LEAVE_SECONDS

    def __init__(self, pipe: Pipe, wanted: Iterable[int]) -> None:
        self._missing = set(wanted)
        self._streams: dict[int, SpdyStream] = {}
        self._session = SpdySession(pipe, self._accept)
        self._tasks: list[asyncio.Task[None]] = []
        self._complete = asyncio.Event()
        self.stdin: Feed[bytes] = Feed()
        self.sizes: Feed[tuple[int, int]] = Feed()

    async def _accept(self, stream: SpdyStream) -> None:
        channel = NAMES.get(stream.headers.get("streamtype", ""))
        if channel is None or channel in self._streams:
            await stream.end()
            return
        self._streams[channel] = stream
        await self._session.reply(stream)
        if channel == STDIN:
            self._tasks.append(asyncio.create_task(self._read_stdin(stream)))
        elif channel == RESIZE:
            self._tasks.append(asyncio.create_task(self._read_sizes(stream)))
        self._missing.discard(channel)
        if not self._missing:
            self._complete.set()

    async def _read_stdin(self, stream: SpdyStream) -> None:
        while data := await stream.read():
            await self.stdin.put(data)
        await self.stdin.close()

    async def _read_sizes(self, stream: SpdyStream) -> None:
        while data := await stream.read():
            await _resize(self.sizes, data)

    async def ready(self) -> bool:
        """When every stream that was named is open."""
        try:
            await asyncio.wait_for(self._complete.wait(), OPEN_SECONDS)
        except TimeoutError:
            return False
        return True

    async def pump(self) -> None:
        """Until the client goes."""
        try:
            await self._session.run()
        finally:
            for task in self._tasks:
                task.cancel()
            await self.stdin.close()
            await self.sizes.close()

    async def write(self, channel: int, data: bytes) -> None:
        """On the channel's stream, if the client opened it."""
        stream = self._streams.get(channel)
        if stream is not None:
            await stream.write(data)

    async def finish(self, status: bytes) -> None:
        """The status, and the end of every stream."""
        await self.write(ERROR, status)
        for stream in self._streams.values():
            await stream.end()
        await self._session.go_away()


async def _resize(sizes: Feed[tuple[int, int]], data: bytes) -> None:
    """A terminal's size; what is none is no reason to end a command."""
    try:
        value = orjson.loads(data)
        width, height = int(value["Width"]), int(value["Height"])
    except (ValueError, KeyError, TypeError):
        return
    await sizes.put((width, height))
