"""Who watches: recent changes by resource, and a bounded queue for each watcher.

A watcher that does not keep up is dropped: its stream ends, and its client lists anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from sekisho.apiserver.store.model import Event

RECENT: Final = 2_000
"""Changes kept in memory for each resource, for watches that begin in the past."""

QUEUE: Final = 10_000
"""Changes that may wait for one watcher: some seconds of the fastest writing."""


Listener = Callable[[Event], None]
"""Is told of a change at once, in the loop; must neither wait nor raise."""


EVERYTHING: Final = ("*", "*")
"""Who watches this is told of every resource, from now on."""


class TooOld(Exception):
    """A watch would begin before what is remembered. ``oldest`` is the first version that it may begin at."""

    def __init__(self, oldest: int) -> None:
        super().__init__("the version is too old")
        self.oldest = oldest


class Watcher:
    """One stream of changes. Iterate it; it ends when the watcher is closed, dropped, or the store is."""

    def __init__(self, hub: Hub, resource: tuple[str, str], events: Iterable[Event]) -> None:
        self._hub = hub
        self._resource = resource
        self._waiting = deque(events)
        self._wake = asyncio.Event()
        self.ended = False
        if self._waiting:
            self._wake.set()

    def offer(self, event: Event) -> None:
        """Add a change; a queue that is full ends the watch."""
        if len(self._waiting) >= QUEUE:
            self.close()
            return
        self._waiting.append(event)
        self._wake.set()

    async def take(self) -> list[Event]:
        """All changes that wait, at least one; empty at the end."""
        while not self._waiting:
            if self.ended:
                return []
            self._wake.clear()
            await self._wake.wait()
        found = list(self._waiting)
        self._waiting.clear()
        return found

    async def __aiter__(self) -> AsyncIterator[Event]:
        while events := await self.take():
            for event in events:
                yield event

    @property
    def waits(self) -> bool:
        """Whether a change waits."""
        return bool(self._waiting)

    def close(self) -> None:
        """Take no more; what waits can still be taken."""
        self.ended = True
        self._hub.leave(self._resource, self)
        self._wake.set()


class Hub:
    """All watchers of a store."""

    def __init__(self) -> None:
        self._watchers: dict[tuple[str, str], set[Watcher]] = {}
        self._recent: dict[tuple[str, str], deque[Event]] = {}
        self._dropped: dict[tuple[str, str], int] = {}
        self._listeners: dict[tuple[str, str], list[Listener]] = {}
        self._oldest = 0
        self._closed = False

    def begin(self, events: Iterable[Event], oldest: int) -> None:
        """Start with what the file still has; before ``oldest`` nothing is known."""
        self._oldest = oldest
        for event in events:
            self._remember(event)

    def _remember(self, event: Event) -> None:
        resource = event.row.place.resource
        recent = self._recent.setdefault(resource, deque())
        recent.append(event)
        if len(recent) > RECENT:
            self._dropped[resource] = recent.popleft().version

    @property
    def closed(self) -> bool:
        """Whether every watch has ended for good."""
        return self._closed

    @property
    def oldest(self) -> int:
        """The first version that is remembered for every resource."""
        return self._oldest

    def publish(self, event: Event) -> None:
        """Tell everybody who listens or watches."""
        self._remember(event)
        for listener in self._listeners.get(event.row.place.resource, ()):
            listener(event)
        for resource in (event.row.place.resource, EVERYTHING):
            for watcher in tuple(self._watchers.get(resource, ())):
                watcher.offer(event)

    def watch(self, resource: tuple[str, str], after: int) -> Watcher:
        """Watch the changes of a resource after a version, or of EVERYTHING after now; raises TooOld."""
        if resource == EVERYTHING:
            return self._join(resource, Watcher(self, resource, ()))
        oldest = max(self._oldest, self._dropped.get(resource, 0))
        if after < oldest:
            raise TooOld(oldest)
        missed = [event for event in self._recent.get(resource, ()) if event.version > after]
        return self._join(resource, Watcher(self, resource, missed))

    def _join(self, resource: tuple[str, str], watcher: Watcher) -> Watcher:
        if self._closed:
            watcher.close()
        else:
            self._watchers.setdefault(resource, set()).add(watcher)
        return watcher

    def listen(self, resource: tuple[str, str], listener: Listener) -> None:
        """Tell a listener of every change of a resource, before whoever made it."""
        self._listeners.setdefault(resource, []).append(listener)

    def end(self, resource: tuple[str, str]) -> None:
        """End the watches of a resource: its clients list anew."""
        for watcher in tuple(self._watchers.get(resource, ())):
            watcher.close()

    def leave(self, resource: tuple[str, str], watcher: Watcher) -> None:
        """A watcher goes."""
        self._watchers.get(resource, set()).discard(watcher)

    def forget(self, up_to: int) -> None:
        """Changes up to a version are not remembered any more."""
        self._oldest = max(self._oldest, up_to)
        for recent in self._recent.values():
            while recent and recent[0].version <= up_to:
                recent.popleft()

    def close(self) -> None:
        """End every watch."""
        self._closed = True
        for watchers in tuple(self._watchers.values()):
            for watcher in tuple(watchers):
                watcher.close()
