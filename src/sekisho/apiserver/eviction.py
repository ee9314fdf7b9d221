"""Eviction: a Pod is deleted if the disruption budget that covers it has room (policy/v1 Eviction)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.apiserver import names, status
from sekisho.apiserver.status import ApiError, Resource
from sekisho.apiserver.store import Row, Stale, Store
from sekisho.kube.selectors import label_selector

BUDGETS: Final = Resource(group="policy", plural="poddisruptionbudgets")
REFUSAL: Final = "Cannot evict pod as it would violate the pod's disruption budget."
SECONDS: Final = 10
"""When to ask again while a budget has not been counted yet."""

MAX_DISRUPTED: Final = 2_000
"""Pods on their way out under one budget at a time (registry/core/pod/storage/eviction.go)."""

TRIES: Final = 5


def needs_budget(pod: Mapping[str, Any]) -> bool:
    """Whether a Pod's end disrupts anything: one that never ran, or has ended, may go."""
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Pending", "Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether a Pod counts as healthy."""
    rows = (pod.get("status") or {}).get("conditions") or ()
    return any(row.get("type") == "Ready" and row.get("status") == "True" for row in rows)


async def take_budget(store: Store, pod: Mapping[str, Any], *, dry: bool) -> None:
    """Count a Pod against its budget. Raises ApiError (403, 429, 500) where that has no room."""
    for _ in range(TRIES):
        row = _budget_of(store, pod)
        if row is None:
            return
        budget = row.load()
        if not is_ready(pod) and _may_go_unready(budget):
            return
        _decrement(budget, pod["metadata"]["name"])
        if dry:
            return
        try:
            await store.write(row.place, budget, base=row)
        except Stale:
            continue
        return
    raise status.conflict(BUDGETS, row.place.name if row else "", status.MODIFIED)


def _budget_of(store: Store, pod: Mapping[str, Any]) -> Row | None:
    metadata = pod["metadata"]
    found = []
    for row in store.rows((BUDGETS.group, BUDGETS.plural), metadata.get("namespace", "")):
        selector = (row.load().get("spec") or {}).get("selector")
        if selector is not None and label_selector(selector).matches(metadata.get("labels") or {}):
            found.append(row)
    if len(found) > 1:
        message = (
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
        raise ApiError(500, "", message)
    return found[0] if found else None


def _may_go_unready(budget: Mapping[str, Any]) -> bool:
    counted = budget.get("status") or {}
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = counted.get("desiredHealthy", 0)
    return bool(desired > 0 and counted.get("currentHealthy", 0) >= desired)


def _decrement(budget: dict[str, Any], pod: str) -> None:
    """Take one from what a budget allows. Raises ApiError (403, 429)."""
    name, counted = budget["metadata"]["name"], dict(budget.get("status") or {})
    if counted.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", SECONDS)
    allowed = counted.get("disruptionsAllowed", 0)
    disrupted = dict(counted.get("disruptedPods") or {})
    if allowed < 0:
        raise status.forbidden(BUDGETS, name, "pdb disruptions allowed is negative")
    if len(disrupted) > MAX_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise status.forbidden(BUDGETS, name, why)
    if allowed == 0:
        needed, current = counted.get("desiredHealthy", 0), counted.get("currentHealthy", 0)
        raise _refused(
            f"The disruption budget {name} needs {needed} healthy pods and has {current} currently", 0
        )
    disrupted[pod] = names.timestamp()
    budget["status"] = {**counted, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}


def _refused(why: str, seconds: int) -> ApiError:
    error = status.too_many_requests(REFUSAL, seconds)
    causes = [{"reason": "DisruptionBudget", "message": why}]
    error.details = {"causes": causes, **({"retryAfterSeconds": seconds} if seconds else {})}
    return error
