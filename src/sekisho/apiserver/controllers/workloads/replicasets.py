"""ReplicaSets: as many Pods as are asked for (controller/replicaset)."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.apiserver.controllers.workloads.plan import Json, Plan, Step, View, with_condition
from sekisho.apiserver.controllers.workloads.pods import (
    BURST,
    by_dispensability,
    count_available,
    is_active,
    make,
    pod_of,
    remove,
)
from sekisho.apiserver.eviction import is_ready


def reconcile(view: View) -> Plan:
    """Make what is missing, delete what is too much."""
    active = [pod for pod in view.children if is_active(pod)]
    wanted = int(view.spec.get("replicas", 1))
    template = view.spec.get("template") or {}
    steps: list[Step] = []
    missing = wanted - len(active)
    if view.going:
        missing = 0
    if missing > 0:
        steps += [make(view, pod_of(view, template)) for _ in range(min(missing, BURST))]
    elif missing < 0:
        steps += [remove(view, pod) for pod in by_dispensability(active)[: min(-missing, BURST)]]
    least = int(view.spec.get("minReadySeconds") or 0)
    available, again = count_available(active, least, view.now)
    return Plan(
        steps=steps,
        status=lambda problem: _status(view, active, available, problem if missing else ""),
        again=again,
    )


def _status(view: View, active: Sequence[Json], available: int, problem: str) -> Json:
    labels = ((view.spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    found: Json = {
        "replicas": len(active),
        "fullyLabeledReplicas": sum(
            labels.items() <= (pod["metadata"].get("labels") or {}).items() for pod in active
        ),
        "readyReplicas": sum(is_ready(pod) for pod in active),
        "availableReplicas": available,
        "observedGeneration": view.generation,
    }
    rows = [row for row in view.status.get("conditions") or () if row.get("type") != "ReplicaFailure"]
    if problem:
        failure = {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate" if len(active) < int(view.spec.get("replicas", 1)) else "FailedDelete",
            "message": problem,
        }
        rows = with_condition(view.status.get("conditions") or (), failure, view.time)
    kept = {name: value for name, value in found.items() if value or name == "replicas"}
    return {**kept, "conditions": rows} if rows else kept
