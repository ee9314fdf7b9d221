"""Claims and volumes that are deleted lose their protection when nobody uses them any more.

Facts from ``controller/volume/pvcprotection`` and ``pvprotection``: a claim is in use by a Pod that is
somewhere and has not ended, a volume while it is bound.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from sekisho.apiserver.admission.plugins.classes import CLAIMS
from sekisho.apiserver.admission.plugins.protection import FINALIZERS, VOLUMES
from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.store import Event, Op, Place, Row

PODS = ("", "pods")
ENDED = ("Succeeded", "Failed")

Json = dict[str, Any]


class StorageInUse:
    """Takes the finalizers away."""

    name = "pvc-protection-controller"

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def keys(self, event: Event) -> Iterable[Hashable]:
        """A claim or a volume that is going, and the claims of a Pod that ends."""
        row = event.row
        if row.place.resource in FINALIZERS:
            if event.op is not Op.DELETED and b'"deletionTimestamp"' in row.body:
                yield row.place
        elif row.place.resource == PODS and b'"persistentVolumeClaim"' in row.body:
            yield from (Place(*CLAIMS, row.place.namespace, name) for name in _claims(row.load()))

    async def reconcile(self, key: Hashable) -> float | None:
        """Take it away, unless it is in use."""
        assert isinstance(key, Place)
        row = self._hand.get(key)
        if row is None:
            return None
        metadata, finalizer = row.load()["metadata"], FINALIZERS[key.resource]
        going = metadata.get("deletionTimestamp") and finalizer in (metadata.get("finalizers") or ())
        if going and not self._is_used(row):
            await self._hand.change(key, lambda old: _without(old, finalizer))
        return None

    def _is_used(self, row: Row) -> bool:
        place = row.place
        if place.resource == VOLUMES:
            return bool((row.load().get("status") or {}).get("phase") == "Bound")
        pods = (one for one in self._hand.store.rows(PODS, place.namespace) if _is_somewhere(one))
        return any(place.name in _claims(one.load()) for one in pods)


def _is_somewhere(row: Row) -> bool:
    return bool(row.fields.get("spec.nodeName")) and row.fields.get("status.phase") not in ENDED


def _claims(pod: Json) -> Iterator[str]:
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        claim = volume.get("persistentVolumeClaim") or {}
        if claim.get("claimName"):
            yield str(claim["claimName"])


def _without(value: Json, finalizer: str) -> Json:
    rows = [row for row in value["metadata"].get("finalizers") or () if row != finalizer]
    return {**value, "metadata": {**value["metadata"], "finalizers": rows}}
