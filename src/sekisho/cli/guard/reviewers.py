"""Reviewers of an embedded cluster: its own admission policies, then what the policies of its API say.

The order is Kubernetes': ValidatingAdmissionPolicies are asked before webhooks, and what they refuse is not
asked any further. Policies are asked as if they were Gatekeeper's webhooks on a cluster of their own: the
same functions answer (``admission.judge``), and refusals are told in the same words. They judge in this
process, by the snapshot of the moment; until policies are loaded, writes wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sekisho.admission import HOOKS, Answer, Asking, Edition, Hook, Manner, Repair, Settings
from sekisho.admission.answer import reply
from sekisho.admission.judge import IGNORE_LABEL, not_ready
from sekisho.apiserver.admission import denied_by, not_called
from sekisho.apiserver.authorize import MASTERS
from sekisho.cli.serving.engines import EngineSnapshot, How
from sekisho.diag import Deadline
from sekisho.kube.review import ALLOWED, Operation, Outcome, Request, Verdict, message
from sekisho.policy.loading import POLICY_GROUPS

if TYPE_CHECKING:
    from sekisho.apiserver.admission import Reviewers
    from sekisho.kube.review import UserInfo
    from sekisho.policy.controller import Snapshot, Snapshots

SECONDS: Final = 10.0
"""How long policies may take for one request: a webhook's default timeout."""

OPERATIONS: Final = frozenset({Operation.CREATE, Operation.UPDATE})
"""What Gatekeeper's webhooks are asked about where nobody asks for more."""

SUBRESOURCES: Final = frozenset(
    {
        "deployments/scale",
        "pods/attach",
        "pods/binding",
        "pods/ephemeralcontainers",
        "pods/eviction",
        "pods/exec",
        "pods/log",
        "pods/portforward",
        "pods/proxy",
        "pods/resize",
        "nodes/proxy",
        "replicasets/scale",
        "replicationcontrollers/scale",
        "services/proxy",
        "services/status",
        "statefulsets/scale",
    }
)
"""The subresources that its validating webhook is asked about."""

MANNER: Final = Manner(fields=True)
"""Who is refused here is a person at a keyboard: the field at fault stands behind the message."""

ADMIT: Final = HOOKS["/v1/admit"]
MUTATE: Final = HOOKS["/v1/mutate"]
LABEL: Final = HOOKS["/v1/admitlabel"]


@dataclass(slots=True)
class _Judging:
    """The newest snapshot, as ``admission`` wants it."""

    number: int
    snapshot: EngineSnapshot


class PolicyReviewers:
    """Judges by snapshots, once policies are ``loaded``; ``first`` is asked before them.

    ``user`` is the controller's own, whose writes nobody judges, ``namespace`` that of the guard.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        loaded: asyncio.Event,
        *,
        first: Reviewers,
        user: UserInfo,
        namespace: str,
    ) -> None:
        self._snapshots = snapshots
        self._loaded = loaded
        self._first = first
        repair = Repair(namespace=namespace, account=user.username, groups=frozenset({MASTERS}))
        self._settings = Settings(repair=repair)
        self._judging: _Judging | None = None

    async def mutate(self, request: Request) -> Verdict:
        """The verdict of mutators, with their patch. Raises ApiError."""
        if not _is_asked(request) or request.subresource:
            return ALLOWED
        return await self._ask(MUTATE, request)

    async def validate(self, request: Request) -> Verdict:
        """The verdict of the others. Raises ApiError."""
        verdict = await self._first.validate(request)
        if not verdict.allowed:
            return verdict
        if not _is_asked(request) or not _is_judged(request):
            return verdict
        if request.subject.is_namespace and not request.subresource:
            await self._ask(LABEL, request)
        judged = await self._ask(ADMIT, request)
        return replace(judged, warnings=(*verdict.warnings, *judged.warnings))

    async def _ask(self, hook: Hook, request: Request) -> Verdict:
        if self._settings.repair.is_own(request):
            return ALLOWED  # it is what loads policies, so it cannot wait for them
        snapshot = await self._current()
        deadline = Deadline.after(SECONDS)
        asking = Asking(now=datetime.now(UTC), deadline=deadline)
        if snapshot is None:
            answer = Answer(verdict=not_ready())
        elif snapshot.waits or request.kind.group in POLICY_GROUPS:
            # Who is asked over a network, or what is compiled, must not hold up the rest.
            answer = await asyncio.to_thread(hook.ask, request, snapshot, self._settings, asking)
        else:
            answer = hook.ask(request, snapshot, self._settings, asking)
        return _told(hook, answer, request)

    async def _current(self) -> EngineSnapshot | None:
        """The newest snapshot; None if there is none in time."""
        if not self._loaded.is_set():
            try:
                async with asyncio.timeout(SECONDS):
                    await self._loaded.wait()
            except TimeoutError:
                return None
        snapshot = self._snapshots.current
        assert snapshot is not None, "policies are loaded"
        if self._judging is None or self._judging.number != snapshot.number:
            self._judging = _Judging(snapshot.number, _as_admission_wants(snapshot))
        return self._judging.snapshot


def _as_admission_wants(snapshot: Snapshot) -> EngineSnapshot:
    return EngineSnapshot(
        engine=snapshot.engine, rules=snapshot.rules, digest=snapshot.digest, edition=Edition(), how=How()
    )


def _is_asked(request: Request) -> bool:
    """Whether Gatekeeper's webhooks would be asked: by their rules and selectors."""
    namespace = request.namespace_object
    if namespace is not None and IGNORE_LABEL in namespace.labels and not request.subject.is_namespace:
        return False
    return request.operation in OPERATIONS


def _is_judged(request: Request) -> bool:
    return not request.subresource or f"{request.resource.resource}/{request.subresource}" in SUBRESOURCES


def _told(hook: Hook, answer: Answer, request: Request) -> Verdict:
    """The verdict of an answer that allows; raises ApiError for another one, as for a webhook's."""
    verdict = answer.verdict
    if verdict.outcome is Outcome.COULD_NOT_ASK:
        raise not_called(hook.webhook, message(verdict))
    if verdict.allowed:
        return verdict
    _, review = reply(answer, request.uid, "admission.k8s.io/v1", MANNER)
    response: Mapping[str, Any] = review["response"]
    raise denied_by(hook.webhook, response["status"])
