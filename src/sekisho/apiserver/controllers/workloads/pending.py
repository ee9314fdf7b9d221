"""Pods where nothing runs them: they stay Pending, and an Event says why."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final

from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.controllers.workloads.events import Recorder
from sekisho.apiserver.controllers.workloads.plan import PODS, Json, Tell, condition, with_condition
from sekisho.apiserver.names import timestamp
from sekisho.apiserver.store import Event, Op, Place

SCHEDULER: Final = "default-scheduler"
LULL: Final = 0.1
"""Seconds that requests may keep it waiting: thousands of Pods at once are made before they are told why."""

WHY: Final = "no nodes available to schedule pods: this cluster has no runtime that runs containers"


class PendingPods:
    """Says it, once for each Pod."""

    name = SCHEDULER

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._recorder = Recorder(hand, SCHEDULER)

    def keys(self, event: Event) -> Iterable[Hashable]:
        """A Pod that waits for a Node."""
        row = event.row
        if row.place.resource == PODS and event.op is not Op.DELETED and not row.fields.get("spec.nodeName"):
            yield row.place

    def _is_told(self, key: Place) -> bool:
        row = self._hand.get(key)
        return row is None or b'"PodScheduled"' in row.body

    async def reconcile(self, key: Hashable) -> float | None:
        """A condition and an Event, unless they are there."""
        assert isinstance(key, Place)
        if not self._is_told(key):
            await self._hand.lull(LULL)
        row = self._hand.get(key)
        pod = row.load() if row is not None else None
        if pod is None or not _waits(pod):
            return None
        rows = (pod.get("status") or {}).get("conditions") or ()
        gated = bool(pod["spec"].get("schedulingGates"))
        reason, message = (
            ("SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
            if gated
            else ("Unschedulable", WHY)
        )
        old = condition(rows, "PodScheduled")
        if old is not None and (old.get("status"), old.get("reason")) == ("False", reason):
            return None
        new = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}

        def change(now: Json) -> Json:
            status = dict(now.get("status") or {})
            known = status.get("conditions") or ()
            status["conditions"] = with_condition(known, {"lastProbeTime": None, **new}, timestamp())
            return {**now, "status": status}

        await self._hand.change(key, change, "status")
        if not gated:
            await self._recorder.tell(pod, Tell(reason="FailedScheduling", message=WHY, type="Warning"))
        return None


def _waits(pod: Json) -> bool:
    spec, status = pod["spec"], pod.get("status") or {}
    ours = spec.get("schedulerName", SCHEDULER) == SCHEDULER
    return (
        ours
        and not spec.get("nodeName")
        and status.get("phase") == "Pending"
        and not pod["metadata"].get("deletionTimestamp")
    )
