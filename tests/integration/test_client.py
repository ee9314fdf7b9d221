"""The client and informers against the embedded server: TLS, certificates, watches, restarts, versions too old."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client, Refused, Selection
from sekisho.cluster.informer import Change, Informer
from sekisho.kube.gvk import GVK

CM = GVK("", "v1", "ConfigMap")
PATIENCE = 10.0


def run(folder: Path, work: Callable[[Cluster, Client], Awaitable[None]]) -> None:
    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=folder, port=0))
        async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
            try:
                await work(cluster, client)
            finally:
                await cluster.stop()

    asyncio.run(main())


def config_map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": {"n": name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for is in another task's hands
            await asyncio.sleep(0.01)


def test_objects_are_made_changed_and_deleted(tmp_path: Path) -> None:
    async def work(_: Cluster, client: Client) -> None:
        resource = await client.resource(CM)
        assert (resource.gvr.resource, resource.namespaced) == ("configmaps", True)
        assert await client.get(resource, "a", "default") is None
        made = await client.create(resource, config_map("a", x="1"))
        with pytest.raises(Refused) as caught:
            await client.create(resource, config_map("a"))
        assert (caught.value.code, caught.value.reason) == (409, "AlreadyExists")
        changed = await client.replace(resource, {**made, "data": {"x": "2"}})
        assert changed["data"] == {"x": "2"}
        patched = await client.patch(resource, "a", {"data": {"y": "3"}}, namespace="default")
        assert patched["data"] == {"x": "2", "y": "3"}
        dry = await client.create(resource, config_map("b"), dry_run=True)
        assert dry["metadata"]["name"] == "b"
        found, version = await client.list_all(resource, Selection(namespace="default", labels="n=a"))
        assert [row["metadata"]["name"] for row in found] == ["a"]
        assert found[0]["kind"] == "ConfigMap"
        assert int(version) >= int(patched["metadata"]["resourceVersion"])
        with pytest.raises(Refused):
            await client.delete(resource, "a", "default", uid="another")
        assert await client.delete(resource, "a", "default", uid=made["metadata"]["uid"])
        assert not await client.delete(resource, "a", "default")

    run(tmp_path, work)


def test_a_kind_that_nobody_serves_is_refused(tmp_path: Path) -> None:
    async def work(_: Cluster, client: Client) -> None:
        with pytest.raises(Refused) as caught:
            await client.resource(GVK("no.such", "v1", "Thing"))
        assert caught.value.code == 404

    run(tmp_path, work)


def test_lists_are_whole_however_many_pages_they_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sekisho.cluster.client.PAGE", 3)

    async def work(_: Cluster, client: Client) -> None:
        resource = await client.resource(CM)
        for number in range(10):
            await client.create(resource, config_map(f"m{number}"))
        found, _ = await client.list_all(resource, Selection(namespace="default", fields="metadata.name!=m3"))
        assert len([row for row in found if row["metadata"]["name"].startswith("m")]) == 9

    run(tmp_path, work)


def test_an_informer_goes_on_through_a_restart_and_a_version_that_is_too_old(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=tmp_path, port=0))
        port = cluster.server.port
        changes: list[Change] = []
        async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
            resource = await client.resource(CM)
            selection = Selection(namespace="default", labels="n")
            informer = Informer(client, resource, selection, handler=changes.append)
            task = asyncio.create_task(informer.run())
            try:
                await asyncio.wait_for(informer.synced.wait(), PATIENCE)
                await client.create(resource, config_map("a", x="1"))
                await until(lambda: len(informer.objects) == 1)
                await cluster.stop()
                cluster = await Cluster.start(Settings(folder=tmp_path, port=port))
                await client.patch(resource, "a", {"data": {"x": "2"}}, namespace="default")
                await client.create(resource, config_map("b"))
                await until(lambda: len(informer.objects) == 2)
                # The next watch begins before what is remembered, so it is told to list anew.
                informer._version = "1"
                await cluster.api.store.compact(cluster.api.store.version)
                cluster.api.store.hub.close()
                cluster.api.store.hub._closed = False
                await client.delete(resource, "a", "default")
                await until(lambda: [key.name for key in informer.objects] == ["b"])
            finally:
                task.cancel()
                await cluster.stop()
        told = [(change.key.name, change.old is None, change.new is None) for change in changes]
        assert told.count(("a", True, False)) == 1
        assert told.count(("a", False, True)) == 1
        assert told.count(("b", True, False)) == 1

    asyncio.run(main())
