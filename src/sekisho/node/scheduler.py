"""Gives Pods to the node: those that it can take, with the reasons why it cannot take others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.controllers.workloads.events import Recorder
from sekisho.apiserver.controllers.workloads.plan import NODES, PODS, Json, Tell, condition, with_condition
from sekisho.apiserver.names import timestamp
from sekisho.apiserver.store import Event, Op, Place
from sekisho.node.bundle import nanos
from sekisho.node.settings import RUNTIME_CLASS

Raw = Mapping[str, Any]

SCHEDULER: Final = "default-scheduler"

AGAIN: Final = 5.0
"""Seconds until a Pod that cannot be placed is looked at again."""


class Scheduler:
    """Binds Pods to one node."""

    name = SCHEDULER

    def __init__(self, hand: Hand, node: str) -> None:
        self._hand = hand
        self._node = Place(*NODES, "", node)
        self._recorder = Recorder(hand, SCHEDULER)

    def keys(self, event: Event) -> Iterable[Hashable]:
        """A Pod that waits for a node; all of them when the node changes."""
        row = event.row
        if row.place.resource == PODS and event.op is not Op.DELETED and not row.fields.get("spec.nodeName"):
            yield row.place
        elif row.place == self._node:
            for pod in self._hand.store.rows(PODS):
                if not pod.fields.get("spec.nodeName"):
                    yield pod.place

    async def reconcile(self, key: Hashable) -> float | None:
        """Bind one, or say why it cannot be."""
        assert isinstance(key, Place)
        row, node = self._hand.get(key), self._hand.get(self._node)
        pod = row.load() if row is not None else None
        if pod is None or not _waits(pod):
            return None
        if pod["spec"].get("schedulingGates"):
            message = "Scheduling is blocked due to non-empty scheduling gates"
            await self._say(key, pod, "SchedulingGated", message)
            return None
        why = why_not(pod, node.load() if node is not None else None, self._others())
        if why:
            message = f"0/1 nodes are available: {why}."
            await self._say(key, pod, "Unschedulable", message)
            return AGAIN
        target = {"apiVersion": "v1", "kind": "Node", "name": self._node.name}
        binding = {"metadata": {"name": key.name, "uid": pod["metadata"]["uid"]}, "target": target}
        await self._hand.act(key, "binding", {"apiVersion": "v1", "kind": "Binding", **binding})
        title = f"{key.namespace}/{key.name}"
        await self._recorder.tell(
            pod, Tell(reason="Scheduled", message=f"Successfully assigned {title} to {self._node.name}")
        )
        return None

    def _others(self) -> list[Json]:
        """The Pods that the node has."""
        rows = self._hand.store.rows(PODS)
        return [row.load() for row in rows if row.fields.get("spec.nodeName") == self._node.name]

    async def _say(self, place: Place, pod: Json, reason: str, message: str) -> None:
        rows = (pod.get("status") or {}).get("conditions") or ()
        old = condition(rows, "PodScheduled") or {}
        if (old.get("status"), old.get("reason"), old.get("message")) == ("False", reason, message):
            return
        new = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}

        def change(now: Json) -> Json:
            status = dict(now.get("status") or {})
            known = status.get("conditions") or ()
            status["conditions"] = with_condition(known, {"lastProbeTime": None, **new}, timestamp())
            return {**now, "status": status}

        await self._hand.change(place, change, "status")
        if reason == "Unschedulable":
            await self._recorder.tell(pod, Tell(reason="FailedScheduling", message=message, type="Warning"))


def _waits(pod: Raw) -> bool:
    spec = pod["spec"]
    return (
        spec.get("schedulerName", SCHEDULER) == SCHEDULER
        and not spec.get("nodeName")
        and not pod["metadata"].get("deletionTimestamp")
        and (pod.get("status") or {}).get("phase") in (None, "Pending")
    )


def why_not(pod: Raw, node: Raw | None, others: Sequence[Raw]) -> str:
    """Why a node cannot take a Pod; empty if it can."""
    if node is None:
        return "no nodes available to schedule pods"
    for check in CHECKS:
        found = check(pod, node, others)
        if found:
            return found
    return ""


def _class(pod: Raw, _: Raw, __: Sequence[Raw]) -> str:
    name = pod["spec"].get("runtimeClassName")
    if name in (None, "", RUNTIME_CLASS):
        return ""
    return f'1 node(s) run the runtime class "{RUNTIME_CLASS}" only, and not "{name}"'


def _cordoned(_: Raw, node: Raw, __: Sequence[Raw]) -> str:
    return "1 node(s) were unschedulable" if node["spec"].get("unschedulable") else ""


def _taints(pod: Raw, node: Raw, _: Sequence[Raw]) -> str:
    tolerations = pod["spec"].get("tolerations") or ()
    for taint in node["spec"].get("taints") or ():
        if taint.get("effect") == "PreferNoSchedule":
            continue
        if not any(_bears(row, taint) for row in tolerations):
            return f"1 node(s) had untolerated taint {{{taint['key']}: {taint.get('value') or ''}}}"
    return ""


def _bears(toleration: Raw, taint: Raw) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == (taint.get("value") or "")


def _selected(pod: Raw, node: Raw, _: Sequence[Raw]) -> str:
    text = "1 node(s) didn't match Pod's node affinity/selector"
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (pod["spec"].get("nodeSelector") or {}).items()):
        return text
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return ""
    fields = {"metadata.name": node["metadata"]["name"]}
    for term in required.get("nodeSelectorTerms") or ():
        rows = [(row, labels) for row in term.get("matchExpressions") or ()]
        rows += [(row, fields) for row in term.get("matchFields") or ()]
        if rows and all(_holds(row, values) for row, values in rows):
            return ""
    return text


def _holds(row: Raw, values: Mapping[str, str]) -> bool:
    """One requirement of a node selector (NodeSelectorRequirement)."""
    value, wanted = values.get(row["key"]), row.get("values") or ()
    return OPERATORS[row["operator"]](value, wanted)


def _compared(value: str | None, wanted: Sequence[str]) -> int | None:
    """How many more a label says than the requirement; None where either is no number."""
    try:
        return int(value or "") - int(wanted[0])
    except (ValueError, IndexError):
        return None


OPERATORS: Final[Mapping[str, Callable[[str | None, Sequence[str]], bool]]] = {
    "In": lambda value, wanted: value in wanted,
    "NotIn": lambda value, wanted: value not in wanted,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": lambda value, wanted: (_compared(value, wanted) or 0) > 0,
    "Lt": lambda value, wanted: (_compared(value, wanted) or 0) < 0,
}


def _room(pod: Raw, node: Raw, others: Sequence[Raw]) -> str:
    """Whether there is room for what it requests."""
    there = (node.get("status") or {}).get("allocatable") or {}
    live = [row for row in others if (row.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    if len(live) >= int(there.get("pods") or 0):
        return "1 Too many pods"
    lacking = []
    for name in ("cpu", "memory"):
        wanted = requested(pod, name)
        if wanted and wanted + sum(requested(row, name) for row in live) > nanos(there.get(name) or 0):
            lacking.append(f"1 Insufficient {name}")
    return ", ".join(lacking)


def requested(pod: Raw, name: str) -> int:
    """What a Pod requests of a resource, in thousand-millionths: its containers together, or its largest
    init container.
    """

    def of(row: Raw) -> int:
        resources = row.get("resources") or {}
        amount = (resources.get("requests") or {}).get(name) or (resources.get("limits") or {}).get(name)
        return nanos(amount) if amount is not None else 0

    spec = pod["spec"]
    total = sum(of(row) for row in spec["containers"])
    overhead = (spec.get("overhead") or {}).get(name)
    return max([total, *(of(row) for row in spec.get("initContainers") or ())]) + (
        nanos(overhead) if overhead is not None else 0
    )


CHECKS: Final = (_class, _cordoned, _taints, _selected, _room)
"""In the order in which their reasons are told."""
