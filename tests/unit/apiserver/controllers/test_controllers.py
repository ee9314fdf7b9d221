"""What becomes of owners and dependents, of namespaces, of Pods whose time is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.running import MERGE, Client, run

CM = "/api/v1/namespaces/default/configmaps"


def config_map(name: str, *owners: Any, block: bool = False, **metadata: Any) -> dict[str, Any]:
    rows = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    found = {"name": name, **metadata, **({"ownerReferences": rows} if rows else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": found}


async def names(call: Client) -> list[str]:
    await call.settle()
    _, found = await call("GET", CM)
    return [
        row["metadata"]["name"] for row in found["items"] if row["metadata"]["name"] != "kube-root-ca.crt"
    ]


async def make(call: Client, value: dict[str, Any]) -> Any:
    code, made = await call("POST", CM, value)
    assert code == 201
    return made


def test_dependents_go_after_their_owner(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        a = await make(call, config_map("a"))
        b = await make(call, config_map("b", a))
        await make(call, config_map("c", b))
        assert await names(call) == ["a", "b", "c"]
        await call("DELETE", f"{CM}/a", {"propagationPolicy": "Background"})
        assert await names(call) == []

    run(tmp_path, work)


def test_an_object_stays_while_one_owner_does(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        a, b = await make(call, config_map("a")), await make(call, config_map("b"))
        await make(call, config_map("c", a, b))
        await call("DELETE", f"{CM}/a")
        assert await names(call) == ["b", "c"]
        _, left = await call("GET", f"{CM}/c")
        assert [row["name"] for row in left["metadata"]["ownerReferences"]] == ["b"]

    run(tmp_path, work)


def test_an_owner_that_never_was(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, config_map("c", {"metadata": {"name": "a", "uid": "made-up"}}))
        assert await names(call) == []

    run(tmp_path, work)


def test_an_owner_in_another_namespace_is_none(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        other = "/api/v1/namespaces/kube-system/configmaps"
        _, owner = await call("POST", other, config_map("a"))
        await make(call, config_map("c", owner))
        assert await names(call) == []

    run(tmp_path, work)


def test_orphans_stay_and_lose_their_owner(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        a = await make(call, config_map("a"))
        await make(call, config_map("b", a))
        await call("DELETE", f"{CM}/a", {"propagationPolicy": "Orphan"})
        assert await names(call) == ["b"]
        _, left = await call("GET", f"{CM}/b")
        assert "ownerReferences" not in left["metadata"]

    run(tmp_path, work)


def test_in_the_foreground_an_owner_waits_for_those_that_block_it(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        a = await make(call, config_map("a"))
        await make(call, config_map("b", a, block=True, finalizers=["x.io/wait"]))
        await make(call, config_map("c", a))
        code, going = await call("DELETE", f"{CM}/a", {"propagationPolicy": "Foreground"})
        assert (code, going["metadata"]["finalizers"]) == (200, ["foregroundDeletion"])
        assert await names(call) == ["a", "b", "c"]
        _, b = await call("GET", f"{CM}/b")
        assert b["metadata"]["deletionTimestamp"]
        await call("PATCH", f"{CM}/b", {"metadata": {"finalizers": None}}, MERGE)
        assert await names(call) == []

    run(tmp_path, work)


def test_a_namespace_ends_with_what_is_in_it(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}})
        await call.settle()
        inside = "/api/v1/namespaces/x/configmaps"
        _, found = await call("GET", inside)
        assert [row["metadata"]["name"] for row in found["items"]] == ["kube-root-ca.crt"]
        assert (await call("GET", "/api/v1/namespaces/x/serviceaccounts/default"))[0] == 200
        await call("POST", inside, config_map("held", finalizers=["x.io/wait"]))
        await call("POST", inside, config_map("free"))
        code, going = await call("DELETE", "/api/v1/namespaces/x")
        assert (code, going["status"]["phase"]) == (200, "Terminating")
        await call.settle()
        _, found = await call("GET", inside)
        assert [row["metadata"]["name"] for row in found["items"]] == ["held"]
        _, waits = await call("GET", "/api/v1/namespaces/x")
        said = {row["type"]: row["message"] for row in waits["status"]["conditions"]}
        assert said["NamespaceContentRemaining"] == (
            "Some resources are remaining: configmaps. has 1 resource instances"
        )
        assert "x.io/wait in 1 resource instances" in said["NamespaceFinalizersRemaining"]
        code, answer = await call("POST", inside, config_map("late"))
        assert (code, answer["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
        await call("PATCH", f"{inside}/held", {"metadata": {"finalizers": None}}, MERGE)
        await call.settle()
        assert (await call("GET", "/api/v1/namespaces/x"))[0] == 404

    run(tmp_path, work)


def test_what_every_namespace_has_comes_back(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call.settle()
        await call("DELETE", "/api/v1/namespaces/default/serviceaccounts/default")
        await call("PATCH", f"{CM}/kube-root-ca.crt", {"data": {"ca.crt": "forged"}}, MERGE)
        await call.settle()
        assert (await call("GET", "/api/v1/namespaces/default/serviceaccounts/default"))[0] == 200
        _, root = await call("GET", f"{CM}/kube-root-ca.crt")
        assert root["data"] == {"ca.crt": "CERTIFICATE"}

    run(tmp_path, work)


def pod(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "x:1"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": containers, **spec},
    }


PODS = "/api/v1/namespaces/default/pods"


def test_a_pod_whose_time_is_over_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sekisho.apiserver.controllers.graces.MARGIN", -1.0)

    async def work(call: Client) -> None:
        await call("POST", PODS, pod("a", nodeName="n"))
        code, going = await call("DELETE", f"{PODS}/a", {"gracePeriodSeconds": 1})
        assert (code, going["metadata"]["deletionGracePeriodSeconds"]) == (200, 1)
        await call.settle()
        assert (await call("GET", f"{PODS}/a"))[0] == 404

    run(tmp_path, work)


async def budget(call: Client, **spec: Any) -> Any:
    value = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }
    path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
    code, _ = await call("POST", path, value)
    assert code == 201
    await call.settle()
    _, found = await call("GET", f"{path}/b")
    return found["status"]


async def running(call: Client, name: str, **metadata: Any) -> None:
    value = pod(name, nodeName="n")
    value["metadata"] |= metadata
    await call("POST", PODS, value)
    conditions = [{"type": "Ready", "status": "True"}]
    await call(
        "PATCH", f"{PODS}/{name}/status", {"status": {"phase": "Running", "conditions": conditions}}, MERGE
    )


def test_budgets_are_counted_and_kept(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await running(call, "a")
        await running(call, "b")
        status = await budget(call, minAvailable=1)
        assert {key: status[key] for key in ("currentHealthy", "desiredHealthy", "expectedPods")} == {
            "currentHealthy": 2,
            "desiredHealthy": 1,
            "expectedPods": 2,
        }
        assert status["disruptionsAllowed"] == 1
        evict = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
        code, _ = await call("POST", f"{PODS}/a/eviction?dryRun=All", evict)
        assert code == 201
        code, answer = await call("POST", f"{PODS}/a/eviction", evict)
        assert (code, answer["status"]) == (201, "Success")
        code, answer = await call("POST", f"{PODS}/b/eviction", {**evict, "metadata": {"name": "b"}})
        assert (code, answer["reason"]) == (429, "TooManyRequests")
        assert answer["details"]["causes"] == [
            {
                "reason": "DisruptionBudget",
                "message": "The disruption budget b needs 1 healthy pods and has 1 currently",
            }
        ]

    run(tmp_path, work)


def test_a_share_needs_controllers(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await running(call, "a")
        status = await budget(call, maxUnavailable="50%")
        assert status["disruptionsAllowed"] == 0
        assert status["conditions"][0]["reason"] == "SyncFailed"
        assert status["conditions"][0]["message"] == 'found no controllers for pod "a"'

    run(tmp_path, work)


def test_a_share_is_one_of_the_replicas(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": pod("x")["spec"]}
        deployment = {
            "metadata": {"name": "web"},
            "spec": {"replicas": 4, "selector": {"matchLabels": labels}, "template": template},
        }
        _, made = await call("POST", "/apis/apps/v1/namespaces/default/deployments", deployment)
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
        for name in ("a", "b", "c"):
            await running(call, name, ownerReferences=[{**owner, "uid": made["metadata"]["uid"]}])
        status = await budget(call, minAvailable="30%")
        assert (status["expectedPods"], status["desiredHealthy"], status["disruptionsAllowed"]) == (4, 2, 1)

    run(tmp_path, work)


def test_controllers_find_what_was_left_undone(tmp_path: Path) -> None:
    async def first(call: Client) -> None:
        await call.settle()
        await call.controllers.stop()
        a = await make(call, config_map("a"))
        await make(call, config_map("b", a))
        await call("DELETE", f"{CM}/a")

    async def second(call: Client) -> None:
        assert await names(call) == []

    run(tmp_path, first)
    run(tmp_path, second)
