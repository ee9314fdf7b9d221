"""What has become of an object: kstatus, the rules by which kpt, Config Sync and Flux wait for objects.

``compute`` looks at one object as the API server gives it and tells a ``Status``. In this order:

1. One that is being deleted is Terminating.
2. One whose controller has not seen the newest generation is InProgress.
3. The conditions Reconciling and Stalled, where a controller sets them, decide.
4. The kinds of ``_RULES`` have rules of their own.
5. Else the condition Ready decides; and without one the object is Current.

Messages and reasons are those of sigs.k8s.io/cli-utils (pkg/kstatus), since people search for them. What has
no sound shape is Unknown there, by an error; here by the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, NamedTuple

from sekisho.kube.gvk import GVK

Raw = Mapping[str, Any]

_ABSENT: Final = object()

SCHEDULING: Final = timedelta(seconds=15)
"""How long a Pod may be unschedulable before that counts: kstatus's figure."""

_NO_DEADLINE: Final = 2**31 - 1
"""A Deployment without a deadline for progress: the controller then sets no condition Progressing."""


class Status(Enum):
    """What has become of an object."""

    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    CURRENT = "Current"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A status; the reason is one word, empty where kstatus gives none."""

    status: Status
    message: str
    reason: str = ""


class _Condition(NamedTuple):
    type: str
    status: str
    reason: str
    message: str


class _Shape(Exception):
    """The object has not the shape that the rules need."""


def compute(value: Raw | None, *, now: datetime) -> Result:
    """The status of an object; of None, NotFound. Never raises."""
    if value is None:
        return Result(status=Status.NOT_FOUND, message="Resource not found")
    try:
        return _computed(value, now)
    except _Shape as error:
        return Result(status=Status.UNKNOWN, message=str(error))


def _computed(value: Raw, now: datetime) -> Result:
    deletion = _found(value, "metadata", "deletionTimestamp", default="")
    if not isinstance(deletion, str):
        raise _Shape("looking up metadata.deletionTimestamp from resource: it is no text")
    if deletion:
        return Result(status=Status.TERMINATING, message="Resource scheduled for deletion")
    generation, observed = _generation(value)
    if generation is not None and observed is not None and generation != observed:
        kind = value.get("kind")
        message = f"{kind} generation is {generation}, but latest observed generation is {observed}"
        return _progress("LatestGenerationNotObserved", message)
    conditions = _conditions(value)
    for row in conditions:
        if row.type == "Reconciling" and row.status == "True":
            return _progress(row.reason, row.message)
        if row.type == "Stalled" and row.status == "True":
            return _failed(row.reason, row.message)
    gvk = GVK.of(_text(value, "apiVersion"), _text(value, "kind"))
    rule = _RULES.get((gvk.group, gvk.kind))
    if rule is not None:
        return rule(_Subject(value, conditions, now))
    for row in conditions:
        if row.type == "Ready" and row.status in ("True", "False", "Unknown"):
            if row.status == "True":
                return _current("Resource is Ready")
            return _progress(row.reason, row.message)
    return _current("Resource is current")


class _Subject:
    """An object under a rule."""

    __slots__ = ("conditions", "now", "value")

    def __init__(self, value: Raw, conditions: tuple[_Condition, ...], now: datetime) -> None:
        self.value = value
        self.conditions = conditions
        self.now = now

    def number(self, *path: str, default: int = 0) -> int:
        """A number of the object; the default for what is none."""
        found = _lenient(self.value, *path)
        return found if isinstance(found, int) and not isinstance(found, bool) else default

    def text(self, *path: str, default: str = "") -> str:
        """A text of the object; the default for what is none."""
        found = _lenient(self.value, *path)
        return found if isinstance(found, str) else default

    def has(self, type: str, status: str) -> _Condition | None:
        """The first condition of a type that has a status."""
        return next((row for row in self.conditions if (row.type, row.status) == (type, status)), None)


Rule = Callable[[_Subject], Result]


class _Less(NamedTuple):
    """A step of a rule: while ``have`` is less than ``want``, the object is in progress."""

    have: int
    want: int
    label: str
    reason: str


def _short(*steps: _Less) -> Result | None:
    for step in steps:
        if step.want > step.have:
            return _progress(step.reason, f"{step.label}: {step.have}/{step.want}")
    return None


def _extra(have: int, want: int) -> Result | None:
    return _progress("ExtraPods", f"Pending termination: {have - want}") if have > want else None


def _always(_: _Subject) -> Result:
    return _current("Resource is always ready")


def _budget(_: _Subject) -> Result:
    return _current("AllowedDisruptions has been computed.")


def _service(subject: _Subject) -> Result:
    kind = subject.text("spec", "type", default="ClusterIP")
    if kind == "LoadBalancer" and not subject.text("spec", "clusterIP"):
        return _progress("NoIPAssigned", "ClusterIP not set. Service type: LoadBalancer")
    return _current("Service is ready")


def _claim(subject: _Subject) -> Result:
    phase = subject.text("status", "phase", default="unknown")
    if phase != "Bound":
        return _progress("NotBound", f"PVC is not Bound. phase: {phase}")
    return _current("PVC is Bound")


def _stateful_set(subject: _Subject) -> Result:
    if subject.text("spec", "updateStrategy", "type") == "OnDelete":
        return _current("StatefulSet is using the ondelete update strategy")
    want = subject.number("spec", "replicas", default=1)
    have = subject.number("status", "replicas")
    updated = subject.number("status", "updatedReplicas")
    short = _short(
        _Less(have, want, "Replicas", "LessReplicas"),
        _Less(subject.number("status", "readyReplicas"), want, "Ready", "LessReady"),
    ) or _extra(have, want)
    if short is not None:
        return short
    partition = subject.number("spec", "updateStrategy", "rollingUpdate", "partition", default=-1)
    if partition != -1:
        return _short(_Less(updated, want - partition, "updated", "PartitionRollout")) or _current(
            f"Partition rollout complete. updated: {updated}"
        )
    current = subject.number("status", "currentReplicas")
    short = _short(_Less(current, want, "current", "LessCurrent"))
    if short is not None:
        return short
    if subject.text("status", "currentRevision") != subject.text("status", "updateRevision"):
        return _progress("RevisionMismatch", "Waiting for updated revision to match current")
    return _current(f"All replicas scheduled as expected. Replicas: {have}")


def _deployment(subject: _Subject) -> Result:
    deadline = subject.number("spec", "progressDeadlineSeconds", default=_NO_DEADLINE)
    for row in subject.conditions:
        if row.type == "Progressing" and row.reason == "ProgressDeadlineExceeded":
            return Result(status=Status.FAILED, message="Progress deadline exceeded", reason=row.reason)
    progressing = deadline == _NO_DEADLINE or any(
        (row.type, row.status, row.reason) == ("Progressing", "True", "NewReplicaSetAvailable")
        for row in subject.conditions
    )
    want = subject.number("spec", "replicas", default=1)
    have = subject.number("status", "replicas")
    updated = subject.number("status", "updatedReplicas")
    available = subject.number("status", "availableReplicas")
    short = (
        _short(
            _Less(have, want, "Replicas", "LessReplicas"),
            _Less(updated, want, "Updated", "LessUpdated"),
        )
        or _extra(have, want)
        or _short(
            _Less(available, updated, "Available", "LessAvailable"),
            _Less(subject.number("status", "readyReplicas"), want, "Ready", "LessReady"),
        )
    )
    if short is not None:
        return short
    if not progressing:
        return _progress("ReplicaSetNotAvailable", "ReplicaSet not Available")
    if subject.has("Available", "True") is None:
        return _progress("DeploymentNotAvailable", "Deployment not Available")
    return _current(f"Deployment is available. Replicas: {have}")


def _replica_set(subject: _Subject) -> Result:
    if subject.has("ReplicaFailure", "True") is not None:
        return _progress("ReplicaFailure", "Replica Failure condition. Check Pods")
    want = subject.number("spec", "replicas", default=1)
    have = subject.number("status", "replicas")
    short = _short(
        _Less(subject.number("status", "fullyLabeledReplicas"), want, "Labelled", "LessLabelled"),
        _Less(subject.number("status", "availableReplicas"), want, "Available", "LessAvailable"),
        _Less(subject.number("status", "readyReplicas"), want, "Ready", "LessReady"),
    ) or _extra(have, want)
    return short or _current(f"ReplicaSet is available. Replicas: {have}")


def _daemon_set(subject: _Subject) -> Result:
    # The general rule is lenient about generations that are not there; this controller always sets them.
    generation, observed = _generation(subject.value)
    kind = subject.text("kind")
    if generation is None:
        return _progress("NoGeneration", f"{kind} metadata.generation not found")
    if observed is None:
        return _progress("NoObservedGeneration", f"{kind} status.observedGeneration not found")
    want = subject.number("status", "desiredNumberScheduled", default=-1)
    if want == -1:
        return _progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled")
    short = _short(
        _Less(subject.number("status", "currentNumberScheduled"), want, "Current", "LessCurrent"),
        _Less(subject.number("status", "updatedNumberScheduled"), want, "Updated", "LessUpdated"),
        _Less(subject.number("status", "numberAvailable"), want, "Available", "LessAvailable"),
        _Less(subject.number("status", "numberReady"), want, "Ready", "LessReady"),
    )
    return short or _current(f"All replicas scheduled as expected. Replicas: {want}")


_PHASES: Final[Mapping[str, str]] = {
    "Succeeded": "Pod has completed successfully",
    "Failed": "Pod has completed, but not successfully",
}


def _pod(subject: _Subject) -> Result:
    phase = subject.text("status", "phase")
    if phase in _PHASES:
        return _current(_PHASES[phase])
    if phase == "Running":
        if subject.has("Ready", "True") is not None:
            return _current("Pod is Ready")
        looping = ",".join(_looping(subject.value))
        if looping:
            return _failed("ContainerCrashLooping", f"Containers in CrashLoop state: {looping}")
        return _progress("PodRunningNotReady", "Pod is running but is not Ready")
    if phase == "Pending":
        scheduled = subject.has("PodScheduled", "False")
        if scheduled is None or scheduled.reason != "Unschedulable":
            return _progress("PodPending", "Pod is in the Pending phase")
        made = _moment(subject.text("metadata", "creationTimestamp"))
        if made is not None and subject.now - SCHEDULING < made:
            return _progress("PodNotScheduled", "Pod has not been scheduled")
        return _failed("PodUnschedulable", "Pod could not be scheduled")
    if phase:
        raise _Shape(f"unknown phase {phase}")
    return _progress("PodNotObserved", "Pod phase not available")


def _looping(value: Raw) -> Iterator[str]:
    """The containers that wait in a crash loop."""
    rows = _found(value, "status", "containerStatuses")
    if rows is None:
        return
    for row in _list(rows, "status.containerStatuses"):
        name = row.get("name")
        if isinstance(name, str) and _lenient(row, "state", "waiting", "reason") == "CrashLoopBackOff":
            yield name


def _job(subject: _Subject) -> Result:
    completions = subject.number(
        "spec", "completions", default=subject.number("spec", "parallelism", default=1)
    )
    succeeded = subject.number("status", "succeeded")
    failed = subject.number("status", "failed")
    for row in subject.conditions:
        if (row.type, row.status) == ("Complete", "True"):
            return _current(f"Job Completed. succeeded: {succeeded}/{completions}")
        if (row.type, row.status) == ("Failed", "True"):
            return _failed("JobFailed", f"Job Failed. failed: {failed}/{completions}")
    if not subject.text("status", "startTime"):
        return _progress("JobNotStarted", "Job not started")
    active = subject.number("status", "active")
    return _current(f"Job in progress. success:{succeeded}, active: {active}, failed: {failed}")


def _definition(subject: _Subject) -> Result:
    for row in subject.conditions:
        if (row.type, row.status) == ("NamesAccepted", "False"):
            return _failed(row.reason, row.message)
        if row.type == "Established":
            if row.status == "False" and row.reason != "Installing":
                return _failed(row.reason, row.message)
            if row.status == "True":
                return _current("CRD is established")
    return _progress("Installing", "Install in progress")


_RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("", "Service"): _service,
    ("", "Pod"): _pod,
    ("", "Secret"): _always,
    ("", "ConfigMap"): _always,
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("extensions", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("extensions", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("extensions", "ReplicaSet"): _replica_set,
    ("policy", "PodDisruptionBudget"): _budget,
    ("batch", "CronJob"): _always,
    ("batch", "Job"): _job,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}


def _current(message: str) -> Result:
    return Result(status=Status.CURRENT, message=message)


def _progress(reason: str, message: str) -> Result:
    return Result(status=Status.IN_PROGRESS, message=message, reason=reason)


def _failed(reason: str, message: str) -> Result:
    return Result(status=Status.FAILED, message=message, reason=reason)


def _found(value: Raw, *path: str, default: Any = None) -> Any:
    """What is at a path, the default if nothing is.

    Raises _Shape where the way leads through what is no object.
    """
    here: Any = value
    for depth, step in enumerate(path):
        if not isinstance(here, Mapping):
            raise _Shape(f"{'.'.join(path[:depth])} is no object")
        if step not in here:
            return default
        here = here[step]
        if here is None and depth < len(path) - 1:
            return default
    return here


def _lenient(value: Raw, *path: str) -> Any:
    try:
        return _found(value, *path)
    except _Shape:
        return None


def _generation(value: Raw) -> tuple[int | None, int | None]:
    """The newest generation, and the one that was observed, where they are."""
    newest = _integer(value, "metadata", "generation")
    return newest, None if newest is None else _integer(value, "status", "observedGeneration")


def _integer(value: Raw, *path: str) -> int | None:
    found = _found(value, *path, default=_ABSENT)
    if found is _ABSENT:
        return None
    if not isinstance(found, int) or isinstance(found, bool):
        raise _Shape(f"looking up {'.'.join(path)} from resource: it is no integer")
    return found


def _conditions(value: Raw) -> tuple[_Condition, ...]:
    rows = _found(value, "status", "conditions")
    if rows is None:
        return ()
    return tuple(
        _Condition(*(_text(row, name) for name in _Condition._fields))
        for row in _list(rows, "status.conditions")
    )


def _list(rows: Any, where: str) -> list[Raw]:
    """The objects of a list; null is an empty one, as Go reads it."""
    if not isinstance(rows, list) or not all(row is None or isinstance(row, Mapping) for row in rows):
        raise _Shape(f"{where} is no list of objects")
    return [{} if row is None else row for row in rows]


def _text(row: Raw, name: str) -> str:
    found = row.get(name)
    if found is not None and not isinstance(found, str):
        raise _Shape(f"{name} is no text")
    return found or ""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
