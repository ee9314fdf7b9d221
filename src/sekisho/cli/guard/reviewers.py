"""Reviewers of an embedded cluster: its own admission policies, then what the policies of its API say.

The order is Kubernetes': ValidatingAdmissionPolicies are asked before webhooks, and what they refuse is not
asked any further. Policies judge in this process, by the snapshot of the moment; until there is one, writes
wait for it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sekisho.diag import Deadline, Diagnostic
from sekisho.kube.codes import OUT_OF_TIME
from sekisho.kube.review import Judge, Operation, Request, Step, Verdict, decide
from sekisho.policy import steps

if TYPE_CHECKING:
    from sekisho.apiserver.admission import Reviewers
    from sekisho.policy.controller import Snapshot, Snapshots

SECONDS: Final = 10.0
"""How long policies may take for one request: a webhook's default timeout."""

NOT_LOADED: Final = "the policies of this cluster are not loaded yet"

ASKED: Final = frozenset({Operation.CREATE, Operation.UPDATE})


class PolicyReviewers:
    """Judges by snapshots. ``user`` is the controller's own, whose writes nobody judges."""

    def __init__(self, snapshots: Snapshots, first: Reviewers, user: str) -> None:
        self._snapshots = snapshots
        self._first = first
        self._user = user

    async def mutate(self, request: Request) -> Verdict:
        """The verdict of those that mutate."""
        return await self._judge(request, mutating=True)

    async def validate(self, request: Request) -> Verdict:
        """The verdict of the others."""
        verdict = await self._first.validate(request)
        if not verdict.allowed:
            return verdict
        judged = await self._judge(request, mutating=False)
        return replace(judged, warnings=(*verdict.warnings, *judged.warnings))

    async def _judge(self, request: Request, *, mutating: bool) -> Verdict:
        if request.user.username == self._user or request.operation not in ASKED or request.subresource:
            return Verdict()
        deadline = Deadline.after(SECONDS)
        snapshot = self._snapshots.current
        if snapshot is None:
            try:
                async with asyncio.timeout(SECONDS):
                    snapshot = await self._snapshots.wait()
            except TimeoutError:
                return Verdict.could_not_ask(Diagnostic(code=OUT_OF_TIME, message=NOT_LOADED))
        if snapshot.engine.asks:
            return await asyncio.to_thread(_decided, snapshot, request, deadline, mutating)
        return _decided(snapshot, request, deadline, mutating)


def _decided(snapshot: Snapshot, request: Request, deadline: Deadline, mutating: bool) -> Verdict:
    rows: list[Step[Judge]] = [row for row in steps(snapshot.engine.asking()) if row.mutating is mutating]
    return decide(
        rows, request, now=datetime.now(UTC), deadline=deadline, rules=snapshot.rules, recorded=False
    )
