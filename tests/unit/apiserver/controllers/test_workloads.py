"""Deployments, ReplicaSets, StatefulSets, DaemonSets: what comes of them in a cluster without a runtime."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.unit.apiserver.controllers.workloads import (
    APPS,
    PODS,
    Json,
    end,
    get,
    items,
    make,
    patch,
    run_pods,
    said,
    template,
    workload,
)
from tests.unit.apiserver.running import Client, run

from sekisho.apiserver import codes
from sekisho.apiserver.admission import Chain
from sekisho.apiserver.controllers.workloads.pending import WHY
from sekisho.diag import Diagnostic
from sekisho.kube.review import Request, Verdict

DEPLOYMENT = f"{APPS}/deployments/x"


def names(rows: list[Json]) -> list[str]:
    return sorted(row["metadata"]["name"] for row in rows)


def conditions(value: Json) -> dict[str, tuple[str, str]]:
    return {row["type"]: (row["status"], row["reason"]) for row in value["status"].get("conditions", ())}


def test_a_deployment_makes_a_replica_set_that_makes_pods(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{APPS}/deployments", workload("Deployment", replicas=2))
        [sets] = await items(call, f"{APPS}/replicasets")
        word = sets["metadata"]["labels"]["pod-template-hash"]
        assert sets["metadata"]["name"] == f"x-{word}"
        assert sets["spec"]["selector"]["matchLabels"] == {"app": "x", "pod-template-hash": word}
        pods = await items(call, PODS)
        assert len(pods) == 2
        assert all(re.fullmatch(f"x-{word}-[a-z0-9]{{5}}", row["metadata"]["name"]) for row in pods)
        assert pods[0]["metadata"]["ownerReferences"] == [
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": sets["metadata"]["name"],
                "uid": sets["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        found = await get(call, DEPLOYMENT)
        assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
        assert found["status"]["observedGeneration"] == 1
        assert found["status"]["unavailableReplicas"] == 2
        assert conditions(found)["Available"] == ("False", "MinimumReplicasUnavailable")
        assert await said(call, "Deployment") == [
            f"ScalingReplicaSet: Scaled up replica set x-{word} from 0 to 2"
        ]

    run(tmp_path, work)


def test_a_deployment_is_available_when_its_pods_are_ready(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{APPS}/deployments", workload("Deployment", replicas=3))
        await run_pods(call)
        found = await get(call, DEPLOYMENT)
        status = found["status"]
        assert {
            key: status[key] for key in ("replicas", "updatedReplicas", "availableReplicas")
        } == dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 3)
        assert conditions(found) == {
            "Available": ("True", "MinimumReplicasAvailable"),
            "Progressing": ("True", "NewReplicaSetAvailable"),
        }

    run(tmp_path, work)


def test_a_rollout_keeps_enough_pods_and_an_undo_takes_the_old_set_again(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{APPS}/deployments", workload("Deployment", replicas=4))
        await run_pods(call)
        change: Any = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "a:2"}]}}}}
        await patch(call, DEPLOYMENT, change)
        sizes = sorted(row["spec"]["replicas"] for row in await items(call, f"{APPS}/replicasets"))
        assert sizes == [2, 3], "one more and one fewer than four"
        await run_pods(call)
        rows = {
            row["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: row
            for row in await items(call, f"{APPS}/replicasets")
        }
        assert {key: row["spec"]["replicas"] for key, row in rows.items()} == {"1": 0, "2": 4}
        change["spec"]["template"]["spec"]["containers"][0]["image"] = "a:1"
        await patch(call, DEPLOYMENT, change)
        await run_pods(call)
        again = await get(call, f"{APPS}/replicasets/{rows['1']['metadata']['name']}")
        notes = again["metadata"]["annotations"]
        assert again["spec"]["replicas"] == 4
        assert notes["deployment.kubernetes.io/revision"] == "3"
        assert notes["deployment.kubernetes.io/revision-history"] == "1"
        assert (await get(call, DEPLOYMENT))["metadata"]["annotations"][
            "deployment.kubernetes.io/revision"
        ] == "3"

    run(tmp_path, work)


def test_recreate_ends_all_old_pods_first(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(
            call, f"{APPS}/deployments", workload("Deployment", replicas=2, strategy={"type": "Recreate"})
        )
        await run_pods(call)
        await patch(
            call, DEPLOYMENT, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "b"}]}}}}
        )
        await run_pods(call)
        assert [row["spec"]["containers"][0]["image"] for row in await items(call, PODS)] == ["b", "b"]
        told = await said(call, "Deployment")
        assert [re.sub("x-[a-z0-9]+", "x", row) for row in told] == [
            "ScalingReplicaSet: Scaled up replica set x from 0 to 2",
            "ScalingReplicaSet: Scaled down replica set x from 2 to 0",
            "ScalingReplicaSet: Scaled up replica set x from 0 to 2",
        ]

    run(tmp_path, work)


def test_a_paused_deployment_rolls_nothing_out(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{APPS}/deployments", workload("Deployment", replicas=1))
        await patch(
            call, DEPLOYMENT, {"spec": {"paused": True, "template": {"metadata": {"labels": {"v": "2"}}}}}
        )
        assert len(await items(call, f"{APPS}/replicasets")) == 1
        assert conditions(await get(call, DEPLOYMENT))["Progressing"] == ("Unknown", "DeploymentPaused")
        await patch(call, DEPLOYMENT, {"spec": {"paused": False}})
        assert len(await items(call, f"{APPS}/replicasets")) == 2

    run(tmp_path, work)


def test_without_a_runtime_a_pod_stays_pending_and_an_event_says_why(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": template()["spec"]}
        await make(call, PODS, pod)
        found = await get(call, f"{PODS}/p")
        assert found["status"]["phase"] == "Pending"
        assert conditions(found)["PodScheduled"] == ("False", "Unschedulable")
        assert await said(call, "Pod") == [f"FailedScheduling: {WHY}"]

    run(tmp_path, work)


def test_a_replica_set_replaces_pods_that_end_adopts_and_releases(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        orphan = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "o", "labels": {"app": "x"}}}
        await make(call, PODS, {**orphan, "spec": template()["spec"]})
        await make(call, f"{APPS}/replicasets", workload("ReplicaSet", replicas=2))
        pods = await items(call, PODS)
        assert len(pods) == 2
        assert all(row["metadata"]["ownerReferences"][0]["name"] == "x" for row in pods)
        await patch(call, f"{PODS}/o", {"metadata": {"labels": {"app": "y"}}})
        assert "ownerReferences" not in (await get(call, f"{PODS}/o"))["metadata"]
        other = next(row for row in await items(call, PODS) if row["metadata"]["name"] != "o")
        await end(call, other, "Failed")
        alive = [row for row in await items(call, PODS) if row["status"]["phase"] == "Pending"]
        assert len(alive) == 3, "two of the set, and the released one"
        await patch(call, f"{APPS}/replicasets/x", {"spec": {"replicas": 0}})
        assert "o" in names(await items(call, PODS))
        assert (await get(call, f"{APPS}/replicasets/x"))["status"]["replicas"] == 0

    run(tmp_path, work)


def test_a_refused_pod_is_told_in_an_event_and_in_the_status_of_its_deployment(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        call.api.admission.reviewers = _NoPods()
        await make(call, f"{APPS}/deployments", workload("Deployment", replicas=1))
        found = await get(call, DEPLOYMENT)
        [failure] = [row for row in found["status"]["conditions"] if row["type"] == "ReplicaFailure"]
        assert failure["reason"] == "FailedCreate"
        assert "denied the request: no Pods today" in failure["message"]
        told = await said(call, "ReplicaSet")
        assert told[0].startswith(
            "FailedCreate: Error creating: admission webhook denied the request: no Pods"
        )
        call.api.admission.reviewers = Chain()
        await patch(call, DEPLOYMENT, {"spec": {"replicas": 2}})
        assert len(await items(call, PODS)) == 2
        assert "ReplicaFailure" not in conditions(await get(call, DEPLOYMENT))

    run(tmp_path, work)


def test_a_stateful_set_makes_its_pods_one_after_the_other(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
        claim["spec"]["resources"] = {"requests": {"storage": "1Gi"}}  # type: ignore[index]
        value = workload("StatefulSet", replicas=3, serviceName="s", volumeClaimTemplates=[claim])
        await make(call, f"{APPS}/statefulsets", value)
        assert names(await items(call, PODS)) == ["x-0"], "the next waits for it"
        await run_pods(call)
        assert names(await items(call, PODS)) == ["x-0", "x-1", "x-2"]
        claims = await items(call, "/api/v1/namespaces/default/persistentvolumeclaims")
        assert names(claims) == ["data-x-0", "data-x-1", "data-x-2"]
        pod = await get(call, f"{PODS}/x-1")
        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("x-1", "s")
        assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "1"
        await patch(call, f"{APPS}/statefulsets/x", {"spec": {"replicas": 1}})
        assert names(await items(call, PODS)) == ["x-0"]

    run(tmp_path, work)


def test_a_stateful_set_replaces_the_last_pod_first_and_keeps_a_history(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{APPS}/statefulsets", workload("StatefulSet", replicas=2))
        await run_pods(call)
        before = {row["metadata"]["name"]: row["metadata"]["uid"] for row in await items(call, PODS)}
        change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "a:2"}]}}}}
        await patch(call, f"{APPS}/statefulsets/x", change)
        now = {row["metadata"]["name"]: row["metadata"]["uid"] for row in await items(call, PODS)}
        assert now["x-0"] == before["x-0"]
        assert now["x-1"] != before["x-1"]
        status = (await get(call, f"{APPS}/statefulsets/x"))["status"]
        assert status["currentRevision"] != status["updateRevision"]
        await run_pods(call)
        status = (await get(call, f"{APPS}/statefulsets/x"))["status"]
        assert status["currentRevision"] == status["updateRevision"]
        assert status["updatedReplicas"] == 2
        revisions = await items(call, f"{APPS}/controllerrevisions")
        assert sorted(row["revision"] for row in revisions) == [1, 2]

    run(tmp_path, work)


def test_a_daemon_set_has_a_pod_on_each_node_that_takes_it(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        taint = {"key": "k", "effect": "NoSchedule"}
        for name, spec in (("a", {}), ("b", {}), ("tainted", {"taints": [taint]})):
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec}
            assert (await call("POST", "/api/v1/nodes", node))[0] == 201
        await make(call, f"{APPS}/daemonsets", workload("DaemonSet"))
        await run_pods(call)
        status = (await get(call, f"{APPS}/daemonsets/x"))["status"]
        assert (status["desiredNumberScheduled"], status["numberReady"]) == (2, 2)
        change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "a:2"}]}}}}
        await patch(call, f"{APPS}/daemonsets/x", change)
        images = sorted(row["spec"]["containers"][0]["image"] for row in await items(call, PODS))
        assert images == ["a:1", "a:2"], "one at a time"
        await run_pods(call)
        assert (await get(call, f"{APPS}/daemonsets/x"))["status"]["updatedNumberScheduled"] == 2
        await call("DELETE", "/api/v1/nodes/b")
        await call.settle()
        assert len(await items(call, PODS)) == 1

    run(tmp_path, work)


class _NoPods:
    """Admission that refuses Pods."""

    async def mutate(self, request: Request) -> Verdict:
        return Verdict()

    async def validate(self, request: Request) -> Verdict:
        if request.kind.kind != "Pod":
            return Verdict()
        return Verdict.could_not_ask(Diagnostic(code=codes.UNUSABLE_STORE, message="no Pods today"))
