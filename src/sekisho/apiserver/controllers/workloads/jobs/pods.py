"""The Pods of a Job: what tells them apart, and how they are made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sekisho.apiserver import names
from sekisho.apiserver.controllers.workloads.jobs.policies import failure_of
from sekisho.apiserver.controllers.workloads.plan import Json, View, condition
from sekisho.apiserver.controllers.workloads.pods import is_going, phase, pod_of
from sekisho.kube.decode import parse_time

JOBS: Final = ("batch", "jobs")
TRACKED: Final = "batch.kubernetes.io/job-tracking"
INDEX: Final = "batch.kubernetes.io/job-completion-index"
FAILURES: Final = "batch.kubernetes.io/job-index-failure-count"
IGNORED: Final = "batch.kubernetes.io/job-index-ignored-failure-count"
"""Annotations: how often an index had failed before this Pod, counted and not counted."""

FIRST_DELAY: Final = 10.0
LAST_DELAY: Final = 600.0
"""Seconds between a failure and the next try: twice as long each time (DefaultJobPodFailureBackOff)."""

MAX_DIGITS: Final = 9


def is_tracked(pod: Json) -> bool:
    """Whether a Pod still has to be counted."""
    return TRACKED in (pod["metadata"].get("finalizers") or ())


def untracked(pod: Json) -> Json:
    """The Pod without the finalizer."""
    rows = [row for row in pod["metadata"].get("finalizers") or () if row != TRACKED]
    return {**pod, "metadata": {**pod["metadata"], "finalizers": rows}}


def index_of(pod: Json) -> int:
    """The index of a Pod, -1 if it has none."""
    return _noted(pod, INDEX, -1)


def _noted(pod: Json, name: str, absent: int = 0) -> int:
    text = str((pod["metadata"].get("annotations") or {}).get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else absent


def failures_of(pod: Json) -> int:
    """How often its index had failed before, as far as it counts."""
    return _noted(pod, FAILURES)


def all_failures_of(pod: Json) -> int:
    """How often its index had failed before."""
    return _noted(pod, FAILURES) + _noted(pod, IGNORED)


def replaces_failed_only(job: Json) -> bool:
    """Whether a Pod that is going is replaced only when it has ended."""
    spec = job.get("spec") or {}
    return spec.get("podReplacementPolicy") == "Failed" or spec.get("podFailurePolicy") is not None


def is_failed(job: Json, pod: Json) -> bool:
    """Whether a Pod has failed, or is being deleted before it could succeed."""
    if phase(pod) == "Failed":
        return True
    return not replaces_failed_only(job) and is_going(pod) and phase(pod) != "Succeeded"


def end_of(pod: Json) -> datetime | None:
    """When a Pod has ended: its last container, its readiness, its deletion, or when it was made."""
    status, metadata = pod.get("status") or {}, pod["metadata"]
    rows = status.get("containerStatuses") or ()
    moments = [
        parse_time(str(((row.get("state") or {}).get("terminated") or {}).get("finishedAt") or ""))
        for row in rows
    ]
    known = [moment for moment in moments if moment is not None]
    if known and len(known) == len(moments):
        return max(known)
    ready = condition(status.get("conditions") or (), "Ready") or {}
    if ready.get("status") == "False" and (since := parse_time(str(ready.get("lastTransitionTime") or ""))):
        return since
    going = parse_time(str(metadata.get("deletionTimestamp") or ""))
    if going is not None:
        return going - timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)
    return parse_time(str(metadata.get("creationTimestamp") or ""))


def delay_after(failures: int, last: datetime | None, now: datetime) -> float:
    """Seconds until a Pod may be tried again after so many failures."""
    if not failures or last is None:
        return 0.0
    seconds = min(LAST_DELAY, FIRST_DELAY * float(2 ** min(failures - 1, 16)))
    return max(0.0, (last + timedelta(seconds=seconds) - now).total_seconds())


def made(view: View) -> Json:
    """A Pod of a Job without indexes."""
    pod = pod_of(view, view.spec.get("template") or {})
    metadata = pod["metadata"]
    metadata["finalizers"] = [*(metadata.get("finalizers") or ()), TRACKED]
    return pod


def made_for(view: View, number: int, before: Json | None) -> Json:
    """A Pod that knows its index: annotation, label, host name, environment.

    ``before`` is the failed Pod that it replaces, where each index has a limit of its own.
    """
    pod = made(view)
    metadata, spec, text = pod["metadata"], pod["spec"], str(number)
    annotations = {**(metadata.get("annotations") or {}), INDEX: text}
    if view.spec.get("backoffLimitPerIndex") is not None:
        annotations |= _carried(view, before)
    metadata["annotations"] = annotations
    metadata["labels"] = {**(metadata.get("labels") or {}), INDEX: text}
    base = f"{view.name}-{number}"
    metadata |= {"name": names.generated(f"{base}-"), "generateName": f"{base}-"}
    spec["hostname"] = base
    path = f"metadata.labels['{INDEX}']"
    row = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name in ("initContainers", "containers"):
        if spec.get(name):
            spec[name] = [
                one
                if any(env.get("name") == row["name"] for env in one.get("env") or ())
                else {**one, "env": [*(one.get("env") or ()), row]}
                for one in spec[name]
            ]
    return pod


def _carried(view: View, before: Json | None) -> Json:
    """The failures of an index so far, with that of the Pod that is replaced."""
    counted, ignored = 0, 0
    if before is not None:
        counted, ignored = failures_of(before), _noted(before, IGNORED)
        if failure_of(view.owner, before).counts:
            counted += 1
        else:
            ignored += 1
    return {FAILURES: str(counted), **({IGNORED: str(ignored)} if ignored else {})}
