"""Deployments that are scaled within a rollout, are too slow, or paused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.controllers.test_workloads import DEPLOYMENT
from tests.unit.apiserver.controllers.workloads import APPS, Json, get, items, make, patch, workload
from tests.unit.apiserver.running import Client, run

from sekisho.apiserver.controllers.workloads import deployments
from sekisho.apiserver.controllers.workloads.plan import Alter, View
from sekisho.apiserver.controllers.workloads.proportions import DESIRED, MOST, Part, Whole, sizes

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def part(name: str, size: int, most: int) -> Part:
    return Part(name, size, {"old": "1", "new": "2"}.get(name, name), most)


CASES = (
    # The example of Kubernetes' own pages: 10 to 15 within a rollout, three more for a while.
    ([part("old", 8, 13), part("new", 5, 13)], (15, 3), {"old": 11, "new": 7}),
    ([part("old", 11, 18), part("new", 7, 18)], (10, 3), {"old": 8, "new": 5}),
    ([part("old", 5, 11), part("new", 5, 11)], (20, 1), {"old": 10, "new": 11}),
    ([part("a", 1, 3), part("b", 1, 3), part("c", 1, 3)], (4, 0), {"a": 1, "b": 1, "c": 2}),
    ([part("a", 1, 3), part("b", 1, 3), part("c", 1, 3)], (2, 0), {"a": 0, "b": 1, "c": 1}),
    ([part("old", 8, 13), part("new", 5, 13)], (0, 3), {"old": 0, "new": 0}),
    ([part("old", 3, 0), part("new", 2, 0)], (10, 0), {"old": 6, "new": 4}),
    ([part("old", 3, 5), part("new", 2, 5)], (5, 0), {"old": 3, "new": 2}),
)


@pytest.mark.parametrize(("parts", "wanted", "found"), CASES)
def test_parts_stay_the_same_part_of_the_whole(
    parts: list[Part], wanted: tuple[int, int], found: dict[str, int]
) -> None:
    there = sum(row.size for row in parts)
    assert sizes(parts, Whole(wanted=wanted[0], surge=wanted[1], there=there)) == found


def replica_set(name: str, size: int, image: str, desired: int, **status: int) -> Json:
    notes = {DESIRED: str(desired), MOST: str(desired + 3), "deployment.kubernetes.io/revision": name[-1]}
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "creationTimestamp": f"2026-03-01T11:0{name[-1]}:00Z",
            "annotations": notes,
        },
        "spec": {"replicas": size, "template": template(image)},
        "status": {"replicas": size, **status},
    }


def template(image: str) -> Json:
    return {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": image}]}}


def view(sets: list[Json], status: Json | None = None, **spec: Any) -> View:
    rolling = {"maxSurge": 3, "maxUnavailable": 2}
    owner: Json = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "default", "uid": "u", "generation": 2},
        "spec": {
            "replicas": 10,
            "selector": {"matchLabels": {"a": "b"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": template("b:2"),
            **spec,
        },
        "status": {"observedGeneration": 2, **(status or {})},
    }
    return View(owner=owner, children=sets, now=NOW)


def scaled(found: View) -> dict[str, int]:
    """The sizes that a plan asks for."""
    steps = [step for step in deployments.reconcile(found).steps if isinstance(step, Alter)]
    rows = {row["metadata"]["name"]: row for row in found.children}
    return {
        step.place.name: step.change(rows[step.place.name])["spec"]["replicas"]
        for step in steps
        if step.place.name in rows
    }


def rollout() -> list[Json]:
    return [
        replica_set("d-1", 8, "b:1", 10, availableReplicas=8),
        replica_set("d-2", 5, "b:2", 10, availableReplicas=0),
    ]


def test_a_rollout_that_is_scaled_is_scaled_in_proportion_first() -> None:
    assert scaled(view(rollout(), {"replicas": 13}, replicas=15)) == {"d-1": 11, "d-2": 7}


def test_a_paused_one_too() -> None:
    assert scaled(view(rollout(), {"replicas": 13}, replicas=15, paused=True)) == {"d-1": 11, "d-2": 7}
    assert scaled(view(rollout(), {"replicas": 13}, paused=True)) == {}


def test_when_the_newest_serves_alone_the_old_ones_go() -> None:
    sets = [
        replica_set("d-1", 2, "b:1", 5, availableReplicas=2),
        replica_set("d-2", 10, "b:2", 10, availableReplicas=10),
    ]
    assert scaled(view(sets, {"replicas": 12})) == {"d-1": 0}


def test_a_set_is_noted_as_scaled_once() -> None:
    sets = [replica_set("d-2", 10, "b:2", 4, availableReplicas=10)]
    [step] = [
        step
        for step in deployments.reconcile(view(sets)).steps
        if isinstance(step, Alter) and step.place.name == "d-2"
    ]
    notes = step.change(sets[0])["metadata"]["annotations"]
    assert (notes[DESIRED], notes[MOST], step.told) == ("10", "13", None)


def progressing(minutes: int, **spec: Any) -> Json:
    """The condition after so many minutes without any progress."""
    since = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    row = {
        "type": "Progressing",
        "status": "True",
        "reason": "ReplicaSetUpdated",
        "message": "",
        "lastUpdateTime": since,
        "lastTransitionTime": since,
    }
    counts = {"replicas": 13, "updatedReplicas": 5, "availableReplicas": 8, "unavailableReplicas": 5}
    plan = deployments.reconcile(view(rollout(), {**counts, "conditions": [row]}, **spec))
    assert plan.status is not None
    [found] = [row for row in plan.status("")["conditions"] if row["type"] == "Progressing"]
    return dict(found)


@pytest.mark.parametrize(
    ("minutes", "spec", "wanted"),
    [
        (5, {}, ("True", "ReplicaSetUpdated")),
        (11, {}, ("False", "ProgressDeadlineExceeded")),
        (2, {"progressDeadlineSeconds": 60}, ("False", "ProgressDeadlineExceeded")),
        (9999, {"progressDeadlineSeconds": 2**31 - 1}, ("True", "ReplicaSetUpdated")),
        (11, {"paused": True}, ("Unknown", "DeploymentPaused")),
    ],
)
def test_a_rollout_that_is_too_slow_is_said_to_be(minutes: int, spec: Any, wanted: tuple[str, str]) -> None:
    found = progressing(minutes, **spec)
    assert (found["status"], found["reason"]) == wanted


def test_old_sets_beyond_the_limit_go(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{APPS}/deployments", workload("Deployment", replicas=0, revisionHistoryLimit=1))
        for number in range(3):
            container = {"name": "c", "image": f"a:{number}"}
            await patch(call, DEPLOYMENT, {"spec": {"template": {"spec": {"containers": [container]}}}})
        revisions = [
            row["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
            for row in await items(call, f"{APPS}/replicasets")
        ]
        assert sorted(revisions) == ["3", "4"]
        assert (await get(call, DEPLOYMENT))["metadata"]["annotations"][
            "deployment.kubernetes.io/revision"
        ] == "4"

    run(tmp_path, work)
