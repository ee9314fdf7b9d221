"""Workloads for tests, and a hand that plays the kubelet."""

from __future__ import annotations

from typing import Any

from tests.unit.apiserver.running import MERGE, Client

APPS = "/apis/apps/v1/namespaces/default"
BATCH = "/apis/batch/v1/namespaces/default"
PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"

Json = dict[str, Any]


def template(image: str = "a:1", **spec: Any) -> Json:
    return {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "c", "image": image}], **spec},
    }


def workload(kind: str, name: str = "x", **spec: Any) -> Json:
    found = {"selector": {"matchLabels": {"app": "x"}}, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": found}


def job(name: str = "x", **spec: Any) -> Json:
    found = {"template": template(restartPolicy="Never"), **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": found}


async def make(call: Client, path: str, value: Json) -> Json:
    code, made = await call("POST", path, value)
    assert code == 201, made
    await call.settle()
    return dict(made)


async def get(call: Client, path: str) -> Json:
    code, found = await call("GET", path)
    assert code == 200, found
    return dict(found)


async def items(call: Client, path: str) -> list[Json]:
    return list((await get(call, path))["items"])


async def patch(call: Client, path: str, value: Json) -> Json:
    code, found = await call("PATCH", path, value, MERGE)
    assert code == 200, found
    await call.settle()
    return dict(found)


async def said(call: Client, kind: str) -> list[str]:
    """What Events tell about objects of a kind, in their order."""
    rows = [row for row in await items(call, EVENTS) if row["involvedObject"]["kind"] == kind]
    rows.sort(key=lambda row: int(row["metadata"]["resourceVersion"]))
    return [f"{row['reason']}: {row['message']}" for row in rows]


async def end(call: Client, pod: Json, phase: str, *, code: int = 0, **more: Any) -> None:
    """A Pod ends, long ago."""
    code = code or int(phase == "Failed")
    state = {"terminated": {"exitCode": code, "finishedAt": "2026-01-01T00:00:00Z"}}
    name = pod["spec"]["containers"][0]["name"]
    rows = [{"name": name, "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": state}]
    status = {"phase": phase, "containerStatuses": rows, **more}
    await patch(call, f"{PODS}/{pod['metadata']['name']}/status", {"status": status})


async def run_pods(call: Client) -> None:
    """Pods that wait run and are ready, round after round, until nothing waits."""
    for _ in range(50):
        waiting = [row for row in await items(call, PODS) if row["status"].get("phase") == "Pending"]
        if not waiting:
            return
        for pod in waiting:
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
            status = {"status": {"phase": "Running", "conditions": [ready]}}
            await call("PATCH", f"{PODS}/{pod['metadata']['name']}/status", status, MERGE)
        await call.settle()
    raise AssertionError("Pods without end")
