"""What runs the containers of Pods, as the API sees it: logs, commands, connections.

The API has none of its own. Whoever runs Pods gives it one; it is called in the API's loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sekisho.web.pipe import Pipe

Raw = Mapping[str, Any]
T = TypeVar("T")


class RuntimeProblem(Exception):
    """The runtime cannot do what is asked. The text says why, to the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line that a container wrote: when, and its bytes with the line's end."""

    when: datetime
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The log of a container: what there is, and what comes after it, without a gap between them.

    ``more`` ends with the container.
    """

    lines: Sequence[LogLine] = ()
    more: AsyncIterator[LogLine] | None = None


class Feed(Generic[T]):
    """Values that come while somebody waits for them. Iterate it; it ends when it is closed."""

    def __init__(self, room: int = 64) -> None:
        self._waiting: deque[T] = deque()
        self._room = room
        self._closed = False
        self._changed = asyncio.Condition()

    async def put(self, value: T) -> None:
        """Add a value; waits while too many wait. What comes after the end is dropped."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or len(self._waiting) < self._room)
            if not self._closed:
                self._waiting.append(value)
            self._changed.notify_all()

    async def close(self) -> None:
        """No more comes."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def take(self) -> T | None:
        """The next value; None when there will be no more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or bool(self._waiting))
            if not self._waiting:
                return None
            value = self._waiting.popleft()
            self._changed.notify_all()
            return value

    async def __aiter__(self) -> AsyncIterator[T]:
        while (value := await self.take()) is not None:
            yield value


Write = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """What a command reads and writes. ``stdin`` and ``stderr`` are None where the client has none.

    ``sizes`` are those of its terminal: columns and rows.
    """

    stdout: Write
    stderr: Write
    stdin: Feed[bytes] | None = None
    tty: bool = False
    sizes: Feed[tuple[int, int]] = field(default_factory=Feed)


class PodRuntime(Protocol):
    """Runs Pods. Every method may raise RuntimeProblem; a client that goes away cancels them."""

    async def logs(self, pod: Raw, container: str, *, follow: bool, previous: bool) -> Log:
        """The log of a container, of the one before it with ``previous``."""

    async def exec(self, pod: Raw, container: str, command: Sequence[str], streams: Streams) -> int:
        """Run a command in a container; its exit code."""

    async def attach(self, pod: Raw, container: str, streams: Streams) -> int:
        """Join a container's own process; its exit code."""

    async def connect(self, pod: Raw, port: int, pipe: Pipe) -> None:
        """Carry one connection to a port of a Pod, until one side ends it."""
