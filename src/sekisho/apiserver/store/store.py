"""The store: what exists, in memory; every change written before it is told.

One event loop owns the store. A write is computed outside of it and handed over with the version that it was
computed from; it counts only if that is still the newest one (``Stale`` otherwise). The version of the new
state is handed out here and set in the body, the row goes to the writer thread, and only after COMMIT the
cache, the watchers and the caller learn of it, in the order of versions. So what was acknowledged survives
``kill -9``.

Writes to an object that has one on its way wait for that one.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

import orjson

from sekisho.apiserver import codes
from sekisho.apiserver.store.database import Database, Stored
from sekisho.apiserver.store.hub import Hub
from sekisho.apiserver.store.model import About, Event, Op, Place, Row
from sekisho.diag import Diagnostic, DiagnosticError

BATCH: Final = 512
"""Changes of one transaction at most: larger ones gain nothing and make the first caller wait."""

KEEP: Final = 1_000
"""Versions that stay watchable after compaction."""

COMPACT_EVERY: Final = 10_000
"""Changes after which old versions are deleted."""

SLICE: Final = 2_000
"""Old versions deleted in one transaction, between two batches of writes."""

Describe = Callable[[Place, Mapping[str, Any]], Mapping[str, str]]
"""The values that field selectors ask of an object, by the path that selectors write."""


class Stale(Exception):
    """The object is not the version that the write was computed from. ``row`` is the newest one, if any."""

    def __init__(self, row: Row | None) -> None:
        super().__init__("the object has changed")
        self.row = row


class Broken(DiagnosticError):
    """The file cannot be written: the change did not happen."""


@dataclass(slots=True)
class _Pending:
    row: Row
    op: Op
    before: Row | None
    done: asyncio.Future[Row] = field(repr=False)


Objects = dict[tuple[str, str], Row]
"""The objects of one resource by namespace and name."""


class Store:
    """The opened store. ``open`` is the way in; everything is called in the loop that opened it."""

    def __init__(self, database: Database, describe: Describe, loop: asyncio.AbstractEventLoop) -> None:
        self._database = database
        self._describe = describe
        self._loop = loop
        self._objects: dict[tuple[str, str], Objects] = {}
        self._pending: dict[Place, _Pending] = {}
        self._queue: SimpleQueue[_Pending | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, name="sekisho-store", daemon=True)
        self._since_compaction = 0
        self.hub = Hub()
        self._version = database.newest
        self._published = self._version
        for stored in database.objects():
            row = Row(stored.place, stored.version, stored.body, self._read)
            self._of(stored.place.resource)[stored.place.namespace, stored.place.name] = row
        self.hub.begin(self._recent(), max(database.compacted, self._version - KEEP))
        database.check()
        self._writer.start()

    @classmethod
    def open(cls, folder: Path, describe: Describe) -> Store:
        """Open the store of a folder, in the running loop. Raises DiagnosticError (API001-API003)."""
        database = Database(folder)
        try:
            return cls(database, describe, asyncio.get_running_loop())
        except BaseException:
            database.close()
            raise

    @property
    def version(self) -> int:
        """The version of everything that has been told."""
        return self._published

    def get(self, place: Place) -> Row | None:
        """An object, None if there is none."""
        found = self._objects.get(place.resource)
        return found.get((place.namespace, place.name)) if found else None

    def rows(self, resource: tuple[str, str], namespace: str = "") -> list[Row]:
        """The objects of a resource, of one namespace or of all, by namespace and name."""
        found = self._objects.get(resource, {})
        if namespace:
            return sorted(
                (row for key, row in found.items() if key[0] == namespace), key=lambda row: row.place
            )
        return [found[key] for key in sorted(found)]

    def resources(self) -> Iterable[tuple[str, str]]:
        """The resources that have objects."""
        return [resource for resource, found in self._objects.items() if found]

    async def write(self, place: Place, value: dict[str, Any], *, base: Row | None) -> Row:
        """Store a new state of an object; ``base`` is what it was computed from, None for a new object.

        ``value`` gets its version set. Raises Stale, and Broken when the file cannot be written.
        """
        return await self._change(place, Op.MODIFIED if base else Op.ADDED, value, base)

    async def delete(self, base: Row, value: dict[str, Any] | None = None) -> Row:
        """Remove an object; the last state (``value``, else the base) is told under a version of its own."""
        return await self._change(base.place, Op.DELETED, base.load() if value is None else value, base)

    async def _change(self, place: Place, op: Op, value: dict[str, Any], base: Row | None) -> Row:
        while (pending := self._pending.get(place)) is not None:
            await asyncio.wait([pending.done])
        current = self.get(place)
        if (current.version if current else 0) != (base.version if base else 0):
            raise Stale(current)
        self._version += 1
        value["metadata"]["resourceVersion"] = str(self._version)
        row = Row(place, self._version, orjson.dumps(value), self._about(place, value))
        pending = _Pending(row, op, current, self._loop.create_future())
        self._pending[place] = pending
        self._queue.put(pending)
        return await asyncio.shield(pending.done)

    def _read(self, place: Place, body: bytes) -> About:
        return self._about(place, orjson.loads(body))

    def _about(self, place: Place, value: Any) -> About:
        metadata = value.get("metadata") or {}
        uid, labels = metadata.get("uid") or "", metadata.get("labels") or {}
        return About(uid, labels, self._describe(place, value))

    def _of(self, resource: tuple[str, str]) -> Objects:
        return self._objects.setdefault(resource, {})

    def _recent(self) -> list[Event]:
        """The changes that watches can still begin before, from the file."""
        before: dict[Place, Row] = {}
        found: list[Event] = []
        for stored in self._database.history(max(0, self._version - KEEP)):
            row = Row(stored.place, stored.version, stored.body, self._read)
            found.append(Event(op=stored.op, row=row, before=before.get(stored.place)))
            before[stored.place] = row
        return found

    # The writer thread.

    def _write_all(self) -> None:
        while True:
            first = self._queue.get()
            batch = [] if first is None else [first]
            stop = first is None
            while not stop and len(batch) < BATCH and not self._queue.empty():
                item = self._queue.get()
                stop = item is None
                if item is not None:
                    batch.append(item)
            if batch:
                self._write(batch)
            if stop:
                return

    def _write(self, batch: list[_Pending]) -> None:
        try:
            self._database.write([Stored(p.row.version, p.row.place, p.op, p.row.body) for p in batch])
        except sqlite3.Error as error:
            message = f"the objects cannot be written: {error}"
            problem = Diagnostic(code=codes.UNUSABLE_STORE, message=message)
            self._loop.call_soon_threadsafe(self._fail, batch, problem)
            return
        self._loop.call_soon_threadsafe(self._publish, batch)
        self._since_compaction += len(batch)
        if self._since_compaction >= COMPACT_EVERY:
            self._since_compaction = 0
            self._compact(batch[-1].row.version - KEEP)

    def _compact(self, up_to: int) -> None:
        """Delete old versions in slices; what waits in the queue comes in between."""
        try:
            if self._database.compact(up_to, SLICE) == SLICE:
                self._since_compaction = COMPACT_EVERY
        except sqlite3.Error:
            return  # they stay for the next time; a full disk shows at the next write
        self._loop.call_soon_threadsafe(self.hub.forget, up_to)

    # Back in the loop.

    def _publish(self, batch: list[_Pending]) -> None:
        for pending in batch:
            row = pending.row
            place = row.place
            objects = self._of(place.resource)
            if pending.op is Op.DELETED:
                objects.pop((place.namespace, place.name), None)
            else:
                objects[place.namespace, place.name] = row
            self._published = row.version
            del self._pending[place]
            self.hub.publish(Event(op=pending.op, row=row, before=pending.before))
            if not pending.done.done():
                pending.done.set_result(row)

    def _fail(self, batch: list[_Pending], problem: Diagnostic) -> None:
        """Nothing of the batch happened. A later write may succeed: the disk may have room again."""
        for pending in batch:
            del self._pending[pending.row.place]
            if not pending.done.done():
                pending.done.set_exception(Broken(problem))

    async def compact(self, up_to: int) -> None:
        """Forget versions up to one, for tests and for an operator; watches from before must begin anew."""
        await asyncio.to_thread(self._database.compact, up_to, 1_000_000)
        self.hub.forget(up_to)

    @property
    def closed(self) -> bool:
        """Whether nobody is told anything any more."""
        return self.hub.closed

    async def close(self) -> None:
        """Write what is on its way, end the watches, close the file."""
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        self.hub.close()
        self._database.close()
