"""Garbage collection: what becomes of objects whose owners go (controller/garbagecollector).

The graph of owners is built from what is stored and kept by every change. An object all of whose owners are
gone is deleted; one that some are left of loses the references to those that are gone. An owner that is
deleted in the foreground waits for the dependents that block it; one that orphans them lets them go first.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.deletion import FOREGROUND, ORPHAN
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Event, Op, Place, Row

_REFERENCES: Final = b'"ownerReferences"'
_DELETED: Final = b'"deletionTimestamp"'


class Reference(NamedTuple):
    """One owner of an object."""

    uid: str
    blocks: bool


class GarbageCollector:
    """Deletes what nobody owns any more."""

    name = "generic-garbage-collector"

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._places: dict[str, Place] = {}
        self._owners: dict[str, tuple[Reference, ...]] = {}
        self._dependents: dict[str, set[str]] = {}

    def keys(self, event: Event) -> Iterable[Hashable]:
        """The object, where it has owners or is going; after its end those that it owned."""
        row = event.row
        if not row.uid:
            return
        if event.op is Op.DELETED:
            owners = self._owners.get(row.uid, ())
            self._forget(row.uid)
            yield from tuple(self._dependents.get(row.uid, ()))
            for owner in owners:
                yield owner.uid  # it may have waited for this one
            return
        self._places[row.uid] = row.place
        metadata: Mapping[str, Any] = {}
        if _REFERENCES in row.body or _DELETED in row.body:
            metadata = row.load()["metadata"]
        self._note(row.uid, _references(metadata))
        if metadata.get("ownerReferences") or metadata.get("deletionTimestamp"):
            yield row.uid

    def _note(self, uid: str, owners: tuple[Reference, ...]) -> None:
        for owner in self._owners.pop(uid, ()):
            self._dependents.get(owner.uid, set()).discard(uid)
        for owner in owners:
            self._dependents.setdefault(owner.uid, set()).add(uid)
        if owners:
            self._owners[uid] = owners

    def _forget(self, uid: str) -> None:
        self._note(uid, ())
        self._places.pop(uid, None)
        if not self._dependents.get(uid):
            self._dependents.pop(uid, None)

    def _row(self, uid: str) -> Row | None:
        place = self._places.get(uid)
        row = self._hand.get(place) if place is not None else None
        return row if row is not None and row.uid == uid else None

    async def reconcile(self, key: Hashable) -> float | None:
        """What its owners or its own end ask for."""
        row = self._row(str(key))
        if row is None or self._hand.type_of(row.place.resource) is None:
            return None
        metadata = row.load()["metadata"]
        finalizers = metadata.get("finalizers") or ()
        if metadata.get("deletionTimestamp"):
            if ORPHAN in finalizers:
                await self._orphan(row)
            elif FOREGROUND in finalizers:
                await self._foreground(row)
            return None
        if metadata.get("ownerReferences"):
            await self._judge(row, metadata)
        return None

    async def _orphan(self, row: Row) -> None:
        """Dependents lose their owner, then it may go."""
        for uid in tuple(self._dependents.get(row.uid, ())):
            dependent = self._row(uid)
            if dependent is not None:
                await self._disown(dependent, {row.uid})
        await self._without_finalizer(row, ORPHAN)

    async def _foreground(self, row: Row) -> None:
        """Dependents that block their owner go first."""
        blocking = [
            dependent
            for uid in tuple(self._dependents.get(row.uid, ()))
            if any(owner.uid == row.uid and owner.blocks for owner in self._owners.get(uid, ()))
            and (dependent := self._row(uid)) is not None
        ]
        if not blocking:
            await self._without_finalizer(row, FOREGROUND)
            return
        for dependent in blocking:
            metadata = dependent.load()["metadata"]
            if not metadata.get("deletionTimestamp"):
                await self._judge(dependent, metadata)

    async def _judge(self, row: Row, metadata: Mapping[str, Any]) -> None:
        """Delete an object without owners; take references away where others are left."""
        solid, gone, waiting = self._sorted(row, metadata)
        if solid:
            if gone or waiting:
                await self._disown(row, gone | waiting)
            return
        if waiting and self._dependents.get(row.uid):
            await self._delete(row, "Foreground")
            return
        finalizers = metadata.get("finalizers") or ()
        policy = (
            "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
        )
        await self._delete(row, policy)

    def _sorted(self, row: Row, metadata: Mapping[str, Any]) -> tuple[set[str], set[str], set[str]]:
        """The owners of an object: those that stay, those that are gone, those that wait for it."""
        solid: set[str] = set()
        gone: set[str] = set()
        waiting: set[str] = set()
        for reference in metadata.get("ownerReferences") or ():
            uid = str(reference.get("uid", ""))
            owner = self._row(uid)
            if owner is None or owner.place.namespace not in ("", row.place.namespace):
                gone.add(uid)
                continue
            of_owner = owner.load()["metadata"] if _DELETED in owner.body else {}
            waits = of_owner.get("deletionTimestamp") and FOREGROUND in (of_owner.get("finalizers") or ())
            (waiting if waits else solid).add(uid)
        return solid, gone, waiting

    async def _delete(self, row: Row, policy: str) -> None:
        options = {"propagationPolicy": policy, "preconditions": {"uid": row.uid}}
        try:
            await self._hand.delete(row.place, options)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def _disown(self, row: Row, uids: set[str]) -> None:
        def change(old: dict[str, Any]) -> dict[str, Any]:
            metadata = dict(old["metadata"])
            rows = [one for one in metadata.get("ownerReferences") or () if one.get("uid") not in uids]
            metadata["ownerReferences"] = rows
            if not rows:
                del metadata["ownerReferences"]
            return {**old, "metadata": metadata}

        await self._changed(row, change)

    async def _without_finalizer(self, row: Row, finalizer: str) -> None:
        def change(old: dict[str, Any]) -> dict[str, Any]:
            metadata = dict(old["metadata"])
            rows = [one for one in metadata.get("finalizers") or () if one != finalizer]
            metadata["finalizers"] = rows
            if not rows:
                del metadata["finalizers"]
            return {**old, "metadata": metadata}

        await self._changed(row, change)

    async def _changed(self, row: Row, change: Any) -> None:
        try:
            await self._hand.change(row.place, change)
        except ApiError as error:
            if error.code != 404:
                raise


def _references(metadata: Mapping[str, Any]) -> tuple[Reference, ...]:
    return tuple(
        Reference(str(row.get("uid", "")), row.get("blockOwnerDeletion") is True)
        for row in metadata.get("ownerReferences") or ()
    )
