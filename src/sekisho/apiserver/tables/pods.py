"""The columns of Pods: what a Pod is doing, in one word (printers/internalversion ``printPod``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.apiserver.tables.cells import NONE, Raw, age, at, condition, created, number, rows, text
from sekisho.apiserver.types import Column

COLUMNS: Final = (
    Column(name="Name", format="name"),
    Column(name="Ready"),
    Column(name="Status"),
    Column(name="Restarts"),
    Column(name="Age"),
    Column(name="IP", priority=1),
    Column(name="Node", priority=1),
    Column(name="Nominated Node", priority=1),
    Column(name="Readiness Gates", priority=1),
)

ENDED: Final[Mapping[str, str]] = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}


@dataclass(slots=True)
class _Count:
    """What is counted over the containers of a Pod."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last: str = ""

    def add(self, container: Raw) -> None:
        """Count the restarts of a container."""
        self.restarts += number(container, "restartCount")
        self.last = max(self.last, text(container, "lastState", "terminated", "finishedAt"))


def pod_conditions(pod: Raw) -> list[dict[str, Any]]:
    """The conditions of a row: whether the Pod has ended."""
    phase = text(pod, "status", "phase")
    if phase not in ENDED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": ENDED[phase]}]


def pod_cells(pod: Raw) -> list[Any]:
    """The cells of a Pod."""
    conditions = rows(pod, "status", "conditions")
    count = _Count(text(pod, "status", "reason") or text(pod, "status", "phase"))
    scheduled = condition(conditions, "PodScheduled")
    if scheduled is not None and scheduled.get("reason") == "SchedulingGated":
        count.reason = "SchedulingGated"
    sidecars = {
        text(row, "name")
        for row in rows(pod, "spec", "initContainers")
        if row.get("restartPolicy") == "Always"
    }
    of_sidecars = _Count("", ready=0)
    initializing = _initializing(pod, sidecars, count, of_sidecars)
    initialized = condition(conditions, "Initialized")
    if not initializing or (initialized is not None and initialized.get("status") == "True"):
        count.restarts, count.last = of_sidecars.restarts, of_sidecars.last
        _running(pod, conditions, count)
    reason = _ending(pod, count.reason)
    total = len(rows(pod, "spec", "containers")) + len(sidecars)
    restarts = str(count.restarts)
    if count.restarts and count.last:
        restarts = f"{restarts} ({age(count.last)} ago)"
    return [
        text(pod, "metadata", "name"),
        f"{count.ready}/{total}",
        reason,
        restarts,
        created(pod),
        text(next(iter(rows(pod, "status", "podIPs")), {}), "ip", default=NONE),
        text(pod, "spec", "nodeName", default=NONE),
        text(pod, "status", "nominatedNodeName", default=NONE),
        _gates(pod, conditions),
    ]


def _initializing(pod: Raw, sidecars: set[str], count: _Count, of_sidecars: _Count) -> bool:
    """Whether an init container still runs or has failed; then it gives the reason."""
    for index, container in enumerate(rows(pod, "status", "initContainerStatuses")):
        count.add(container)
        sidecar = text(container, "name") in sidecars
        if sidecar:
            of_sidecars.add(container)
        ended = at(container, "state", "terminated")
        if ended is not None and number(ended, "exitCode") == 0:
            continue
        if sidecar and container.get("started") is True:
            count.ready += container.get("ready") is True
            continue
        waits = text(container, "state", "waiting", "reason")
        if ended is not None:
            count.reason = f"Init:{_of_ended(ended)}"
        elif waits and waits != "PodInitializing":
            count.reason = f"Init:{waits}"
        else:
            count.reason = f"Init:{index}/{len(rows(pod, 'spec', 'initContainers'))}"
        return True
    return False


def _running(pod: Raw, conditions: Any, count: _Count) -> None:
    """The reason of the first container that has one, and which run."""
    runs = False
    for container in reversed(rows(pod, "status", "containerStatuses")):
        count.add(container)
        waits, ended = text(container, "state", "waiting", "reason"), at(container, "state", "terminated")
        if waits:
            count.reason = waits
        elif ended is not None:
            count.reason = _of_ended(ended)
        elif container.get("ready") is True and at(container, "state", "running") is not None:
            runs = True
            count.ready += 1
    if count.reason == "Completed" and runs:
        ready = condition(conditions, "Ready")
        count.reason = "Running" if ready is not None and ready.get("status") == "True" else "NotReady"


def _of_ended(ended: Raw) -> str:
    reason, signal = text(ended, "reason"), number(ended, "signal")
    return reason or (f"Signal:{signal}" if signal else f"ExitCode:{number(ended, 'exitCode')}")


def _ending(pod: Raw, reason: str) -> str:
    if not at(pod, "metadata", "deletionTimestamp"):
        return reason
    if text(pod, "status", "reason") == "NodeLost":
        return "Unknown"
    return reason if text(pod, "status", "phase") in ENDED else "Terminating"


def _gates(pod: Raw, conditions: Any) -> str:
    gates = rows(pod, "spec", "readinessGates")
    if not gates:
        return NONE
    met = (condition(conditions, text(row, "conditionType")) for row in gates)
    return f"{sum(row is not None and row.get('status') == 'True' for row in met)}/{len(gates)}"
