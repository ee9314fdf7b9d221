"""DaemonSets: one Pod on every Node that takes it (controller/daemon)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.controllers.workloads import revisions
from sekisho.apiserver.controllers.workloads.plan import Json, Plan, Step, View, share
from sekisho.apiserver.controllers.workloads.pods import (
    available_in,
    is_active,
    is_going,
    labelled,
    make,
    phase,
    pod_of,
    remove,
    soonest,
)
from sekisho.apiserver.eviction import is_ready

TOLERATIONS: Final = tuple(
    {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}
    for name, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    )
)
"""What Pods of DaemonSets bear wherever they are (AddOrUpdateDaemonPodTolerations)."""


def reconcile(view: View) -> Plan:
    """A Pod of the newest template on each Node; old ones are replaced as the strategy allows."""
    template = view.spec.get("template") or {}
    revision = revisions.current(view, {_hash(pod) for pod in view.children})
    nodes = {node["metadata"]["name"] for node in view.nodes if _takes(node, template)}
    by_node: dict[str, list[Json]] = {}
    steps: list[Step] = list(revision.steps)
    for pod in view.children:
        if phase(pod) in ("Failed", "Succeeded") and not is_going(pod):
            steps.append(remove(view, pod))
        else:
            by_node.setdefault(_node(pod), []).append(pod)
    if not view.going:
        steps += [
            make(view, _pod(view, template, revision.hash, node)) for node in sorted(nodes - by_node.keys())
        ]
        for node, pods in by_node.items():
            live = sorted((pod for pod in pods if is_active(pod)), key=_age)
            steps += [remove(view, pod) for pod in (live[1:] if node in nodes else live)]
        steps += _replace(view, nodes, by_node, revision.hash)
    return Plan(
        steps=steps,
        status=lambda _: _status(view, nodes, by_node, revision.hash),
        again=soonest(
            available_in(pod, int(view.spec.get("minReadySeconds") or 0), view.now) for pod in view.children
        ),
    )


def _replace(view: View, nodes: set[str], by_node: Mapping[str, Sequence[Json]], word: str) -> list[Step]:
    """Old Pods that may go now: those that serve nobody, then as many as may be missing."""
    strategy = view.spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return []
    rolling = strategy.get("rollingUpdate") or {}
    room = max(1, share(rolling.get("maxUnavailable", 1), len(nodes), up=True))
    pods = {node: [pod for pod in by_node.get(node, ()) if is_active(pod)] for node in sorted(nodes)}
    room -= sum(not any(is_ready(pod) for pod in rows) for rows in pods.values())
    old = [pod for rows in pods.values() for pod in rows[:1] if _hash(pod) != word]
    found = [pod for pod in old if not is_ready(pod)]
    found += [pod for pod in old if is_ready(pod)][: max(0, room)]
    return [remove(view, pod) for pod in found]


def _status(view: View, nodes: set[str], by_node: Mapping[str, Sequence[Json]], word: str) -> Json:
    least = int(view.spec.get("minReadySeconds") or 0)
    first = {
        node: min(live, key=_age)
        for node, pods in by_node.items()
        if (live := [pod for pod in pods if is_active(pod)])
    }
    here = [pod for node, pod in first.items() if node in nodes]
    available = sum(available_in(pod, least, view.now) == 0 for pod in here)
    found: Json = {
        "currentNumberScheduled": len(here),
        "numberMisscheduled": len(first) - len(here),
        "desiredNumberScheduled": len(nodes),
        "numberReady": sum(is_ready(pod) for pod in here),
        "observedGeneration": view.generation,
    }
    extra = {
        "updatedNumberScheduled": sum(_hash(pod) == word for pod in here),
        "numberAvailable": available,
        "numberUnavailable": len(nodes) - available,
    }
    kept = {"conditions": view.status["conditions"]} if view.status.get("conditions") else {}
    return {**found, **{name: value for name, value in extra.items() if value}, **kept}


def _pod(view: View, template: Json, word: str, node: str) -> Json:
    """A Pod that only one Node may take, as the scheduler is told it."""
    pod = pod_of(view, labelled(template, {revisions.HASH: word}))
    spec = pod["spec"]
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = dict(spec.get("affinity") or {})
    affinity["nodeAffinity"] = {
        **(affinity.get("nodeAffinity") or {}),
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
    }
    own = spec.get("tolerations") or []
    more = [row for row in TOLERATIONS if row not in own]
    pod["spec"] = {**spec, "affinity": affinity, "tolerations": [*own, *more]}
    return pod


def _node(pod: Json) -> str:
    """The Node that a Pod is for."""
    name = pod["spec"].get("nodeName")
    if name:
        return str(name)
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    for term in terms or ():
        for row in term.get("matchFields") or ():
            if row.get("key") == "metadata.name" and len(row.get("values") or ()) == 1:
                return str(row["values"][0])
    return ""


def _takes(node: Json, template: Json) -> bool:
    """Whether a Node is one of the template's ``nodeSelector`` and has no taint that its Pods do not bear."""
    spec = template.get("spec") or {}
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    tolerations = [*(spec.get("tolerations") or ()), *TOLERATIONS]
    taints = (node.get("spec") or {}).get("taints") or ()
    return all(
        taint.get("effect") == "PreferNoSchedule" or any(_bears(row, taint) for row in tolerations)
        for taint in taints
    )


def _bears(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    exists = toleration.get("operator") == "Exists"
    if not toleration.get("key"):
        return exists
    if toleration["key"] != taint.get("key"):
        return False
    return exists or (toleration.get("value") or "") == (taint.get("value") or "")


def _hash(pod: Json) -> str:
    return str((pod["metadata"].get("labels") or {}).get(revisions.HASH, ""))


def _age(pod: Json) -> tuple[str, str]:
    return str(pod["metadata"].get("creationTimestamp")), str(pod["metadata"]["name"])
