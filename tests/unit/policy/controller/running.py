"""Controllers over the embedded API, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.policy.made import pod

from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client, Refused, Resource
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.policy.controller import Defaults, PolicyController, Snapshot, install, leading, tell
from sekisho.policy.status import Pod
from sekisho.policy.status.pod import NAMESPACE

PATIENCE = 20.0


@dataclass
class Running:
    """A controller at work on a cluster."""

    cluster: Cluster
    client: Client
    controller: PolicyController
    task: asyncio.Task[None]

    async def again(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """End the controller's run, do something, and let it run again."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await meanwhile()
        self.task = asyncio.create_task(self.controller.run())

    async def resource(self, object: Object) -> Resource:
        return await self.client.resource(object.gvk)

    async def put(self, *objects: Object) -> None:
        """Create or replace, waiting for kinds to be served."""
        for object in objects:
            async with asyncio.timeout(PATIENCE):
                while not await self._put(object):  # noqa: ASYNC110 - the server is asked
                    await asyncio.sleep(0.02)

    async def _put(self, object: Object) -> bool:
        try:
            resource = await self.resource(object)
            await self.client.apply(resource, {**object.raw}, force=True)
        except Refused as error:
            if error.code == 404:
                return False  # its definition is on its way
            raise
        return True

    async def delete(self, object: Object) -> None:
        await self.client.delete(await self.resource(object), object.name, object.namespace)

    async def get(self, object: Object) -> dict[str, Any] | None:
        return await self.client.get(await self.resource(object), object.name, object.namespace)

    async def list(self, gvk: GVK) -> list[dict[str, Any]]:
        rows, _ = await self.client.list_all(await self.client.resource(gvk))
        return rows

    async def until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        async with asyncio.timeout(PATIENCE):
            return await self.controller.snapshots.wait(holds)

    async def until_said(self, *messages: str) -> Snapshot:
        """The first snapshot that has these violations of a Pod with hostPID."""
        return await self.until(lambda row: said(row) == [*messages])

    async def eventually(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await holds():  # noqa: ASYNC110 - the server is asked
                await asyncio.sleep(0.02)


def said(snapshot: Snapshot) -> list[str]:
    return [row.diagnostic.message for row in snapshot.engine.review(Request.of(pod()))]


Work = Callable[[Running], Awaitable[None]]


def run(folder: Path, work: Work, defaults: Defaults | None = None) -> None:
    """Let a controller run on a cluster in a folder while work is done."""

    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=folder, port=0))
        try:
            async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
                await control(cluster, client, work, defaults)
        finally:
            await cluster.stop()

    asyncio.run(main())


async def control(
    cluster: Cluster,
    client: Client,
    work: Work,
    defaults: Defaults | None,
) -> None:
    await install(client, namespace=NAMESPACE, library=False)
    controller = PolicyController(client)
    statuses = tell(controller, Pod(id="pod-1"))
    with leading(controller, statuses, defaults):
        it = Running(cluster, client, controller, asyncio.create_task(controller.run()))
        try:
            await work(it)
        finally:
            if it.task.done():
                await it.task  # it never ends by itself, so this raises
            it.task.cancel()
            await asyncio.gather(it.task, return_exceptions=True)
