"""StatefulSets: Pods with names that stay, one after the other (controller/statefulset)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sekisho.apiserver.controllers.workloads import revisions
from sekisho.apiserver.controllers.workloads.plan import Json, Make, Plan, Step, Tell, View, owner_reference
from sekisho.apiserver.controllers.workloads.pods import (
    available_in,
    count_available,
    is_active,
    is_going,
    labelled,
    make,
    phase,
    pod_of,
    remove,
)
from sekisho.apiserver.eviction import is_ready

CLAIMS: Final = ("", "persistentvolumeclaims")
NAME_LABEL: Final = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL: Final = "apps.kubernetes.io/pod-index"


def reconcile(view: View) -> Plan:
    """The next Pods that are to be made, ended or replaced."""
    revision = revisions.current(view, {_hash(pod) for pod in view.children})
    by_ordinal = {number: pod for pod in view.children if (number := _ordinal(view, pod)) is not None}
    steps: list[Step] = list(revision.steps)
    if not view.going:
        steps += _steps(view, by_ordinal, revision)
    least = int(view.spec.get("minReadySeconds") or 0)
    _, again = count_available(list(by_ordinal.values()), least, view.now)
    return Plan(steps=steps, status=lambda _: _status(view, list(by_ordinal.values()), revision), again=again)


def _range(view: View) -> range:
    start = int((view.spec.get("ordinals") or {}).get("start") or 0)
    return range(start, start + int(view.spec.get("replicas", 1)))


def _steps(view: View, pods: dict[int, Json], revision: revisions.Current) -> list[Step]:
    """First what is missing, then what is too much, then what is old; in order unless told otherwise."""
    parallel = view.spec.get("podManagementPolicy") == "Parallel"
    steps: list[Step] = []
    for number in _range(view):
        pod = pods.get(number)
        if pod is None:
            steps += _made(view, number, revision)
        elif phase(pod) in ("Failed", "Succeeded"):
            steps += [] if is_going(pod) else [_removed(view, pod)]
        elif not is_going(pod) and _healthy(view, pod):
            continue
        if not parallel:
            return steps
    for number in sorted(pods.keys() - set(_range(view)), reverse=True):
        if not is_going(pods[number]):
            steps.append(_removed(view, pods[number]))
        if not parallel:
            return steps
    return steps or _updated(view, pods, revision)


def _updated(view: View, pods: dict[int, Json], revision: revisions.Current) -> list[Step]:
    """The last Pod of an old revision, once all after it are well."""
    strategy = view.spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return []
    first = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    for number in sorted((row for row in _range(view) if row >= first), reverse=True):
        pod = pods.get(number)
        if pod is None:
            return []
        if _hash(pod) != revision.name and not is_going(pod):
            return [_removed(view, pod)]
        if not _healthy(view, pod):
            return []
    return []


def _healthy(view: View, pod: Json) -> bool:
    least = int(view.spec.get("minReadySeconds") or 0)
    return is_active(pod) and phase(pod) == "Running" and available_in(pod, least, view.now) == 0


def _made(view: View, number: int, revision: revisions.Current) -> list[Step]:
    """A Pod and its claims."""
    name = f"{view.name}-{number}"
    labels = {NAME_LABEL: name, INDEX_LABEL: str(number), revisions.HASH: revision.name}
    template = _old_template(view, number) or view.spec.get("template") or {}
    labels[revisions.HASH] = _partitioned(view, number) or revision.name
    pod = pod_of(view, labelled(template, labels), name)
    spec = pod["spec"]
    spec["hostname"] = name
    if view.spec.get("serviceName"):
        spec["subdomain"] = view.spec["serviceName"]
    steps: list[Step] = []
    volumes = []
    for claim in view.spec.get("volumeClaimTemplates") or ():
        wanted = f"{claim['metadata']['name']}-{name}"
        volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": wanted}})
        steps.append(_claim(view, claim, wanted, name))
    own = {row["name"] for row in volumes}
    if volumes:
        kept = [row for row in spec.get("volumes") or () if row["name"] not in own]
        spec["volumes"] = [*volumes, *kept]
    return [*steps, make(view, pod, f"create Pod {{}} in StatefulSet {view.name} successful")]


def _partitioned(view: View, number: int) -> str:
    """The revision that a Pod below the partition keeps; empty where it gets the newest."""
    rolling = (view.spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    current = str(view.status.get("currentRevision") or "")
    known = {row["metadata"]["name"] for row in view.revisions}
    return current if number < int(rolling.get("partition") or 0) and current in known else ""


def _old_template(view: View, number: int) -> Json | None:
    name = _partitioned(view, number)
    row = next((row for row in view.revisions if row["metadata"]["name"] == name), None)
    if row is None:
        return None
    template = dict(row["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template


def _claim(view: View, claim: Json, name: str, pod: str) -> Make:
    labels = (view.spec.get("selector") or {}).get("matchLabels") or {}
    sent = claim.get("metadata") or {}
    metadata: Json = {
        "name": name,
        "namespace": view.namespace,
        "labels": {**(sent.get("labels") or {}), **labels},
    }
    if sent.get("annotations"):
        metadata["annotations"] = sent["annotations"]
    policy = view.spec.get("persistentVolumeClaimRetentionPolicy") or {}
    if policy.get("whenDeleted") == "Delete":
        metadata["ownerReferences"] = [owner_reference(view.owner)]
    text = f"create Claim {name} Pod {pod} in StatefulSet {view.name} success"
    return Make(
        place=view.place(CLAIMS, name),
        value={"metadata": metadata, "spec": dict(claim.get("spec") or {})},
        told=Tell(reason="SuccessfulCreate", message=text),
        keep=True,
    )


def _removed(view: View, pod: Json) -> Step:
    return remove(view, pod, f"delete Pod {{}} in StatefulSet {view.name} successful")


def _ordinal(view: View, pod: Json) -> int | None:
    base, _, digits = str(pod["metadata"]["name"]).rpartition("-")
    return int(digits) if base == view.name and digits.isdigit() else None


def _hash(pod: Json) -> str:
    return str((pod["metadata"].get("labels") or {}).get(revisions.HASH, ""))


def _status(view: View, pods: Sequence[Json], revision: revisions.Current) -> Json:
    least = int(view.spec.get("minReadySeconds") or 0)
    live = [pod for pod in pods if phase(pod) not in ("Failed", "Succeeded")]
    wanted = int(view.spec.get("replicas", 1))
    newest = sum(_hash(pod) == revision.name and not is_going(pod) for pod in live)
    ready = sum(is_ready(pod) for pod in live)
    available, _ = count_available(live, least, view.now)
    current = str(view.status.get("currentRevision") or revision.name)
    if newest == wanted == ready == len(live):
        current = revision.name  # the update is complete
    found: Json = {
        "observedGeneration": view.generation,
        "replicas": len(live),
        "availableReplicas": available,
        "currentRevision": current,
        "updateRevision": revision.name,
        "collisionCount": int(view.status.get("collisionCount") or 0),
    }
    extra = {
        "readyReplicas": ready,
        "currentReplicas": sum(_hash(pod) == current and not is_going(pod) for pod in live),
        "updatedReplicas": newest,
    }
    return {**found, **{name: value for name, value in extra.items() if value}}
