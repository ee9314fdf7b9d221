"""The admission that is part of every API server, through the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client, run

PODS = "/api/v1/namespaces/default/pods"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
RANGES = "/api/v1/namespaces/default/limitranges"
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"
RUNTIMES = "/apis/node.k8s.io/v1/runtimeclasses"
MERGE = "application/merge-patch+json"


def pod(name: str = "p", *, resources: Any = None, **spec: Any) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": "i:1"}
    if resources is not None:
        container["resources"] = resources
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **spec},
    }


def made(folder: Path, body: dict[str, Any], *before: tuple[str, Any]) -> tuple[int, Any]:
    async def work(call: Client) -> Any:
        for path, raw in before:
            code, answer = await call("POST", path, raw)
            assert code == 201, answer
        return await call("POST", PODS, body)

    code, answer = run(folder, work)
    return code, answer


def account(name: str, **more: Any) -> tuple[str, Any]:
    return ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}, **more}


def test_a_pod_runs_as_the_default_account_and_mounts_its_token(tmp_path: Path) -> None:
    _, found = made(tmp_path, pod())
    spec = found["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    [volume] = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert [next(iter(row)) for row in volume["projected"]["sources"]] == [
        "serviceAccountToken",
        "configMap",
        "downwardAPI",
    ]
    [mount] = spec["containers"][0]["volumeMounts"]
    assert mount == {
        "name": volume["name"],
        "readOnly": True,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    }


@pytest.mark.parametrize(
    ("body", "accounts"),
    [
        (pod(automountServiceAccountToken=False), []),
        (pod(serviceAccountName="a"), [account("a", automountServiceAccountToken=False)]),
    ],
)
def test_no_token_is_mounted_where_nobody_wants_it(tmp_path: Path, body: Any, accounts: Any) -> None:
    _, found = made(tmp_path, body, *accounts)
    assert "volumes" not in found["spec"]


def test_pull_secrets_are_the_account_s(tmp_path: Path) -> None:
    _, found = made(tmp_path, pod(serviceAccountName="a"), account("a", imagePullSecrets=[{"name": "s"}]))
    assert found["spec"]["imagePullSecrets"] == [{"name": "s"}]


def test_tolerations_and_priority(tmp_path: Path) -> None:
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
    _, found = made(tmp_path, pod(tolerations=[own]))
    assert found["spec"]["tolerations"] == [
        own,
        {
            "key": "node.kubernetes.io/unreachable",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        },
    ]
    assert (found["spec"]["priority"], found["spec"]["preemptionPolicy"]) == (0, "PreemptLowerPriority")


def priority(name: str, value: int, **more: Any) -> tuple[str, Any]:
    raw = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}}
    return PRIORITIES, {**raw, "value": value, **more}


def test_the_priority_is_that_of_the_class(tmp_path: Path) -> None:
    _, found = made(tmp_path, pod(priorityClassName="system-node-critical"))
    assert found["spec"]["priority"] == 2_000_001_000


def test_one_class_is_the_default(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", *priority("high", 7, globalDefault=True, preemptionPolicy="Never"))
        _, found = await call("POST", PODS, pod())
        spec = found["spec"]
        assert (spec["priorityClassName"], spec["priority"], spec["preemptionPolicy"]) == ("high", 7, "Never")
        code, refused = await call("POST", *priority("other", 8, globalDefault=True))
        assert (code, refused["message"]) == (
            403,
            (
                'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass high is already marked as default. '
                "Only one default can exist"
            ),
        )

    run(tmp_path, work)


RUNTIME = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "vm"},
    "handler": "vm",
    "overhead": {"podFixed": {"memory": "100Mi"}},
    "scheduling": {"nodeSelector": {"vm": "yes"}, "tolerations": [{"key": "vm", "operator": "Exists"}]},
}


def test_a_runtime_class_gives_overhead_and_scheduling(tmp_path: Path) -> None:
    _, found = made(tmp_path, pod(runtimeClassName="vm"), (RUNTIMES, RUNTIME))
    spec = found["spec"]
    assert (spec["overhead"], spec["nodeSelector"]) == ({"memory": "100Mi"}, {"vm": "yes"})
    assert {"key": "vm", "operator": "Exists"} in spec["tolerations"]


@pytest.mark.parametrize(
    ("body", "before", "told"),
    [
        (
            pod(serviceAccountName="x"),
            [],
            'error looking up service account default/x: serviceaccount "x" not found',
        ),
        (pod(priorityClassName="x"), [], "no PriorityClass with name x was found"),
        (
            pod(priority=5),
            [],
            (
                "the integer value of priority (5) must not be provided in pod spec; priority admission controller computed "
                "0 from the given PriorityClass name"
            ),
        ),
        (pod(runtimeClassName="x"), [], 'pod rejected: RuntimeClass "x" not found'),
        (
            pod(overhead={"cpu": "1"}),
            [],
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
        (
            pod(runtimeClassName="vm", overhead={"cpu": "1"}),
            [(RUNTIMES, RUNTIME)],
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            pod(runtimeClassName="vm", nodeSelector={"vm": "no"}),
            [(RUNTIMES, RUNTIME)],
            "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no",
        ),
        (
            pod(serviceAccountName="a", volumes=[{"name": "v", "secret": {"secretName": "s"}}]),
            [
                (
                    ACCOUNTS,
                    {
                        "apiVersion": "v1",
                        "kind": "ServiceAccount",
                        "metadata": {
                            "name": "a",
                            "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"},
                        },
                    },
                )
            ],
            'volume with secret.secretName="s" is not allowed because service account a does not reference that secret',
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, body: Any, before: Any, told: str) -> None:
    code, answer = made(tmp_path, body, *before)
    assert (code, answer["message"]) == (403, f'pods "p" is forbidden: {told}')


def limits(*rows: dict[str, Any]) -> tuple[str, Any]:
    raw = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "l"},
        "spec": {"limits": list(rows)},
    }
    return RANGES, raw


def test_a_limit_range_fills_in(tmp_path: Path) -> None:
    row = {"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "500m"}}
    _, found = made(tmp_path, pod(), limits(row))
    assert found["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "1"},
        "requests": {"cpu": "500m"},
    }
    assert found["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    )
    assert found["status"]["qosClass"] == "Burstable"


@pytest.mark.parametrize(
    ("row", "resources", "told"),
    [
        (
            {"type": "Container", "max": {"cpu": "1"}},
            {"limits": {"cpu": "2"}},
            "maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            {"type": "Pod", "max": {"memory": "1Gi"}},
            {"requests": {"cpu": "2"}},
            "maximum memory usage per Pod is 1Gi.  No limit is specified",
        ),
        (
            {"type": "Container", "min": {"cpu": "1"}},
            {"requests": {"cpu": "500m"}, "limits": {"cpu": "1"}},
            "minimum cpu usage per Container is 1, but request is 500m",
        ),
        (
            {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        (
            {"type": "Pod", "max": {"cpu": "1"}},
            {"limits": {"cpu": "1500m"}},
            "maximum cpu usage per Pod is 1, but limit is 1500m",
        ),
    ],
)
def test_a_limit_range_refuses(tmp_path: Path, row: Any, resources: Any, told: str) -> None:
    code, answer = made(tmp_path, pod(resources=resources), limits(row))
    assert code == 403
    assert told in answer["message"]


def test_a_limit_range_refuses_claims(tmp_path: Path) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "v"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
    }

    async def work(call: Client) -> None:
        await call("POST", *limits({"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}}))
        code, answer = await call("POST", CLAIMS, claim)
        assert (code, answer["message"].partition("forbidden: ")[2]) == (
            403,
            "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi",
        )

    run(tmp_path, work)


def test_the_default_storage_class(tmp_path: Path) -> None:
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "example.com/fast",
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "v"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
    }

    async def work(call: Client) -> Any:
        await call("POST", "/apis/storage.k8s.io/v1/storageclasses", storage)
        return (await call("POST", CLAIMS, claim))[1]

    assert run(tmp_path, work)["spec"]["storageClassName"] == "fast"
