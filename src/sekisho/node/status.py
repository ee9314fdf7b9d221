"""The status of a Pod, from what is known of its containers: pure, as a kubelet writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
Raw = Mapping[str, Any]

WAITING: Final = {"waiting": {"reason": "ContainerCreating"}}
INITIALIZING: Final = {"waiting": {"reason": "PodInitializing"}}

CONDITIONS: Final = (
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
)


@dataclass(slots=True, kw_only=True)
class ContainerState:
    """What is known of one container. ``over``: it has ended and will not be started again."""

    name: str
    image: str
    identity: str = ""
    state: Json = field(default_factory=lambda: dict(WAITING))
    last: Json = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    started: bool = False
    over: bool = False
    container: str = ""

    @property
    def code(self) -> int | None:
        """The exit code of its last run, if that has ended."""
        found = self.state.get("terminated") or {}
        return found.get("exitCode") if found else None

    def written(self) -> Json:
        """The entry of ``containerStatuses``."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": self.identity,
            "containerID": f"sekisho://{self.container}" if self.container else "",
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that a Pod's status is made from. ``init`` and ``main`` stand in the spec's order."""

    init: Sequence[ContainerState]
    main: Sequence[ContainerState]
    address: str = ""
    host_address: str = ""
    since: str = ""
    sidecars: frozenset[str] = frozenset()
    debugging: Sequence[ContainerState] = ()


def phase_of(known: Known) -> str:
    """Pending, Running, Succeeded or Failed (kubelet's getPhase)."""
    plain = [row for row in known.init if row.name not in known.sidecars]
    if any(row.over and row.code for row in plain):
        return "Failed"
    if any(row.code != 0 or not row.over for row in plain) or any(
        row.name in known.sidecars and not row.started for row in known.init
    ):
        return "Pending"
    going = any("running" in row.state for row in known.init if row.name in known.sidecars)
    if all(row.over for row in known.main) and not going:
        return "Failed" if any(row.code for row in known.main) else "Succeeded"
    begun = [row for row in known.main if "running" in row.state or "terminated" in row.state or row.last]
    return "Running" if len(begun) == len(known.main) else "Pending"


def status_of(pod: Raw, known: Known, now: str) -> Json:
    """The status, with the times of conditions that have not changed kept."""
    before = pod.get("status") or {}
    phase = phase_of(known)
    found: Json = {
        **{key: value for key, value in before.items() if key in ("qosClass", "nominatedNodeName", "resize")},
        "phase": phase,
        "conditions": _conditions(pod, known, phase, now),
        "hostIP": known.host_address,
        "hostIPs": [{"ip": known.host_address}],
        "startTime": before.get("startTime") or known.since or now,
        "containerStatuses": [row.written() for row in known.main],
    }
    if known.init:
        found["initContainerStatuses"] = [row.written() for row in known.init]
    if known.debugging:
        found["ephemeralContainerStatuses"] = [row.written() for row in known.debugging]
    if known.address:
        found["podIP"] = known.address
        found["podIPs"] = [{"ip": known.address}]
    return found


def _conditions(pod: Raw, known: Known, phase: str, now: str) -> list[Json]:
    done = phase in ("Succeeded", "Failed")
    unready = [row.name for row in known.main if not row.ready]
    waiting = [
        row.name
        for row in known.init
        if not (row.started if row.name in known.sidecars else row.over and row.code == 0)
    ]
    ready = _unready(unready, "ContainersNotReady", "containers with unready status", done=done)
    values: dict[str, Json] = {
        "PodReadyToStartContainers": {"status": "True" if known.address and not done else "False"},
        "Initialized": _unready(waiting, "ContainersNotInitialized", "containers with incomplete status"),
        "Ready": _gated(pod, ready),
        "ContainersReady": ready,
        "PodScheduled": {"status": "True"},
    }
    if done and not waiting:
        values["Initialized"] = {"status": "True", "reason": "PodCompleted"}
    before = {row["type"]: row for row in (pod.get("status") or {}).get("conditions") or ()}
    own = [_dated(name, values[name], before.get(name), now) for name in CONDITIONS]
    return own + [row for name, row in before.items() if name not in values]


def _unready(names: Sequence[str], reason: str, text: str, *, done: bool = False) -> Json:
    if done:
        return {"status": "False", "reason": "PodCompleted"}
    if not names:
        return {"status": "True"}
    return {"status": "False", "reason": reason, "message": f"{text}: [{' '.join(names)}]"}


def _gated(pod: Raw, ready: Json) -> Json:
    """Readiness gates: conditions that others write."""
    rows = {row["type"]: row.get("status") for row in (pod.get("status") or {}).get("conditions") or ()}
    for gate in pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if ready["status"] == "True" and rows.get(kind) != "True":
            message = f'corresponding condition of pod readiness gate "{kind}" does not exist.'
            if kind in rows:
                message = f'the status of pod readiness gate "{kind}" is not "True", but {rows[kind]}'
            return {"status": "False", "reason": "ReadinessGatesNotReady", "message": message}
    return ready


def _dated(name: str, value: Json, before: Raw | None, now: str) -> Json:
    same = before is not None and before.get("status") == value["status"]
    since = before.get("lastTransitionTime") if same and before is not None else None
    return {"type": name, "lastProbeTime": None, "lastTransitionTime": since or now, **value}


def refused(pod: Raw, reason: str, message: str, now: str) -> Json:
    """The status of a Pod that will never run here."""
    before = pod.get("status") or {}
    return {**before, "phase": "Failed", "reason": reason, "message": message, "startTime": now}
