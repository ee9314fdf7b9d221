"""What PodDisruptionBudgets allow, counted from the Pods that they cover (controller/disruption)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sekisho.apiserver import names
from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.eviction import is_ready
from sekisho.apiserver.scaling import scale_of
from sekisho.apiserver.store import Event, Place
from sekisho.diag import DiagnosticError
from sekisho.kube.decode import parse_time
from sekisho.kube.gvk import parse_api_version
from sekisho.kube.selectors import label_selector

BUDGETS: Final = ("policy", "poddisruptionbudgets")
PODS: Final = ("", "pods")

FORGOTTEN: Final = timedelta(minutes=2)
"""After which an evicted Pod that is still there counts again (disruption.DeletionTimeout)."""

Json = dict[str, Any]


class Uncountable(Exception):
    """What a budget is a share of is not known. The text says why."""


class Budgets:
    """Keeps the status of budgets."""

    name = "disruption-controller"

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def keys(self, event: Event) -> Iterable[Hashable]:
        """A budget, and all of the namespace for a change to a Pod or to what may have a scale."""
        place = event.row.place
        if place.resource == BUDGETS:
            yield place
        elif place.resource == PODS or self._scales(place):
            yield from (row.place for row in self._hand.store.rows(BUDGETS, place.namespace))

    def _scales(self, place: Place) -> bool:
        type = self._hand.type_of(place.resource) if place.namespace else None
        return type is not None and type.scale is not None

    async def reconcile(self, key: Hashable) -> float | None:
        """Count, and write what has changed."""
        assert isinstance(key, Place)
        row = self._hand.get(key)
        if row is None:
            return None
        budget = row.load()
        status = self._status(budget, key.namespace)
        if status != budget.get("status"):
            await self._hand.change(key, lambda old: {**old, "status": status}, "status")
        return FORGOTTEN.total_seconds() if status.get("disruptedPods") else None

    def _status(self, budget: Json, namespace: str) -> Json:
        before = budget.get("status") or {}
        generation = budget["metadata"].get("generation", 0)
        pods = self._pods(budget, namespace)
        try:
            expected, desired = self._wanted(budget, pods, namespace)
        except Uncountable as error:
            rows = _conditions(before, "False", "SyncFailed", str(error), generation)
            return {**_COUNTS, **before, "disruptionsAllowed": 0, "conditions": rows}
        disrupted = _still(before.get("disruptedPods") or {}, pods)
        healthy = sum(
            is_ready(pod)
            and not pod["metadata"].get("deletionTimestamp")
            and pod["metadata"]["name"] not in disrupted
            for pod in pods
        )
        allowed = max(0, healthy - desired) if expected > 0 else 0
        word, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        status: Json = {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": generation,
            "conditions": _conditions(before, word, reason, "", generation),
        }
        return {**status, "disruptedPods": disrupted} if disrupted else status

    def _pods(self, budget: Json, namespace: str) -> list[Json]:
        selector = (budget.get("spec") or {}).get("selector")
        if selector is None:
            return []
        try:
            wanted = label_selector(selector)
        except DiagnosticError:
            return []
        found = [row.load() for row in self._hand.store.rows(PODS, namespace) if wanted.matches(row.labels)]
        return [pod for pod in found if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]

    def _wanted(self, budget: Json, pods: Sequence[Json], namespace: str) -> tuple[int, int]:
        """How many Pods there should be, and how many of them healthy."""
        spec = budget.get("spec") or {}
        least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if most is not None:
            expected = self._expected(pods, namespace)
            return expected, max(0, expected - _share(most, expected))
        if isinstance(least, int):
            return len(pods), least
        if least is not None:
            expected = self._expected(pods, namespace)
            return expected, _share(least, expected)
        return len(pods), 0

    def _expected(self, pods: Sequence[Json], namespace: str) -> int:
        """The replicas of all controllers of the Pods. Raises Uncountable."""
        found: dict[str, int] = {}
        for pod in pods:
            owner = self._controller(pod, namespace)
            if owner is None:
                raise Uncountable(f"found no controllers for pod {_quoted(pod)}")
            uid, replicas = owner
            found[uid] = replicas
        return sum(found.values())

    def _controller(self, value: Json, namespace: str) -> tuple[str, int] | None:
        """The uid and the replicas of the outermost controller with a scale."""
        for reference in value["metadata"].get("ownerReferences") or ():
            if reference.get("controller") is not True:
                continue
            group, _ = parse_api_version(reference.get("apiVersion") or "")
            type = self._hand.kind(group, reference.get("kind") or "")
            row = self._hand.get(Place(*type.key, namespace, reference.get("name") or "")) if type else None
            if row is None or row.uid != reference.get("uid") or type is None:
                return None
            owner = row.load()
            if type.key == ("apps", "replicasets") and (above := self._controller(owner, namespace)):
                return above
            return (row.uid, _replicas(type, owner)) if type.scale is not None else None
        return None


_COUNTS: Final = {"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}


def _replicas(type: Any, owner: Json) -> int:
    spec: Mapping[str, Any] = scale_of(type, owner)["spec"]
    return int(spec.get("replicas", 0))


def _quoted(pod: Json) -> str:
    return f'"{pod["metadata"]["name"]}"'


def _share(value: Any, of: int) -> int:
    """A number, or a percentage rounded up."""
    if isinstance(value, int):
        return value
    digits = str(value).removesuffix("%")
    return -(-int(digits) * of // 100) if digits.isdigit() else 0


def _still(disrupted: Mapping[str, str], pods: Sequence[Json]) -> dict[str, str]:
    """Evicted Pods that are there yet, and were evicted a short while ago."""
    there = {pod["metadata"]["name"]: pod for pod in pods}
    now = datetime.now(UTC)
    found = {}
    for name, text in disrupted.items():
        pod, moment = there.get(name), parse_time(text)
        if pod is None or pod["metadata"].get("deletionTimestamp") or moment is None:
            continue
        if now - moment < FORGOTTEN:
            found[name] = text
    return found


def _conditions(before: Json, word: str, reason: str, message: str, generation: int) -> list[Json]:
    row = {
        "type": "DisruptionAllowed",
        "status": word,
        "observedGeneration": generation,
        "lastTransitionTime": names.timestamp(),
        "reason": reason,
        "message": message,
    }
    old = next((one for one in before.get("conditions") or () if one.get("type") == row["type"]), None)
    if old is not None and old.get("status") == word:
        row["lastTransitionTime"] = old["lastTransitionTime"]
    return [row]
