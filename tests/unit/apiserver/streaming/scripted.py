"""A runtime that does what a script says, and no process runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sekisho.apiserver.runtime import Log, LogLine, RuntimeProblem, Streams
from sekisho.web.pipe import Pipe

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def lines(*texts: str, start: int = 0) -> list[LogLine]:
    return [
        LogLine(when=START + timedelta(seconds=start + number), text=f"{text}\n".encode())
        for number, text in enumerate(texts)
    ]


class Scripted:
    """Knows the commands ``echo``, ``cat``, ``fail CODE``, ``size``, ``both``, ``sleep`` and what tar needs."""

    def __init__(self) -> None:
        self.cancelled = False
        self.received = bytearray()

    async def logs(self, pod: Mapping[str, Any], container: str, *, follow: bool, previous: bool) -> Log:
        if previous:
            name = pod["metadata"]["name"]
            raise RuntimeProblem(f'previous terminated container "{container}" in pod "{name}" not found')
        return Log(lines=lines("one", "two", "three"), more=self._more() if follow else None)

    async def _more(self) -> AsyncIterator[LogLine]:
        for line in lines("four", "five", start=3):
            yield line

    async def exec(
        self, pod: Mapping[str, Any], container: str, command: Sequence[str], streams: Streams
    ) -> int:
        name, *arguments = command
        if name == "echo":
            await streams.stdout(" ".join(arguments).encode() + b"\n")
            return 0
        if name == "both":
            await streams.stdout(b"out\n")
            await streams.stderr(b"err\n")
            return 0
        if name == "fail":
            return int(arguments[0])
        if name == "size":
            async for width, height in streams.sizes:
                await streams.stdout(f"{width}x{height}\n".encode())
                return 0
        if name in ("cat", "tar"):
            return await self._cat(streams)
        if name == "sleep":
            await self._sleep()
        raise RuntimeProblem(f'exec: "{name}": executable file not found in $PATH')

    async def _cat(self, streams: Streams) -> int:
        assert streams.stdin is not None
        async for data in streams.stdin:
            self.received += data
            await streams.stdout(data)
        return 0

    async def _sleep(self) -> None:
        import asyncio

        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled = True

    async def attach(self, pod: Mapping[str, Any], container: str, streams: Streams) -> int:
        await streams.stdout(f"attached to {container}\n".encode())
        return 0

    async def connect(self, pod: Mapping[str, Any], port: int, pipe: Pipe) -> None:
        if port == 1:
            raise RuntimeProblem("nothing listens there")
        while data := await pipe.read():
            await pipe.write(data.upper())
