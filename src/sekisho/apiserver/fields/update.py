"""Who owns what after a write, and what an applied configuration makes of an object.

Semantics: structured-merge-diff ``merge.Updater``. Objects come in one version; managers may have written in
others, and what they own is compared in those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from sekisho.apiserver.fields.entries import Manager, Owned, Owners
from sekisho.apiserver.fields.merge import merge, remove, settled, with_named
from sekisho.apiserver.fields.reset import Reset
from sekisho.apiserver.fields.sets import NONE, Fields, Path, in_order
from sekisho.apiserver.fields.shape import Shape
from sekisho.apiserver.fields.walk import MISSING, Comparison, compare, fields_of, same


class Versions(Protocol):
    """The versions of a kind."""

    def shape(self, api_version: str) -> Shape:
        """How objects of a version that is served are owned."""

    async def convert(self, value: dict[str, Any], api_version: str) -> dict[str, Any] | None:
        """The object in another version; None if that is not served any more."""


class Conflicts(Exception):
    """An applied configuration changes what others own: who, and which paths, in order."""

    def __init__(self, rows: tuple[tuple[Manager, Path], ...]) -> None:
        super().__init__(f"{len(rows)} conflicts")
        self.rows = rows


class Applied(NamedTuple):
    """What an applied configuration makes of an object, who owns what then, and whether anything changed."""

    value: dict[str, Any]
    owners: Owners
    changed: bool


SELF: Final = Manager("current-operation", "Update")
"""Whose an update is while it is not known whether it changes anything."""


class Updater:
    """Computes owners. ``reset``: by API version which paths of a write count."""

    def __init__(self, versions: Versions, reset: Callable[[str], Reset]) -> None:
        self._versions = versions
        self._reset = reset

    async def update(self, live: dict[str, Any], new: dict[str, Any], version: str, owners: Owners) -> Owners:
        """Who owns what after an update; what the update itself takes is ``SELF``'s."""
        owners = await self._settled(live, owners)
        owners, change = await self._take(live, new, version, owners, SELF, force=True)
        fields = self._reset(version).of(change.changed())
        if fields:
            owners[SELF] = Owned(fields, version, applied=False)
        return owners

    async def apply(
        self,
        live: dict[str, Any],
        config: dict[str, Any],
        version: str,
        owners: Owners,
        manager: Manager,
        *,
        force: bool,
    ) -> Applied:
        """Apply a configuration. Raises Conflicts."""
        owners = await self._settled(live, owners)
        shape = self._versions.shape(version)
        merged = merge(live, config, shape)
        last = owners.get(manager)
        fields = self._reset(version).of(fields_of(config, shape))
        owners[manager] = Owned(fields, version, applied=True)
        new = await self._pruned({} if merged is MISSING else merged, owners, manager, last)
        owners, _ = await self._take(live, new, version, owners, manager, force=force)
        return Applied(new, owners, not same(live, new))

    async def _settled(self, live: dict[str, Any], owners: Owners) -> Owners:
        """The owners in versions that are still served, by the schemas of today."""
        found: Owners = {}
        for manager, owned in owners.items():
            if await self._versions.convert(live, owned.api_version) is not None:
                shape = self._versions.shape(owned.api_version)
                found[manager] = owned._replace(fields=settled(owned.fields, shape))
        return found

    async def _take(
        self,
        live: dict[str, Any],
        new: dict[str, Any],
        version: str,
        owners: Owners,
        taker: Manager,
        *,
        force: bool,
    ) -> tuple[Owners, Comparison]:
        """Take what changes from those who own it; conflicts unless that is forced."""
        changes = {version: await self._change(live, new, version)}
        lost: dict[Manager, Fields] = {}
        for manager, owned in owners.items():
            if manager == taker:
                continue
            change = changes.get(owned.api_version)
            if change is None:
                change = changes[owned.api_version] = await self._change(live, new, owned.api_version)
            conflict = owned.fields & change.changed()
            if conflict:
                lost[manager] = conflict
        if lost and not force:
            rows = ((row, path) for row in sorted(lost, key=_identifier) for path in in_order(lost[row]))
            raise Conflicts(tuple(rows))
        left: Owners = {}
        for manager, owned in owners.items():
            fields = owned.fields
            if manager != taker:
                fields = fields - lost.get(manager, NONE) - changes[owned.api_version].removed
            if fields:
                left[manager] = owned._replace(fields=fields)
        return left, changes[version]

    async def _change(self, live: dict[str, Any], new: dict[str, Any], version: str) -> Comparison:
        one, other = await self._versions.convert(live, version), await self._versions.convert(new, version)
        if one is None or other is None:
            return Comparison(NONE, NONE, NONE)
        found = compare(one, other, self._versions.shape(version))
        return Comparison(*map(self._reset(version).of, found))

    async def _pruned(
        self, merged: dict[str, Any], owners: Owners, manager: Manager, last: Owned | None
    ) -> dict[str, Any]:
        """Without what the manager applied last time, does not apply now, and nobody else owns."""
        if last is None or not last.fields:
            return merged
        version = last.api_version
        before = await self._versions.convert(merged, version)
        if before is None:
            return merged
        shape = self._versions.shape(version)
        gone = with_named(last.fields, shape)
        pruned = _object(remove(before, gone, shape))
        pruned = await self._with_owned(before, pruned, version, owners)
        # What was not the manager's own is added back, whoever it belongs to.
        in_version = await self._versions.convert(pruned, version)
        kept = with_named(fields_of(in_version, shape), shape)
        had = with_named(fields_of(before, shape), shape)
        pruned = _object(remove(before, (had - kept) & gone, shape))
        return await self._versions.convert(pruned, owners[manager].api_version) or pruned

    async def _with_owned(
        self, merged: dict[str, Any], pruned: dict[str, Any], version: str, owners: Owners
    ) -> dict[str, Any]:
        """Add back what somebody owns, first as the version that is pruned has it."""
        owned: dict[str, Fields] = {}
        for row in owners.values():
            owned[row.api_version] = owned.get(row.api_version, NONE) | row.fields
        for other in sorted(owned, key=lambda name: (name != version, name)):
            one, two = (
                await self._versions.convert(merged, other),
                await self._versions.convert(pruned, other),
            )
            if one is None or two is None:
                continue
            shape = self._versions.shape(other)
            had = with_named(fields_of(one, shape), shape)
            kept = with_named(fields_of(two, shape), shape) | with_named(owned[other], shape)
            merged, pruned = one, _object(remove(one, had - kept, shape))
        return pruned


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _identifier(manager: Manager) -> str:
    return manager.identifier
