"""Claims and volumes that are in use outlive their deletion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.apiserver.controllers.workloads import PODS, end, get, items, make, patch
from tests.unit.apiserver.running import Client, run

CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
SIZE = {"resources": {"requests": {"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"]}


def claim() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": SIZE}


def pod(**spec: Any) -> dict[str, Any]:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    containers = [{"name": "c", "image": "a"}]
    spec = {"containers": containers, "volumes": volumes, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


async def delete(call: Client, path: str) -> None:
    assert (await call("DELETE", path))[0] == 200
    await call.settle()


def test_a_claim_stays_until_its_pod_has_ended(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        made = await make(call, CLAIMS, claim())
        assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
        running = await make(call, PODS, pod(nodeName="n"))
        await delete(call, f"{CLAIMS}/c")
        assert (await get(call, f"{CLAIMS}/c"))["metadata"]["deletionTimestamp"]
        await end(call, running, "Succeeded")
        assert await items(call, CLAIMS) == []

    run(tmp_path, work)


def test_a_pod_that_is_nowhere_uses_nothing(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, CLAIMS, claim())
        await make(call, PODS, pod())
        await delete(call, f"{CLAIMS}/c")
        assert await items(call, CLAIMS) == []

    run(tmp_path, work)


def test_a_volume_stays_while_it_is_bound(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
        value = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": spec}
        made = await make(call, VOLUMES, value)
        assert made["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
        await patch(call, f"{VOLUMES}/v/status", {"status": {"phase": "Bound"}})
        await delete(call, f"{VOLUMES}/v")
        assert (await get(call, f"{VOLUMES}/v"))["metadata"]["deletionTimestamp"]
        await patch(call, f"{VOLUMES}/v/status", {"status": {"phase": "Released"}})
        assert await items(call, VOLUMES) == []

    run(tmp_path, work)
