"""Waiting for objects of the embedded server: Current, failed, gone, kinds that appear later, time that runs out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client
from sekisho.cluster.wait import Goal, Target, require, settle
from sekisho.diag import Deadline, DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.kube.status import Result, Status

CM = GVK("", "v1", "ConfigMap")
CLAIM = GVK("", "v1", "PersistentVolumeClaim")
CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
THING = GVK("example.com", "v1", "Thing")


def run(folder: Path, work: Callable[[Client], Awaitable[None]]) -> None:
    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=folder, port=0))
        async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
            try:
                async with asyncio.timeout(30):
                    await work(client)
            finally:
                await cluster.stop()

    asyncio.run(main())


async def create(client: Client, gvk: GVK, name: str, **parts: Any) -> None:
    metadata = {"name": name, **({} if gvk is CRD else {"namespace": "default"}), **parts.pop("metadata", {})}
    value = {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": metadata, **parts}
    await client.create(await client.resource(gvk), value)


async def claim(client: Client, name: str) -> None:
    resources = {"requests": {"storage": "1Gi"}}
    await create(client, CLAIM, name, spec={"accessModes": ["ReadWriteOnce"], "resources": resources})


def test_it_ends_when_all_are_current(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await claim(client, "c")
        targets = [Target(CM, "default", "m"), Target(CLAIM, "default", "c")]
        told: list[tuple[Target, Result]] = []
        waiting = asyncio.create_task(
            settle(client, targets, deadline=Deadline.after(20), tell=lambda *row: told.append(row))
        )
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await create(client, CM, "m")
        resource = await client.resource(CLAIM)
        await client.patch(
            resource, "c", {"status": {"phase": "Bound"}}, namespace="default", subresource="status"
        )
        found = await waiting
        assert {row.status for row in found.values()} == {Status.CURRENT}
        steps = [result.status for target, result in told if target.gvk == CLAIM]
        assert steps[-2:] == [Status.IN_PROGRESS, Status.CURRENT]

    run(tmp_path, work)


def test_what_does_not_settle_is_told_at_the_deadline(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await claim(client, "c")
        targets = [Target(CLAIM, "default", "c"), Target(THING, "default", "t")]
        with pytest.raises(DiagnosticError) as caught:
            await require(client, targets, seconds=0.5)
        text = str(caught.value)
        assert caught.value.diagnostics[0].code.id == "CLU027"
        assert "PersistentVolumeClaim default/c is InProgress: PVC is not Bound. phase: Pending" in text
        assert "Thing default/t is NotFound: The server serves no Thing" in text

    run(tmp_path, work)


def test_a_kind_may_appear_while_it_is_waited_for(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        targets = [Target(CRD, "", "things.example.com"), Target(THING, "default", "t")]
        waiting = asyncio.create_task(require(client, targets, seconds=20))
        await asyncio.sleep(0.2)
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        version = {"name": "v1", "served": True, "storage": True, "schema": schema}
        names = {"plural": "things", "kind": "Thing"}
        spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
        await create(client, CRD, "things.example.com", spec=spec)
        await require(client, targets[:1], seconds=20)
        await create(client, THING, "t")
        await waiting

    run(tmp_path, work)


def test_gone_is_when_the_finalizers_are_done(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await create(client, CM, "m", metadata={"finalizers": ["example.com/hold"]})
        resource = await client.resource(CM)
        await client.delete(resource, "m", "default")
        target = Target(CM, "default", "m")
        waiting = asyncio.create_task(settle(client, [target], deadline=Deadline.after(20), goal=Goal.GONE))
        early = await settle(client, [target], deadline=Deadline.after(0.3), goal=Goal.GONE)
        assert early[target].status is Status.TERMINATING
        await client.patch(resource, "m", {"metadata": {"finalizers": None}}, namespace="default")
        assert (await waiting)[target].status is Status.NOT_FOUND

    run(tmp_path, work)
