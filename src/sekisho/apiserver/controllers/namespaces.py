"""Namespaces that end: what is in them is deleted, then the finalizer that held them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final

from sekisho.apiserver import names
from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Event, Place, Row

FINALIZER: Final = "kubernetes"
NAMESPACES: Final = ("", "namespaces")


class NamespaceEnd:
    """Ends namespaces."""

    name = "namespace-controller"

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._ending: set[str] = set()

    def keys(self, event: Event) -> Iterable[Hashable]:
        """A namespace that is deleted, and one of which something has gone."""
        place = event.row.place
        if place.resource == NAMESPACES:
            if b'"deletionTimestamp"' in event.row.body:
                self._ending.add(place.name)
                yield place.name
        elif place.namespace in self._ending:
            yield place.namespace

    async def reconcile(self, key: Hashable) -> float | None:
        """Delete what is in it; once nothing is, let it go."""
        name = str(key)
        place = Place(*NAMESPACES, "", name)
        row = self._hand.get(place)
        if row is None or not row.load()["metadata"].get("deletionTimestamp"):
            self._ending.discard(name)
            return None
        for content in self._contents(name):
            await self._delete(content)
        left = self._contents(name)
        if left:
            await self._hand.change(place, lambda old: _remaining(old, left), "status")
        else:
            await self._hand.change(place, _finalized, "finalize")
        return None

    def _contents(self, namespace: str) -> list[Row]:
        found: list[Row] = []
        for resource in self._hand.store.resources():
            type = self._hand.type_of(resource)
            if type is not None and type.namespaced:
                found += self._hand.store.rows(resource, namespace)
        return found

    async def _delete(self, row: Row) -> None:
        if b'"deletionTimestamp"' in row.body and row.load()["metadata"].get("deletionTimestamp"):
            return
        try:
            await self._hand.delete(row.place, {"propagationPolicy": "Background"})
        except ApiError as error:
            if error.code != 404:
                raise


def _finalized(namespace: dict[str, Any]) -> dict[str, Any]:
    spec = dict(namespace.get("spec") or {})
    spec["finalizers"] = [row for row in spec.get("finalizers") or () if row != FINALIZER]
    return {**namespace, "spec": spec}


def _remaining(namespace: dict[str, Any], left: list[Row]) -> dict[str, Any]:
    """The conditions that say what a namespace waits for (namespaced_resources_deleter)."""
    counts: dict[str, int] = {}
    finalizers: dict[str, int] = {}
    for row in left:
        resource = f"{row.place.plural}.{row.place.group}" if row.place.group else f"{row.place.plural}."
        counts[resource] = counts.get(resource, 0) + 1
        for name in row.load()["metadata"].get("finalizers") or ():
            finalizers[name] = finalizers.get(name, 0) + 1
    content = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(counts.items()))
    rows = [
        _condition(
            "NamespaceContentRemaining", "SomeResourcesRemain", f"Some resources are remaining: {content}"
        )
    ]
    if finalizers:
        held = ", ".join(
            f"{name} in {count} resource instances" for name, count in sorted(finalizers.items())
        )
        text = f"Some content in the namespace has finalizers remaining: {held}"
        rows.append(_condition("NamespaceFinalizersRemaining", "SomeFinalizersRemain", text))
    status = dict(namespace.get("status") or {})
    before = {row.get("type"): row for row in status.get("conditions") or ()}
    for condition in rows:
        old = before.get(condition["type"])
        if old is not None and old.get("message") == condition["message"]:
            condition["lastTransitionTime"] = old["lastTransitionTime"]
    return {**namespace, "status": {**status, "conditions": rows}}


def _condition(type: str, reason: str, message: str) -> dict[str, Any]:
    return {
        "type": type,
        "status": "True",
        "lastTransitionTime": names.timestamp(),
        "reason": reason,
        "message": message,
    }
