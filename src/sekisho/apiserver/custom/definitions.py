"""The definitions of a store: what they get, what is served because of them, and how they end.

What is served follows from the stored definitions alone, and at once: a listener of the store makes the
resources anew before whoever wrote a definition hears of it. ``settle`` then writes what has become of the
definitions: the names that each has got, and the end of those that are deleted, whose objects are deleted
first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from sekisho.apiserver import names
from sekisho.apiserver.background import Background
from sekisho.apiserver.custom.accept import set_condition, status_of
from sekisho.apiserver.custom.definition import CLEANUP, ESTABLISHED, KEY, TERMINATING, Definition
from sekisho.apiserver.custom.serve import Served, types_of
from sekisho.apiserver.store import Broken, Event, Op, Place, Row, Stale, Store
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.webhooks import Caller
from sekisho.diag import DiagnosticError

_LOG: Final = logging.getLogger(__name__)

Key = tuple[str, str]

DELETED: Final = b'"deletionTimestamp"'
"""What a definition has in it that is to go; it may stand in a schema too, and then costs a look."""


class _Parsed(NamedTuple):
    """A version of a definition. Who was created first keeps its names."""

    version: int
    created: str
    definition: Definition


class Definitions:
    """Serves what the definitions of a store define. ``serve`` is told the resources of all of them."""

    def __init__(self, store: Store, caller: Caller, serve: Callable[[list[ResourceType]], None]) -> None:
        self._store = store
        self._caller = caller
        self._serve = serve
        self._served: dict[str, tuple[bytes, list[ResourceType]]] = {}
        self._ending: set[Key] = set()
        self._heard: set[Key] = set()
        self._parsed: dict[str, _Parsed] = {}
        self._settled: dict[str, int] = {}
        self._lock = asyncio.Lock()
        self._background = Background()
        store.hub.listen(KEY, self._changed)
        for row in store.rows(KEY):
            self._read(row)
        self._tell()

    # What is served.

    def _changed(self, event: Event) -> None:
        """A definition was written: serve what it now says, and end the watches of what it no longer says."""
        name = event.row.place.name
        before = self._served.get(name)
        if event.op is Op.DELETED:
            self._served.pop(name, None)
            self._parsed.pop(name, None)
            self._settled.pop(name, None)
        else:
            self._read(event.row)
            if DELETED in event.row.body:
                # Whoever deletes it in this process, as the garbage collector does, does not settle it.
                self._background.start(self.settle)
        after = self._served.get(name)
        if before is not after:
            self._tell()
            for key in {row.key for row in (before[1] if before else [])}:
                self._store.hub.end(key)

    def _read(self, row: Row) -> None:
        raw = row.load()
        status = raw.get("status") or {}
        shape = orjson.dumps([raw["spec"], status.get("acceptedNames"), _conditions(status)])
        known = self._served.get(row.place.name)
        if known is not None and known[0] == shape:
            return
        definition = Definition.of(raw)
        types: list[ResourceType] = []
        if definition.established:
            try:
                types = types_of(definition, self._caller)
            except DiagnosticError as error:
                _LOG.error(
                    "the schema of %s cannot be used: %s", definition.name, error.diagnostics[0].message
                )
        self._served[row.place.name] = (shape, types)
        for type in types:
            if type.key not in self._heard:
                self._heard.add(type.key)
                self._store.hub.listen(type.key, self._object_changed)

    def _tell(self) -> None:
        self._serve([type for _, types in self._served.values() for type in types])

    def _object_changed(self, event: Event) -> None:
        """An object of a definition is gone: forget it; it may have been the last one."""
        if event.op is not Op.DELETED:
            return
        place = event.row.place
        for _, types in self._served.values():
            for type in types:
                if type.key == place.resource and isinstance(type.custom, Served):
                    type.custom.forget(place)
        if place.resource in self._ending and not self._store.rows(place.resource):
            self._background.start(self.settle)

    # What becomes of definitions.

    async def settle(self) -> None:
        """Write what has become of the definitions, until nothing is left to write."""
        async with self._lock:
            while await self._settle_once():
                pass

    async def _settle_once(self) -> bool:
        rows = sorted(self._store.rows(KEY), key=lambda row: (self._parse(row).created, row.place.name))
        known = {row.place.name: self._parse(row).definition for row in rows}
        changed = False
        for row in rows:
            if self._settled.get(row.place.name) != row.version:
                changed |= await self._settle_row(row, known)
        return changed

    def _parse(self, row: Row) -> _Parsed:
        """What a definition says, read once for each version."""
        found = self._parsed.get(row.place.name)
        if found is None or found.version != row.version:
            raw = row.load()
            created = str(raw["metadata"].get("creationTimestamp") or "")
            found = self._parsed[row.place.name] = _Parsed(row.version, created, Definition.of(raw))
        return found

    async def _settle_row(self, row: Row, known: Mapping[str, Definition]) -> bool:
        raw, definition = row.load(), known[row.place.name]
        try:
            if raw["metadata"].get("deletionTimestamp"):
                return await self._end(row, raw, definition)
            others = (
                other
                for other in known.values()
                if other is not definition and other.group == definition.group
            )
            return await self._accept(row, raw, definition, others)
        except Stale:
            return True

    async def _accept(
        self, row: Row, raw: dict[str, Any], definition: Definition, others: Iterable[Definition]
    ) -> bool:
        status = raw.get("status") or {}
        found = status_of(definition, status, others)
        if found == status:
            if definition.established and definition.accepted == definition.names:
                # It has all that it asked for, and nobody can take it: nothing will come of it again.
                self._settled[row.place.name] = row.version
            return False
        await self._store.write(row.place, {**raw, "status": found}, base=row)
        return True

    async def _end(self, row: Row, raw: dict[str, Any], definition: Definition) -> bool:
        """Delete the objects of a definition, then let it go; whether something was written."""
        metadata = raw["metadata"]
        if CLEANUP not in (metadata.get("finalizers") or ()):
            return False
        key = (definition.group, definition.accepted.plural)
        if definition.established:
            self._ending.add(key)
            for item in self._store.rows(key):
                await _delete(self._store, item)
            if self._store.rows(key):
                return False
        self._ending.discard(key)
        status = dict(raw.get("status") or {})
        conditions = [dict(item) for item in status.get("conditions") or ()]
        reason = ("InstanceDeletionCompleted", "removed all instances")
        if not definition.established:
            reason = ("NeverEstablished", "resource was never established")
        set_condition(conditions, TERMINATING, False, *reason)
        left = [item for item in metadata["finalizers"] if item != CLEANUP]
        metadata["finalizers"] = left
        if not left:
            del metadata["finalizers"]
        value = {**raw, "status": {**status, "conditions": conditions}}
        if left:
            await self._store.write(row.place, value, base=row)
        else:
            await self._store.delete(row, value)
        return True

    async def close(self) -> None:
        """Stop what is under way."""
        await self._background.close()


async def _delete(store: Store, row: Row) -> None:
    """Delete an object, or begin to where finalizers hold it."""
    value = row.load()
    metadata = value["metadata"]
    try:
        if not metadata.get("finalizers"):
            await store.delete(row)
        elif not metadata.get("deletionTimestamp"):
            metadata |= {"deletionTimestamp": names.timestamp(), "deletionGracePeriodSeconds": 0}
            metadata["generation"] = int(metadata.get("generation", 0)) + 1
            await store.write(row.place, value, base=row)
    except Stale:
        newer = store.get(row.place)
        if newer is not None:
            await _delete(store, newer)
    except Broken as error:
        _LOG.error("an object could not be deleted: %s", error.diagnostics[0].message)


def begin_end(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that is to be deleted: its objects come first."""
    metadata, status = dict(raw["metadata"]), dict(raw.get("status") or {})
    if CLEANUP not in (metadata.get("finalizers") or ()):
        metadata["finalizers"] = [*(metadata.get("finalizers") or ()), CLEANUP]
    conditions = [dict(item) for item in status.get("conditions") or ()]
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    set_condition(conditions, TERMINATING, True, "InstanceDeletionPending", message)
    return {**raw, "metadata": metadata, "status": {**status, "conditions": conditions}}


def _conditions(status: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What of the conditions says what is served."""
    rows = status.get("conditions") or ()
    return sorted((row["type"], row["status"]) for row in rows if row["type"] in (ESTABLISHED, TERMINATING))


__all__ = ["Definitions", "Place", "begin_end"]
