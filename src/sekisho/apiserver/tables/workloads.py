"""The columns of workloads: what is wanted, what there is, which images."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver.tables.cells import (
    NONE,
    UNKNOWN,
    UNSET,
    Raw,
    age,
    at,
    between,
    condition,
    containers,
    created,
    labels,
    number,
    quantity,
    rows,
    selector,
    text,
)
from sekisho.apiserver.types import Column

NAME: Final = Column(name="Name", format="name")
AGE: Final = Column(name="Age")
WIDE: Final = (
    Column(name="Containers", priority=1),
    Column(name="Images", priority=1),
    Column(name="Selector", priority=1),
)
TEMPLATE: Final = ("spec", "template", "spec")


def _integers(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, type="integer") for name in names)


DEPLOYMENT: Final = (
    NAME,
    Column(name="Ready"),
    Column(name="Up-to-date"),
    Column(name="Available"),
    AGE,
    *WIDE,
)


def deployment(value: Raw) -> list[Any]:
    """A Deployment."""
    spec, status = at(value, "spec"), at(value, "status")
    return [
        text(value, "metadata", "name"),
        f"{number(status, 'readyReplicas')}/{number(spec, 'replicas')}",
        number(status, "updatedReplicas"),
        number(status, "availableReplicas"),
        created(value),
        *containers(value, *TEMPLATE),
        selector(at(spec, "selector"), none=""),
    ]


REPLICA_SET: Final = (NAME, *_integers("Desired", "Current", "Ready"), AGE, *WIDE)


def _replicated(value: Raw, selected: str) -> list[Any]:
    return [
        text(value, "metadata", "name"),
        number(value, "spec", "replicas"),
        number(value, "status", "replicas"),
        number(value, "status", "readyReplicas"),
        created(value),
        *containers(value, *TEMPLATE),
        selected,
    ]


def replica_set(value: Raw) -> list[Any]:
    """A ReplicaSet."""
    return _replicated(value, selector(at(value, "spec", "selector")))


def replication_controller(value: Raw) -> list[Any]:
    """A ReplicationController."""
    return _replicated(value, labels(at(value, "spec", "selector")))


STATEFUL_SET: Final = (NAME, Column(name="Ready"), AGE, *WIDE[:2])


def stateful_set(value: Raw) -> list[Any]:
    """A StatefulSet."""
    ready = f"{number(value, 'status', 'readyReplicas')}/{number(value, 'spec', 'replicas')}"
    return [text(value, "metadata", "name"), ready, created(value), *containers(value, *TEMPLATE)]


DAEMON_SET: Final = (
    NAME,
    *_integers("Desired", "Current", "Ready", "Up-to-date", "Available"),
    Column(name="Node Selector"),
    AGE,
    *WIDE,
)
_COUNTS: Final = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
)


def daemon_set(value: Raw) -> list[Any]:
    """A DaemonSet."""
    return [
        text(value, "metadata", "name"),
        *(number(value, "status", name) for name in _COUNTS),
        labels(at(value, *TEMPLATE, "nodeSelector")),
        created(value),
        *containers(value, *TEMPLATE),
        selector(at(value, "spec", "selector")),
    ]


JOB: Final = (NAME, Column(name="Status"), Column(name="Completions"), Column(name="Duration"), AGE, *WIDE)
_STATES: Final = {"Complete": "Complete", "Failed": "Failed"}
_LATER_STATES: Final = {"Suspended": "Suspended", "FailureTarget": "FailureTarget"}


def job(value: Raw) -> list[Any]:
    """A Job."""
    spec, status = at(value, "spec"), at(value, "status")
    done, parallel = number(status, "succeeded"), number(spec, "parallelism")
    if at(spec, "completions") is not None:
        completions = f"{done}/{number(spec, 'completions')}"
    else:
        completions = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    return [
        text(value, "metadata", "name"),
        _state(value),
        completions,
        between(at(status, "startTime"), at(status, "completionTime")),
        created(value),
        *containers(value, *TEMPLATE),
        selector(at(spec, "selector")),
    ]


def _state(value: Raw) -> str:
    conditions = rows(value, "status", "conditions")

    def first(states: dict[str, str]) -> str:
        for type, word in states.items():
            found = condition(conditions, type)
            if found is not None and found.get("status") == "True":
                return word
        return ""

    ending = "Terminating" if at(value, "metadata", "deletionTimestamp") else ""
    return first(_STATES) or ending or first(_LATER_STATES) or "Running"


CRON_JOB: Final = (
    NAME,
    Column(name="Schedule"),
    Column(name="Timezone"),
    Column(name="Suspend", type="boolean"),
    Column(name="Active", type="integer"),
    Column(name="Last Schedule"),
    AGE,
    *WIDE,
)


def cron_job(value: Raw) -> list[Any]:
    """A CronJob."""
    spec, last, suspend = (
        at(value, "spec"),
        at(value, "status", "lastScheduleTime"),
        at(value, "spec", "suspend"),
    )
    return [
        text(value, "metadata", "name"),
        text(spec, "schedule"),
        text(spec, "timeZone", default=NONE),
        UNSET if suspend is None else "True" if suspend else "False",
        len(rows(value, "status", "active")),
        age(last) if last else NONE,
        created(value),
        *containers(spec, "jobTemplate", *TEMPLATE),
        selector(at(spec, "jobTemplate", "spec", "selector")),
    ]


BUDGET: Final = (
    NAME,
    Column(name="Min Available"),
    Column(name="Max Unavailable"),
    Column(name="Allowed Disruptions", type="integer"),
    AGE,
)


def budget(value: Raw) -> list[Any]:
    """A PodDisruptionBudget."""

    def share(name: str) -> str:
        found = at(value, "spec", name)
        return "N/A" if found is None else str(found)

    allowed = number(value, "status", "disruptionsAllowed")
    name = text(value, "metadata", "name")
    return [name, share("minAvailable"), share("maxUnavailable"), allowed, created(value)]


AUTOSCALER: Final = (
    NAME,
    Column(name="Reference"),
    Column(name="Targets"),
    Column(name="MinPods"),
    Column(name="MaxPods"),
    Column(name="Replicas"),
    AGE,
)


def autoscaler(value: Raw) -> list[Any]:
    """A HorizontalPodAutoscaler, in version 2 or 1."""
    spec = at(value, "spec")
    least = at(spec, "minReplicas")
    return [
        text(value, "metadata", "name"),
        f"{text(spec, 'scaleTargetRef', 'kind')}/{text(spec, 'scaleTargetRef', 'name')}",
        _metrics(value),
        UNSET if least is None else str(least),
        number(spec, "maxReplicas"),
        number(value, "status", "currentReplicas"),
        created(value),
    ]


MOST_METRICS: Final = 2

_SOURCES: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


def _metrics(value: Raw) -> str:
    specs, states = _of_version_one(value) or (
        rows(value, "spec", "metrics"),
        rows(value, "status", "currentMetrics"),
    )
    if not specs:
        return NONE
    found = [_metric(row, states[index] if index < len(states) else {}) for index, row in enumerate(specs)]
    shown = ", ".join(found[:MOST_METRICS])
    return f"{shown} + {len(found) - MOST_METRICS} more..." if len(found) > MOST_METRICS else shown


def _of_version_one(value: Raw) -> tuple[list[Raw], list[Raw]] | None:
    """The one metric of autoscaling/v1, as version 2 would write it."""
    wanted = at(value, "spec", "targetCPUUtilizationPercentage")
    if wanted is None:
        return None
    current = at(value, "status", "currentCPUUtilizationPercentage")
    target = {"name": "cpu", "target": {"averageUtilization": wanted}}
    states: list[Raw] = []
    if current is not None:
        states = [{"resource": {"current": {"averageUtilization": current}}}]
    return [{"type": "Resource", "resource": target}], states


def _metric(spec: Raw, state: Raw) -> str:
    source = _SOURCES.get(text(spec, "type"))
    if source is None:
        return "<unknown type>"
    target, current = at(spec, source, "target"), at(state, source, "current")
    average = at(target, "averageValue")
    if source in ("resource", "containerResource"):
        name = text(spec, source, "name")
        if average is not None:
            return f"{name}: {_quantity(current, 'averageValue')}/{quantity(average)}"
        wanted, now = at(target, "averageUtilization"), at(current, "averageUtilization")
        shown = UNKNOWN if now is None else f"{now}%"
        return f"{name}: {shown}/{'<auto>' if wanted is None else f'{wanted}%'}"
    if source == "pods":
        return f"{_quantity(current, 'averageValue')}/{quantity(average)}"
    if average is not None:
        return f"{_quantity(current, 'averageValue')}/{quantity(average)} (avg)"
    return f"{_quantity(current, 'value')}/{quantity(at(target, 'value'))}"


def _quantity(current: Any, name: str) -> str:
    found = at(current, name)
    return UNKNOWN if found is None else quantity(found)


POD_TEMPLATE: Final = (NAME, Column(name="Containers"), Column(name="Images"), Column(name="Pod Labels"))


def pod_template(value: Raw) -> list[Any]:
    """A PodTemplate."""
    shown = containers(value, "template", "spec")
    return [text(value, "metadata", "name"), *shown, labels(at(value, "template", "metadata", "labels"))]


REVISION: Final = (NAME, Column(name="Controller"), Column(name="Revision"), AGE)


def revision(value: Raw) -> list[Any]:
    """A ControllerRevision."""
    owner = next(
        (row for row in rows(value, "metadata", "ownerReferences") if row.get("controller") is True), None
    )
    shown = NONE
    if owner is not None:
        group, slash, _ = text(owner, "apiVersion").partition("/")
        kind = text(owner, "kind").lower()
        shown = f"{kind}.{group}/{text(owner, 'name')}" if slash else f"{kind}/{text(owner, 'name')}"
    return [text(value, "metadata", "name"), shown, number(value, "revision"), created(value)]
