"""The guard, composed: controllers over the cluster's own API, and reviewers in its writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sekisho.apiserver.admission import Guarding
from sekisho.apiserver.authorize import MASTERS
from sekisho.apiserver.store import Place
from sekisho.cli.admission.live import LivePolicies
from sekisho.cli.guard.reviewers import PolicyReviewers
from sekisho.cli.programs import cached_choice, cached_compile, cached_expressions
from sekisho.cluster.client import Client
from sekisho.cluster.connection import Connection, Credentials
from sekisho.cluster.informer import Key
from sekisho.kube.gvk import GVK
from sekisho.kube.review import UserInfo
from sekisho.policy.controller import (
    Making,
    PolicyController,
    Snapshot,
    Snapshots,
    follow,
    install,
    kinds,
)
from sekisho.policy.status import Pod
from sekisho.web import Trust

if TYPE_CHECKING:
    from sekisho.apiserver.admission import Written
    from sekisho.apiserver.api import Api
    from sekisho.apiserver.cluster import Cluster

_LOG: Final = logging.getLogger(__name__)

USER: Final = UserInfo(
    username="system:serviceaccount:gatekeeper-system:gatekeeper-admin",
    groups=(
        MASTERS,
        "system:serviceaccounts",
        "system:serviceaccounts:gatekeeper-system",
        "system:authenticated",
    ),
)
"""Who the controllers are: Gatekeeper's own account, which its webhook does not judge either."""

POD: Final = "sekisho-up"
"""What the guard is called in statuses, where Gatekeeper's pods have their names."""

SETTLED: Final = 5.0
"""Seconds that the answer to a write waits at most until what was written is in force."""


NAMESPACE: Final = "gatekeeper-system"
"""The guard's own Namespace, in which statuses of pods are kept."""


class Guard:
    """Guards one embedded cluster: ``guarding`` is for its start, then ``begin`` lets policies be loaded."""

    def __init__(self, making: Making, policies: LivePolicies) -> None:
        self._making = making
        self._policies = policies
        self._api: Api | None = None
        self._client: Client | None = None
        self._controller: PolicyController | None = None
        self._task: asyncio.Task[None] | None = None
        self.snapshots = Snapshots()

    def guarding(self) -> Guarding:
        """What the API server is given. Until policies are loaded, writes wait for them."""
        own = self._policies.guarding()
        return replace(
            own,
            reviewers=PolicyReviewers(self.snapshots, own.reviewers, USER, NAMESPACE),
            begin=self._attach,
            settle=self._settle,
        )

    def _attach(self, api: Api) -> None:
        self._api = api
        self._policies.attach(api)

    async def begin(self, cluster: Cluster) -> Snapshot:
        """Load the policies of a cluster that answers; the first snapshot. Raises DiagnosticError."""
        self._client = Client(connection(cluster))
        await install(self._client, namespace=NAMESPACE)
        controller = PolicyController(self._client, self._making, self.snapshots)
        follow(controller, Pod(id=POD, namespace=NAMESPACE))
        self._controller = controller
        self._task = asyncio.create_task(controller.run(), name="guard")
        first = asyncio.create_task(self.snapshots.wait())
        await asyncio.wait((first, self._task), return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            first.cancel()
            await self._task
        return first.result()

    async def end(self) -> None:
        """Stop, before the cluster does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    async def _settle(self, written: Written) -> None:
        """Let a policy that was written be in force before whoever wrote it goes on."""
        controller = self._controller
        if controller is None or self._api is None or written.user.username == USER.username:
            return
        gvk = self._watched(written.resource, controller)
        if gvk is None:
            return
        try:
            async with asyncio.timeout(SETTLED):
                await controller.settled(gvk, self._expected(written, gvk, controller))
        except TimeoutError:
            _LOG.warning("%s: what was written is not in force yet", written.resource[1])

    def _watched(self, resource: tuple[str, str], controller: PolicyController) -> GVK | None:
        """The kind under which a resource is watched, None if it is not."""
        assert self._api is not None, "attached"
        type = self._api.registry.stored(resource)
        if type is None:
            return None
        rows = (row for row in controller.watches.kinds if (row.group, row.kind) == (type.group, type.kind))
        return next((row for row in rows if row not in kinds.WRITTEN), None)

    def _expected(self, written: Written, gvk: GVK, controller: PolicyController) -> Mapping[Key, int | None]:
        """The versions of what was written, as they are stored."""
        assert self._api is not None, "attached"
        store = self._api.store
        if written.name:
            row = store.get(Place(*written.resource, written.namespace, written.name))
            return {Key(written.namespace, written.name): row.version if row is not None else None}
        there = {
            Key(row.place.namespace, row.place.name): row.version for row in store.rows(written.resource)
        }
        return {**dict.fromkeys(controller.watches.objects(gvk)), **there}


def open_guard() -> Guard:
    """A guard with the caches of this user."""
    making = Making(compile=cached_compile(enabled=True), choice=cached_choice(enabled=True))
    return Guard(making, LivePolicies(compile=cached_expressions()))


def connection(cluster: Cluster) -> Connection:
    """How the controllers reach the cluster that they are in."""
    access = cluster.access(USER)
    credentials = Credentials(identity=access.identity)
    return Connection(
        server=access.server, trust=Trust(ca=access.authority), credentials=lambda _: credentials
    )
