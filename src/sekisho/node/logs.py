"""What containers write: a file for each run of each container, in lines, with the moment of each.

A line of the file is ``<nanoseconds> <F|P> <text>``: P is a piece of a line that goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sekisho.apiserver.runtime import Log, LogLine

MOST: Final = 10 * 1024 * 1024
"""Bytes of a log; then it begins anew, and the one before is kept (containerLogMaxSize)."""

PIECE: Final = 16 * 1024
"""Bytes of a line that are written at once, as container runtimes do."""


class ContainerLog:
    """The log of one run of a container, which it is written to and read from while it grows."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = file
        self._stream = file.open("wb", buffering=0)
        self._size = 0
        self._turn = 0
        self._rest: dict[int, bytes] = {}
        self._ended = False
        self._grown = asyncio.Event()

    def write(self, channel: int, data: bytes) -> None:
        """What came on a channel; lines of different channels are kept apart."""
        *lines, rest = (self._rest.get(channel, b"") + data).split(b"\n")
        for line in lines:
            self._put(line, "F")
        while len(rest) >= PIECE:
            self._put(rest[:PIECE], "P")
            rest = rest[PIECE:]
        self._rest[channel] = rest

    def _put(self, line: bytes, kind: str) -> None:
        while kind == "F" and len(line) > PIECE:
            self._put(line[:PIECE], "P")
            line = line[PIECE:]
        record = f"{time.time_ns()} {kind} ".encode() + line + b"\n"
        if self._size + len(record) > MOST:
            self._stream.close()
            self._file.replace(self._file.with_suffix(".before"))
            self._stream = self._file.open("wb", buffering=0)
            self._size, self._turn = 0, self._turn + 1
        self._stream.write(record)
        self._size += len(record)
        self._grown.set()

    def end(self) -> None:
        """The container has ended: nothing more comes."""
        if self._ended:
            return
        for rest in self._rest.values():
            if rest:
                self._put(rest, "P")
        self._ended = True
        self._stream.close()
        self._grown.set()

    def read(self, *, follow: bool) -> Log:
        """What there is, and with ``follow`` what comes."""
        data = self._file.read_bytes()
        more = None if self._ended or not follow else self._more(len(data), self._turn)
        return Log(lines=list(lines_of(data)), more=more)

    async def _more(self, at: int, turn: int) -> AsyncIterator[LogLine]:
        while True:
            if turn != self._turn:
                at, turn = 0, self._turn
            with self._file.open("rb") as stream:
                stream.seek(at)
                data = stream.read()
            at += len(data)
            for line in lines_of(data):
                yield line
            if self._ended and not data:
                return
            if not data:
                self._grown.clear()
                await self._grown.wait()

    def tail(self, lines: int, size: int) -> str:
        """The last lines, and no more than the last bytes of them."""
        text = b"".join(line.text for line in list(lines_of(self._file.read_bytes()))[-lines:])
        return text[-size:].decode("utf-8", "replace")


def read_file(file: Path) -> Log:
    """The log of a container that has ended."""
    return Log(lines=list(lines_of(file.read_bytes())))


def lines_of(data: bytes) -> Iterator[LogLine]:
    """The lines of a log's file."""
    for record in data.split(b"\n"):
        moment, _, rest = record.partition(b" ")
        kind, _, text = rest.partition(b" ")
        if moment.isdigit():
            when = datetime.fromtimestamp(int(moment) / 1e9, UTC)
            yield LogLine(when=when, text=text + (b"\n" if kind == b"F" else b""))
