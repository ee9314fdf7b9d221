"""Pods as their controllers see them: made from a template, counted, ranked for deletion."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson

from sekisho.apiserver import names
from sekisho.apiserver.controllers.workloads.plan import (
    PODS,
    Json,
    Make,
    Remove,
    Tell,
    View,
    condition,
    owner_reference,
)
from sekisho.apiserver.eviction import is_ready
from sekisho.kube.decode import parse_time

BURST: Final = 500
"""Pods made or deleted by one reconciliation at most (replicaset.BurstReplicas)."""

ENDED: Final = ("Succeeded", "Failed")


def phase(pod: Json) -> str:
    """The phase of a Pod."""
    return str((pod.get("status") or {}).get("phase") or "")


def is_going(value: Json) -> bool:
    """Whether an object is being deleted."""
    return bool(value["metadata"].get("deletionTimestamp"))


def is_active(pod: Json) -> bool:
    """Whether a Pod counts: it has not ended and is not going."""
    return phase(pod) not in ENDED and not is_going(pod)


def available_in(pod: Json, least: int, now: datetime) -> float | None:
    """Seconds until a Pod has been ready for long enough: 0 if it has, None if it is not ready."""
    if not is_ready(pod):
        return None
    row = condition((pod.get("status") or {}).get("conditions") or (), "Ready") or {}
    since = parse_time(str(row.get("lastTransitionTime") or ""))
    if least <= 0 or since is None:
        return 0.0
    return max(0.0, (since + timedelta(seconds=least) - now).total_seconds())


def template_hash(template: Json, salt: int = 0) -> str:
    """A short name of a template. The letters are those of generated names; the number is our own."""
    text = orjson.dumps([bare(template), salt], option=orjson.OPT_SORT_KEYS)
    number = int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
    return "".join(names.ALPHABET[ord(digit) % len(names.ALPHABET)] for digit in str(number))


HASH_LABELS: Final = ("pod-template-hash", "controller-revision-hash")


def bare(template: Json) -> Json:
    """A template without the labels that tell revisions apart, and without the time that it never has."""
    metadata = dict(template.get("metadata") or {})
    metadata.pop("creationTimestamp", None)
    labels = {key: text for key, text in (metadata.get("labels") or {}).items() if key not in HASH_LABELS}
    metadata.pop("labels", None)
    return {**template, "metadata": {**metadata, "labels": labels} if labels else metadata}


def labelled(template: Json, labels: Json) -> Json:
    """A template with more labels."""
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    return {**template, "metadata": metadata}


def pod_of(view: View, template: Json, name: str = "") -> Json:
    """A Pod of a workload, with a generated name where it is given none."""
    base = f"{view.name[: names.MAX_BASE - 1]}-"
    sent = template.get("metadata") or {}
    metadata = {key: sent[key] for key in ("labels", "annotations", "finalizers") if sent.get(key)}
    named = {"name": name} if name else {"name": names.generated(base), "generateName": base}
    metadata |= named | {
        "namespace": view.namespace,
        "ownerReferences": [owner_reference(view.owner)],
    }
    return {"metadata": metadata, "spec": dict(template.get("spec") or {})}


def make(view: View, pod: Json, message: str = "Created pod: {}") -> Make:
    """The creation of a Pod."""
    name = pod["metadata"]["name"]
    told = Tell(reason="SuccessfulCreate", message=message.format(name))
    return Make(place=view.place(PODS, name), value=pod, told=told)


def remove(view: View, pod: Json, message: str = "Deleted pod: {}") -> Remove:
    """The deletion of a Pod."""
    metadata = pod["metadata"]
    told = Tell(reason="SuccessfulDelete", message=message.format(metadata["name"]))
    return Remove(place=view.place(PODS, metadata["name"]), uid=metadata["uid"], told=told)


_PHASES: Final = {"Pending": 0, "Unknown": 1, "": 1, "Running": 2}


def by_dispensability(pods: Iterable[Json]) -> list[Json]:
    """Pods, those first whose loss costs least (controller_utils ActivePodsWithRanks)."""

    def key(pod: Json) -> tuple[bool, int, bool]:
        return bool(pod["spec"].get("nodeName")), _PHASES.get(phase(pod), 1), is_ready(pod)

    newest = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)
    return sorted(newest, key=key)


def soonest(waits: Iterable[float | None]) -> float | None:
    """The first moment at which a wait is over; None where nothing waits."""
    return min((wait for wait in waits if wait), default=None)


def count_available(pods: Sequence[Json], least: int, now: datetime) -> tuple[int, float | None]:
    """How many Pods are available, and when the next may be."""
    waits = [available_in(pod, least, now) for pod in pods]
    return sum(wait == 0 for wait in waits), soonest(waits)
