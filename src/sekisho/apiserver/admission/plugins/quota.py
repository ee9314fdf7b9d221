"""ResourceQuota: no more of a namespace's resources than it may use (apiserver ``plugin/resourcequota``).

What is used follows from the stored objects, counted as they come and go; a write that was let through counts
from that moment on, until its object is stored or a while has passed, so that two writes at once cannot both
have the last of something. ``settle`` writes what is used into the status of quotas.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.apiserver.admission.asked import Asked
from sekisho.apiserver.admission.plugins.resources import ZERO, Amounts, amounts, at_most, plus, shown
from sekisho.apiserver.admission.plugins.usage import (
    PODS,
    concerns,
    in_scope,
    lacking,
    minus,
    positive,
    scopes,
    usage_of,
)
from sekisho.apiserver.background import Background
from sekisho.apiserver.store import Event, Op, Row, Stale, Store
from sekisho.kube.review import Operation

Raw = Mapping[str, Any]
Key = tuple[str, str]

QUOTAS: Final = ("", "resourcequotas")
RESERVED: Final = 30.0
"""Seconds for which a write that was let through is counted without its object: longer than any takes."""


@dataclass(slots=True, kw_only=True)
class _Quota:
    """A quota, and what is used of it."""

    hard: Amounts
    selectors: list[Raw]
    used: Amounts = field(default_factory=dict)
    version: int = 0

    def about(self, key: Key, value: Raw) -> bool:
        return bool(concerns(key, self.hard)) and in_scope(key, value, self.selectors)

    def count(self, key: Key, value: Raw) -> Amounts:
        """What an object uses of this."""
        return at_most(usage_of(key, value), self.hard) if self.about(key, value) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reserved:
    until: float
    amounts: Amounts


class Quotas:
    """Enforces quotas, and keeps their status."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._quotas: dict[str, dict[str, _Quota]] = {}
        self._reserved: dict[str, dict[str, dict[str, _Reserved]]] = {}
        self._heard: set[Key] = set()
        self._dirty: set[str] = set()
        self._background = Background()
        self._settling = asyncio.Lock()
        store.hub.listen(QUOTAS, self._quota_changed)
        for row in store.rows(QUOTAS):
            self._read(row)

    # What is used.

    def _quota_changed(self, event: Event) -> None:
        place = event.row.place
        if event.op is Op.DELETED:
            self._quotas.get(place.namespace, {}).pop(place.name, None)
        else:
            self._read(event.row)

    def _read(self, row: Row) -> None:
        place, raw = row.place, row.load()
        spec = raw.get("spec") or {}
        hard, selectors = amounts(spec.get("hard")), scopes(spec)
        known = self._quotas.setdefault(place.namespace, {}).get(place.name)
        if known is not None and known.hard == hard and known.selectors == selectors:
            known.version = row.version
            return
        quota = _Quota(hard=hard, selectors=selectors, version=row.version)
        self._quotas[place.namespace][place.name] = quota
        for key in list(self._store.resources()):
            self._hear(key)
        for name in hard:
            counted = _counted(name)
            if counted is not None:
                self._hear(counted)
        for key in self._heard:
            if concerns(key, hard):
                for other in self._store.rows(key, place.namespace):
                    quota.used = plus(quota.used, quota.count(key, other.load()))
        self._touch(place.namespace)

    def _hear(self, key: Key) -> None:
        if key not in self._heard:
            self._heard.add(key)
            self._store.hub.listen(key, self._object_changed)

    def _object_changed(self, event: Event) -> None:
        row = event.row
        quotas = self._quotas.get(row.place.namespace)
        if not quotas:
            return
        key = row.place.resource
        after = None if event.op is Op.DELETED else row.load()
        before = event.before.load() if event.before is not None else None
        for name, quota in quotas.items():
            if not concerns(key, quota.hard):
                continue
            less = quota.count(key, before) if before is not None else {}
            more = quota.count(key, after) if after is not None else {}
            if less != more:
                quota.used = plus(minus(quota.used, less), more)
                self._touch(row.place.namespace)
            self._reserved.get(row.place.namespace, {}).get(name, {}).pop(row.uid, None)

    # What may be used.

    def admit(self, asked: Asked) -> None:
        """Nothing is completed."""

    def validate(self, asked: Asked) -> None:
        """Refuse what would use more than there is, and reserve the rest."""
        quotas = self._quotas.get(asked.namespace) if asked.type.namespaced else None
        if not quotas or asked.subresource not in ("", "resize") or asked.object is None:
            return
        if asked.operation is Operation.UPDATE and asked.key == PODS and not asked.subresource:
            # What Pods ask for cannot change, but for a deadline, which is a scope.
            fields = [
                (row.get("spec") or {}).get("activeDeadlineSeconds")
                for row in (asked.object, asked.old or {})
            ]
            if (fields[0] is None) == (fields[1] is None):
                return
        self._hear(asked.key)
        wanted: dict[str, Amounts] = {}
        for name, quota in sorted(quotas.items()):
            if not quota.about(asked.key, asked.object):
                continue
            wrong = lacking(asked.key, asked.object, concerns(asked.key, quota.hard))
            if wrong:
                raise asked.forbidden(f"failed quota: {name}: {wrong}")
            delta = positive(minus(quota.count(asked.key, asked.object), self._before(quota, asked)))
            self._check(asked, name, quota, delta)
            wanted[name] = delta
        if not asked.dry_run:
            self._reserve(asked, wanted)

    def _before(self, quota: _Quota, asked: Asked) -> Amounts:
        return quota.count(asked.key, asked.old) if asked.old is not None else {}

    def _check(self, asked: Asked, name: str, quota: _Quota, delta: Amounts) -> None:
        used = plus(quota.used, *(row.amounts for row in self._under_way(asked.namespace, name)))
        over = [key for key, value in delta.items() if used.get(key, ZERO) + value > quota.hard[key]]
        if over:
            now = {key: used.get(key, ZERO) for key in over}
            raise asked.forbidden(
                f"exceeded quota: {name}, requested: {shown(at_most(delta, over))}, used: {shown(now)}, "
                f"limited: {shown(at_most(quota.hard, over))}"
            )

    def _under_way(self, namespace: str, name: str) -> Iterable[_Reserved]:
        rows = self._reserved.get(namespace, {}).get(name, {})
        now = time.monotonic()
        for uid in [uid for uid, row in rows.items() if row.until < now]:
            del rows[uid]
        return rows.values()

    def _reserve(self, asked: Asked, wanted: Mapping[str, Amounts]) -> None:
        uid = str(asked.object["metadata"].get("uid", "")) if asked.object else ""
        until = time.monotonic() + RESERVED
        for name, delta in wanted.items():
            if delta:
                rows = self._reserved.setdefault(asked.namespace, {}).setdefault(name, {})
                rows[uid] = _Reserved(until=until, amounts=delta)

    def release(self, asked: Asked) -> None:
        """Count no more what was reserved for a write that did not come about."""
        uid = str(asked.object["metadata"].get("uid", "")) if asked.object else ""
        for rows in self._reserved.get(asked.namespace, {}).values():
            rows.pop(uid, None)

    # What the status says.

    def _touch(self, namespace: str) -> None:
        if not self._dirty:
            self._background.start(self.settle)
        self._dirty.add(namespace)

    async def close(self) -> None:
        """Stop what is under way."""
        await self._background.close()

    async def settle(self) -> None:
        """Write what is used into the status of quotas."""
        async with self._settling:
            while self._dirty:
                namespace = self._dirty.pop()
                for row in self._store.rows(QUOTAS, namespace):
                    await self._write(row)

    async def _write(self, row: Row) -> None:
        quota = self._quotas.get(row.place.namespace, {}).get(row.place.name)
        if quota is None:
            return
        raw = row.load()
        hard = {name: str(value) for name, value in quota.hard.items()}
        used = {name: str(quota.used.get(name, ZERO)) for name in quota.hard}
        if raw.get("status") == {"hard": hard, "used": used}:
            return
        try:
            await self._store.write(row.place, {**raw, "status": {"hard": hard, "used": used}}, base=row)
        except Stale:
            self._dirty.add(row.place.namespace)


def _counted(name: str) -> Key | None:
    """The resource whose objects a name counts."""
    if not name.startswith("count/"):
        return None
    plural, _, group = name.removeprefix("count/").partition(".")
    return group, plural
