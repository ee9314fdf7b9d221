"""The guard, composed: controllers over the cluster's own API, and reviewers in its writes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sekisho.apiserver.admission import Guarding
from sekisho.apiserver.authorize import MASTERS
from sekisho.cli.admission.live import LivePolicies
from sekisho.cli.guard.options import NOTHING, Asked
from sekisho.cli.guard.reviewers import PolicyReviewers
from sekisho.cli.guard.settling import Owners, Settling
from sekisho.cli.guard.sources import Sources
from sekisho.cli.network import ExternalData
from sekisho.cli.programs import cached_choice, cached_compile, cached_expressions
from sekisho.cluster.client import Client
from sekisho.cluster.connection import Connection, Credentials
from sekisho.kube.review import UserInfo
from sekisho.policy.controller import (
    Defaults,
    Making,
    PolicyController,
    Snapshot,
    Snapshots,
    install,
    leading,
    tell,
)
from sekisho.policy.status import Pod
from sekisho.web import Trust

if TYPE_CHECKING:
    from sekisho.apiserver.admission import Written
    from sekisho.apiserver.api import Api
    from sekisho.apiserver.cluster import Cluster
    from sekisho.diag import Diagnostic

_LOG: Final = logging.getLogger(__name__)

NAMESPACE: Final = "gatekeeper-system"
"""The guard's own Namespace, in which statuses of pods are kept."""

USER: Final = UserInfo(
    username=f"system:serviceaccount:{NAMESPACE}:gatekeeper-admin",
    groups=(
        MASTERS,
        "system:serviceaccounts",
        f"system:serviceaccounts:{NAMESPACE}",
        "system:authenticated",
    ),
)
"""Who the controllers are: Gatekeeper's own account, which its webhook does not judge either."""

AGAIN: Final = 1.0
"""Seconds until controllers that failed are begun again."""

POD: Final = "sekisho-up"
"""What the guard is called in statuses, where Gatekeeper's pods have their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """What guards once it is loaded: the snapshot, the bundles that were asked for, and what is wrong."""

    snapshot: Snapshot
    asked: Asked = NOTHING
    problems: tuple[Diagnostic, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Counted. Writes that cannot be judged are refused."""
        engine = self.snapshot.engine
        return {
            "templates": len(engine.templates),
            "constraints": len(engine.constraints),
            "mutators": len(engine.mutators.mutators),
            "bundles": list(self.asked.bundles),
            "faults": len(self.snapshot.faults),
            "failurePolicy": "Fail",
        }


class Guard:
    """Guards one embedded cluster: ``guarding`` is for its start, then ``begin`` lets policies be loaded."""

    def __init__(self, making: Making, policies: LivePolicies, asked: Asked = NOTHING) -> None:
        self._owners = Owners()
        self._making = replace(making, lookup=self._owners)
        self._policies = policies
        self._asked = asked
        self._api: Api | None = None
        self._client: Client | None = None
        self._settling: Settling | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._loaded = asyncio.Event()
        self._stack = ExitStack()
        self.snapshots = Snapshots()

    def guarding(self) -> Guarding:
        """What the API server is given. Until policies are loaded, writes wait for them."""
        own = self._policies.guarding()
        reviewers = PolicyReviewers(
            self.snapshots, self._loaded, first=own.reviewers, user=USER, namespace=NAMESPACE
        )
        return replace(own, reviewers=reviewers, begin=self._attach, settle=self._settle)

    def _attach(self, api: Api) -> None:
        self._api = api
        self._owners.attach(api)
        self._policies.attach(api)

    async def begin(self, cluster: Cluster) -> Guarded:
        """Load the policies of a cluster that answers, and those that were asked for.

        From then on writes are answered. Raises DiagnosticError.
        """
        assert self._api is not None, "the cluster was started with this guard"
        client = self._client = Client(connection(cluster))
        await install(client, namespace=NAMESPACE)
        controller = PolicyController(client, self._making, self.snapshots)
        statuses = tell(controller, Pod(id=POD, namespace=NAMESPACE))
        self._stack.enter_context(leading(controller, statuses, Defaults(wait=timedelta())))
        self._settling = Settling(self._api, controller)
        run = asyncio.create_task(self._run(controller), name="guard")
        self._tasks.append(run)
        problems = await _first(asyncio.create_task(self._load(client, self._settling)), run)
        self._loaded.set()
        snapshot = self.snapshots.current
        assert snapshot is not None, "it was loaded"
        return Guarded(snapshot=snapshot, asked=self._asked, problems=tuple(problems))

    async def _run(self, controller: PolicyController) -> None:
        """Let the controller run for ever. Before policies are loaded a failure is the start's own."""
        while True:
            try:
                await controller.run()
            except Exception:
                if not self._loaded.is_set():
                    raise
                _LOG.exception("the controllers of policies failed; the last snapshot judges until they run")
            await asyncio.sleep(AGAIN)

    async def _load(self, client: Client, settling: Settling) -> list[Diagnostic]:
        """Load what is there, apply what was asked for, and load that; what is wrong with it."""
        await self.snapshots.wait()
        if not self._asked.any:
            return []
        sources = Sources(client, self._asked)
        applied = await sources.apply()
        await settling.settle_all()
        self._tasks.append(asyncio.create_task(sources.watch(), name="policies' sources"))
        return applied.problems

    async def end(self) -> None:
        """Stop, before the cluster does."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._stack.close()
        if self._client is not None:
            await self._client.close()

    async def _settle(self, written: Written) -> None:
        """Let a policy that was written be in force before whoever wrote it goes on."""
        if self._settling is not None and written.user.username != USER.username:
            await self._settling.settle(written)


async def _first(work: asyncio.Task[list[Diagnostic]], other: asyncio.Task[None]) -> list[Diagnostic]:
    """What the work gives; if the other task ends before, that failed, and raises why."""
    await asyncio.wait((work, other), return_when=asyncio.FIRST_COMPLETED)
    if not work.done():
        work.cancel()
        await other
    return await work


def open_guard(asked: Asked = NOTHING) -> Guard:
    """A guard with the caches of this user.

    Raises DiagnosticError for files with external data that cannot be read.
    """
    making = Making(
        compile=cached_compile(enabled=True),
        choice=cached_choice(enabled=True),
        providers=ExternalData.read(asked.external).providers,
    )
    return Guard(making, LivePolicies(compile=cached_expressions()), asked)


def connection(cluster: Cluster) -> Connection:
    """How the controllers reach the cluster that they are in."""
    access = cluster.access(USER)
    credentials = Credentials(identity=access.identity)
    return Connection(
        server=access.server, trust=Trust(ca=access.authority), credentials=lambda _: credentials
    )
