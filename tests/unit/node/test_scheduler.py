"""Which Pods a node can take."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.node.scheduler import requested, why_not

NODE: dict[str, Any] = {
    "metadata": {"name": "n", "labels": {"disk": "ssd", "cores": "8"}},
    "spec": {},
    "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "3"}},
}


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}], **spec}}


def wants(**requests: str) -> dict[str, Any]:
    return pod(containers=[{"name": "c", "resources": {"requests": requests}}])


def affinity(*terms: Any) -> dict[str, Any]:
    required = {"nodeSelectorTerms": list(terms)}
    return pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}})


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (pod(), ""),
        (pod(runtimeClassName="sekisho"), ""),
        (pod(runtimeClassName="kata"), '1 node(s) run the runtime class "sekisho" only, and not "kata"'),
        (pod(nodeSelector={"disk": "ssd"}), ""),
        (pod(nodeSelector={"disk": "hdd"}), "1 node(s) didn't match Pod's node affinity/selector"),
        (affinity(expression("disk", "In", "hdd", "ssd")), ""),
        (affinity(expression("disk", "NotIn", "ssd"), expression("cores", "Gt", "4")), ""),
        (affinity(expression("cores", "Gt", "8")), "1 node(s) didn't match Pod's node affinity/selector"),
        (affinity(expression("cores", "Lt", "9")), ""),
        (affinity(expression("absent", "Gt", "1")), "1 node(s) didn't match Pod's node affinity/selector"),
        (affinity(expression("absent", "DoesNotExist")), ""),
        (affinity(expression("disk", "Exists")), ""),
        (affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}), ""),
        (affinity({}), "1 node(s) didn't match Pod's node affinity/selector"),
        (wants(cpu="1500m", memory="512Mi"), ""),
        (wants(cpu="3"), "1 Insufficient cpu"),
        (wants(cpu="3", memory="2Gi"), "1 Insufficient cpu, 1 Insufficient memory"),
    ],
)
def test_what_a_node_takes(asked: dict[str, Any], wanted: str) -> None:
    assert why_not(asked, NODE, []) == wanted


def test_pods_that_are_there_take_room() -> None:
    there = [wants(cpu="1")]
    assert why_not(wants(cpu="1500m"), NODE, there) == "1 Insufficient cpu"
    done = [{**wants(cpu="1"), "status": {"phase": "Succeeded"}}]
    assert why_not(wants(cpu="1500m"), NODE, done) == ""
    assert why_not(pod(), NODE, [pod()] * 3) == "1 Too many pods"


TAINT = {"key": "a", "value": "b", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("tolerations", "taken"),
    [
        ([], False),
        ([{"key": "a", "value": "b"}], True),
        ([{"key": "a", "operator": "Exists", "effect": "NoSchedule"}], True),
        ([{"operator": "Exists"}], True),
        ([{"key": "a", "value": "c"}], False),
        ([{"key": "a", "operator": "Exists", "effect": "NoExecute"}], False),
    ],
)
def test_taints(tolerations: list[Any], taken: bool) -> None:
    node = {**NODE, "spec": {"taints": [TAINT, {"key": "soft", "effect": "PreferNoSchedule"}]}}
    found = why_not(pod(tolerations=tolerations), node, [])
    assert found == ("" if taken else "1 node(s) had untolerated taint {a: b}")


def test_a_node_that_takes_nothing() -> None:
    assert why_not(pod(), {**NODE, "spec": {"unschedulable": True}}, []) == "1 node(s) were unschedulable"
    assert why_not(pod(), None, []) == "no nodes available to schedule pods"


def test_what_a_pod_requests() -> None:
    rows = [
        {"name": "a", "resources": {"requests": {"cpu": "1"}}},
        {"name": "b", "resources": {"limits": {"cpu": "2"}}},
    ]
    init = [{"name": "i", "resources": {"requests": {"cpu": "4"}}}]
    assert requested(pod(containers=rows), "cpu") == 3 * 10**9
    assert (
        requested(pod(containers=rows, initContainers=init, overhead={"cpu": "1m"}), "cpu") == 4_001 * 10**6
    )
