"""Pods whose time to end is over are removed: where no kubelet ends their containers, nobody else would."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import UTC, datetime
from typing import Final

from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Event, Op, Place
from sekisho.kube.decode import parse_time

PODS: Final = ("", "pods")
MARGIN: Final = 1.0
"""Seconds that whoever runs a Pod has to say itself that it has ended."""


class PodEnd:
    """Removes them."""

    name = "pod-garbage-collector"

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def keys(self, event: Event) -> Iterable[Hashable]:
        """A Pod that is going."""
        row = event.row
        if row.place.resource == PODS and event.op is not Op.DELETED and b'"deletionTimestamp"' in row.body:
            yield row.place

    async def reconcile(self, key: Hashable) -> float | None:
        """Remove it when its time is over."""
        assert isinstance(key, Place)
        row = self._hand.get(key)
        moment = row.load()["metadata"].get("deletionTimestamp") if row is not None else None
        end = parse_time(moment) if isinstance(moment, str) else None
        if end is None or row is None:
            return None
        left = (end - datetime.now(UTC)).total_seconds() + MARGIN
        if left > 0:
            return left
        try:
            await self._hand.delete(key, {"gracePeriodSeconds": 0, "preconditions": {"uid": row.uid}})
        except ApiError as error:
            if error.code not in (404, 409):
                raise
        return None
