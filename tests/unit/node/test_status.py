"""The status of Pods, from what is known of their containers."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.node.status import ContainerState, Known, phase_of, status_of

RUNNING = {"running": {}}
WAITING = {"waiting": {"reason": "ContainerCreating"}}


def ended(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code}}


def row(name: str, state: dict[str, Any], **more: Any) -> ContainerState:
    return ContainerState(name=name, image="i", state=state, **more)


@pytest.mark.parametrize(
    ("init", "main", "wanted"),
    [
        ([], [row("a", WAITING)], "Pending"),
        ([], [row("a", RUNNING)], "Running"),
        ([], [row("a", RUNNING), row("b", WAITING)], "Pending"),
        ([], [row("a", RUNNING), row("b", WAITING, last=ended(1))], "Running"),
        ([], [row("a", RUNNING), row("b", ended(0), over=True)], "Running"),
        ([], [row("a", ended(0), over=True)], "Succeeded"),
        ([], [row("a", ended(0), over=True), row("b", ended(2), over=True)], "Failed"),
        ([row("i", RUNNING)], [row("a", WAITING)], "Pending"),
        ([row("i", ended(1))], [row("a", WAITING)], "Pending"),
        ([row("i", ended(1), over=True)], [row("a", WAITING)], "Failed"),
        ([row("i", ended(0), over=True)], [row("a", RUNNING)], "Running"),
        ([row("side", RUNNING, started=True)], [row("a", RUNNING)], "Running"),
        ([row("side", RUNNING)], [row("a", WAITING)], "Pending"),
        ([row("side", RUNNING, started=True)], [row("a", ended(0), over=True)], "Running"),
        ([row("side", ended(137), started=True, over=True)], [row("a", ended(0), over=True)], "Succeeded"),
    ],
)
def test_phases(init: list[ContainerState], main: list[ContainerState], wanted: str) -> None:
    assert phase_of(Known(init=init, main=main, sidecars=frozenset({"side"}))) == wanted


def conditions(known: Known, **pod: Any) -> dict[str, Any]:
    found = status_of({"spec": {}, **pod}, known, "2026-01-02T03:04:05Z")
    return {row["type"]: row for row in found["conditions"]}


def test_conditions_of_a_pod_that_is_ready() -> None:
    rows = conditions(Known(init=[], main=[row("a", RUNNING, ready=True)], address="10.0.0.1"))
    assert {name: found["status"] for name, found in rows.items()} == dict.fromkeys(
        ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), "True"
    )


def test_conditions_name_who_is_not_ready() -> None:
    rows = conditions(Known(init=[row("i", RUNNING)], main=[row("a", WAITING), row("b", WAITING)]))
    assert rows["Initialized"]["message"] == "containers with incomplete status: [i]"
    assert rows["Ready"]["reason"] == "ContainersNotReady"
    assert rows["ContainersReady"]["message"] == "containers with unready status: [a b]"


def test_times_stay_while_a_condition_does() -> None:
    old = [{"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}]
    rows = conditions(Known(init=[], main=[row("a", RUNNING, ready=True)]), status={"conditions": old})
    assert rows["Ready"]["lastTransitionTime"] == "2020-01-01T00:00:00Z"
    assert rows["Initialized"]["lastTransitionTime"] == "2026-01-02T03:04:05Z"


def test_gates_hold_a_pod_back() -> None:
    known = Known(init=[], main=[row("a", RUNNING, ready=True)])
    spec = {"readinessGates": [{"conditionType": "example.com/g"}]}
    rows = conditions(known, spec=spec)
    assert rows["Ready"]["reason"] == "ReadinessGatesNotReady"
    gate = {"type": "example.com/g", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}
    rows = conditions(known, spec=spec, status={"conditions": [gate]})
    assert rows["Ready"]["status"] == "True"
    assert rows["example.com/g"] == gate
