"""The policies of a running cluster, as editions for workers, and what is written back to it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sekisho.admission import Edition
from sekisho.cli.programs import cached_choice, cached_compile
from sekisho.diag import DiagnosticError
from sekisho.kube.object import Object
from sekisho.kube.owner import OWNER_KEY
from sekisho.policy.constraint import GROUP as CONSTRAINTS
from sekisho.policy.controller import Making, PolicyController, install, kinds, leading, tell

if TYPE_CHECKING:
    from sekisho.cluster.client import Client
    from sekisho.policy.controller import Snapshot
    from sekisho.policy.engine import Engine
    from sekisho.policy.status import Pod

_LOG: Final = logging.getLogger(__name__)

RETRY: Final = 5.0
"""Seconds until definitions are tried again."""

QUIET: Final = 0.5
"""Seconds between two editions: what changes in between goes into the next one."""


def own_pod(namespace: str) -> Pod:
    """Who writes statuses here: the pod that this runs in, which its manifest tells, or the machine."""
    from sekisho.policy.status import Pod

    name = os.environ.get("POD_NAME") or os.uname().nodename
    return Pod(id=name.lower(), uid=os.environ.get("POD_UID", ""), namespace=namespace)


class LivePolicies:
    """Watches a cluster's policies. ``changed`` gets each edition, with what stands for it."""

    def __init__(
        self,
        client: Client,
        changed: Callable[[Edition, str], None],
        *,
        pod: Pod,
        owner_key: str = "",
        cache: bool = True,
    ) -> None:
        making = Making(
            compile=cached_compile(enabled=cache),
            choice=cached_choice(enabled=cache),
            owner_key=owner_key or OWNER_KEY,
        )
        self._client = client
        self._changed = changed
        self._namespace = pod.namespace
        self.controller = PolicyController(client, making)
        self._statuses = tell(self.controller, pod)

    async def run(self) -> None:
        """Watch until it is cancelled.

        Policies are read whether definitions can be installed or not: a cluster that refuses writes because
        this webhook does not answer yet must not keep it from answering.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._install(), name="definitions")
            group.create_task(self.controller.run(), name="policies of the cluster")
            group.create_task(self._tell(), name="editions")

    async def write(self) -> None:
        """Write what follows from policies, until it is cancelled; for the one that leads."""
        with leading(self.controller, self._statuses):
            await asyncio.Event().wait()

    async def _install(self) -> None:
        while True:
            try:
                return await install(self._client, namespace=self._namespace)
            except DiagnosticError as error:
                _LOG.warning("definitions cannot be installed: %s", error)
            await asyncio.sleep(RETRY)

    async def _tell(self) -> None:
        number = -1
        while True:
            snapshot = await self.controller.snapshots.next(number)
            number = snapshot.number
            self._changed(self._edition(snapshot), f"{snapshot.digest}/{snapshot.number}")
            await asyncio.sleep(QUIET)

    def _edition(self, snapshot: Snapshot) -> Edition:
        """What judges in a snapshot: of a policy whose newest version cannot be used, the last that could."""
        last = {row.ref(): row for row in _objects(snapshot.engine)} if snapshot.stale else {}
        policies = (
            last.get(row.ref(), row) if row.ref() in snapshot.stale else row for row in snapshot.objects
        )
        watches = self.controller.watches
        own = {*kinds.POLICIES, *kinds.RULES, *kinds.WRITTEN}
        others = sorted(gvk for gvk in watches.kinds if gvk not in own and gvk.group != CONSTRAINTS)
        inventory = (raw for gvk in others for raw in tuple(watches.objects(gvk).values()))
        return Edition(policies=tuple(row.raw for row in policies), inventory=tuple(inventory))


def _objects(engine: Engine) -> list[Object]:
    return [
        *(row.object for row in engine.templates.values()),
        *(row.object for row in engine.constraints),
        *(row.object for row in engine.mutators.mutators),
        *(row.object for row in engine.expansions.templates if row.object is not None),
    ]
