"""SPDY/3.1, the server's side: streams over one connection, as Kubernetes' clients still speak it.

Windows are ignored, as the clients ignore them; what is read is held back by the size of the queues instead.
What breaks the protocol ends the connection.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sekisho.web.pipe import Pipe
from sekisho.web.spdydictionary import DICTIONARY

VERSION: Final = 0x8003
SYN_STREAM: Final = 1
SYN_REPLY: Final = 2
RST_STREAM: Final = 3
PING: Final = 6
GOAWAY: Final = 7
HEADERS: Final = 8
FIN: Final = 1

MAX_CONTROL: Final = 64 * 1024
"""Bytes of a control frame; headers of Kubernetes are some hundred."""

MAX_HEADERS: Final = 64 * 1024
"""Bytes of headers after decompression."""

MAX_STREAMS: Final = 1_000
"""Streams of one connection at a time: five hundred forwarded connections."""

QUEUE: Final = 1024 * 1024
"""Bytes that wait in one stream before the connection is no longer read."""

DATA: Final = 32 * 1024
"""Bytes of a data frame that is sent."""


class SpdyError(ConnectionError):
    """The other side breaks the protocol."""


class SpdyStream:
    """One stream. ``headers`` are in small letters."""

    def __init__(self, session: SpdySession, number: int, headers: Mapping[str, str]) -> None:
        self.number = number
        self.headers = headers
        self._session = session
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._sent_end = False

    async def read(self) -> bytes:
        """What comes next, empty at the end."""
        while not self._waiting:
            if self._ended:
                return b""
            self._wake.clear()
            await self._wake.wait()
        data = self._waiting.popleft()
        self._size -= len(data)
        if self._size < QUEUE:
            self._room.set()
        return data

    async def write(self, data: bytes) -> None:
        """Send; raises ConnectionError when nobody takes it."""
        for start in range(0, len(data), DATA):
            await self._session.send_data(self.number, data[start : start + DATA])

    async def end(self) -> None:
        """Say that nothing more comes."""
        if not self._sent_end:
            self._sent_end = True
            await self._session.send_data(self.number, b"", FIN)
            self._forget()

    async def offer(self, data: bytes) -> None:
        """Data of the other side; waits while too much waits to be read."""
        self._waiting.append(data)
        self._size += len(data)
        self._wake.set()
        if self._size >= QUEUE:
            self._room.clear()
            await self._room.wait()

    def close(self) -> None:
        """The other side sends no more."""
        self._ended = True
        self._room.set()
        self._wake.set()
        self._forget()

    def _forget(self) -> None:
        if self._ended and self._sent_end:
            self._session.streams.pop(self.number, None)


Accept = Callable[[SpdyStream], Awaitable[None]]


class SpdySession:
    """A connection. ``run`` reads it until it ends; ``accept`` is told of each new stream."""

    def __init__(self, pipe: Pipe, accept: Accept) -> None:
        self._pipe = pipe
        self._accept = accept
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._writing = asyncio.Lock()
        self._last = 0
        self.streams: dict[int, SpdyStream] = {}

    async def run(self) -> None:
        """Read until the other side goes. Raises SpdyError where it breaks the protocol."""
        try:
            while (head := await self._take(8)) is not None:
                flags, size = head[4], int.from_bytes(head[5:8], "big")
                if head[0] & 0x80:
                    await self._control(head, flags, size)
                else:
                    await self._data(int.from_bytes(head[:4], "big"), flags, size)
        finally:
            for stream in tuple(self.streams.values()):
                stream.close()

    async def send_data(self, number: int, data: bytes, flags: int = 0) -> None:
        """A data frame."""
        await self._send(struct.pack(">IB", number, flags) + len(data).to_bytes(3, "big") + data)

    async def reply(self, stream: SpdyStream) -> None:
        """Accept a stream."""
        async with self._writing:  # headers are compressed in the order in which they are sent
            block = struct.pack(">I", 0)
            packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            await self._pipe.write(_frame(SYN_REPLY, struct.pack(">I", stream.number) + packed))

    async def go_away(self) -> None:
        """Say that the connection ends."""
        await self._send(_frame(GOAWAY, struct.pack(">II", self._last, 0)))

    async def _send(self, frame: bytes) -> None:
        async with self._writing:
            await self._pipe.write(frame)

    async def _take(self, count: int) -> bytes | None:
        """So many bytes; None at the end."""
        while len(self._buffer) < count:
            data = await self._pipe.read()
            if not data:
                return None
            self._buffer += data
        found = bytes(self._buffer[:count])
        del self._buffer[:count]
        return found

    async def _data(self, number: int, flags: int, size: int) -> None:
        stream = self.streams.get(number)
        while size > 0:
            piece = await self._take(min(size, DATA))
            if piece is None:
                return
            size -= len(piece)
            if stream is not None:
                await stream.offer(piece)
        if flags & FIN and stream is not None:
            stream.close()

    async def _control(self, head: bytes, flags: int, size: int) -> None:
        if size > MAX_CONTROL:
            raise SpdyError("a control frame is too long")
        body = await self._take(size)
        if body is None:
            return
        version, kind = struct.unpack(">HH", head[:4])
        if version != VERSION:
            raise SpdyError("not SPDY/3")
        if kind == SYN_STREAM:
            await self._opened(body, flags)
        elif kind in (SYN_REPLY, HEADERS):
            self._headers(body[4:])  # the compression goes on over all of them
        elif kind == RST_STREAM and len(body) >= 4:
            stream = self.streams.pop(int.from_bytes(body[:4], "big"), None)
            if stream is not None:
                stream.close()
        elif kind == PING and len(body) == 4:
            await self._send(_frame(PING, body))

    async def _opened(self, body: bytes, flags: int) -> None:
        if len(body) < 10:
            raise SpdyError("a SYN_STREAM is too short")
        number = int.from_bytes(body[:4], "big") & 0x7FFF_FFFF
        headers = self._headers(body[10:])
        if number <= self._last or len(self.streams) >= MAX_STREAMS:
            raise SpdyError("a stream may not be opened")
        self._last = number
        stream = self.streams[number] = SpdyStream(self, number, headers)
        if flags & FIN:
            stream.close()
        await self._accept(stream)

    def _headers(self, packed: bytes) -> dict[str, str]:
        try:
            block = self._inflate.decompress(packed, MAX_HEADERS)
        except zlib.error:
            raise SpdyError("headers cannot be decompressed") from None
        if self._inflate.unconsumed_tail:
            raise SpdyError("headers are too long")
        return _read_headers(block)


def _frame(kind: int, body: bytes) -> bytes:
    return struct.pack(">HHB", VERSION, kind, 0) + len(body).to_bytes(3, "big") + body


def _read_headers(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 4
    for _ in range(int.from_bytes(block[:4], "big")):
        pair = []
        for _ in range(2):
            size = int.from_bytes(block[at : at + 4], "big")
            text = block[at + 4 : at + 4 + size]
            if len(text) != size or at + 4 > len(block):
                raise SpdyError("headers are cut off")
            pair.append(text.decode("latin-1"))
            at += 4 + size
        found[pair[0].lower()] = pair[1]
    return found
