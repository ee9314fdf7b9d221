"""Reviewers in process: those of ``kube.review``'s chain, asked where Kubernetes has its policies.

What mutates is asked before the object is validated, what validates afterwards. A deny of either refuses the
write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sekisho.apiserver.status import ApiError, Cause, Resource, forbidden
from sekisho.diag import Deadline
from sekisho.kube import patch
from sekisho.kube.review import NO_RULES, Outcome, Request, Reviewer, Rules, Rung, Step, Verdict, review

SECONDS: Final = 10.0
"""How long reviewers may take for one request, as a webhook's default timeout."""


class Reviewers(Protocol):
    """Who decides about a request before it is stored."""

    async def mutate(self, request: Request) -> Verdict:
        """The verdict of those that mutate, with their patch."""

    async def validate(self, request: Request) -> Verdict:
        """The verdict of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Reviewers in their order. Without any it allows everything."""

    steps: tuple[Step[Reviewer], ...] = ()
    rules: Rules = field(default_factory=lambda: NO_RULES)
    seconds: float = SECONDS

    async def mutate(self, request: Request) -> Verdict:
        """Ask the reviewers that mutate."""
        return await self._ask([step for step in self.steps if step.mutating], request)

    async def validate(self, request: Request) -> Verdict:
        """Ask the others."""
        return await self._ask([step for step in self.steps if not step.mutating], request)

    async def _ask(self, steps: Sequence[Step[Reviewer]], request: Request) -> Verdict:
        if not steps:
            return Verdict()
        return await review(
            steps,
            request,
            now=datetime.now(UTC),
            deadline=Deadline.after(self.seconds),
            rules=self.rules,
        )


NO_REVIEWERS: Final = Chain()

POLICY: Final = "ValidatingAdmissionPolicy "
"""How the words of Kubernetes' own policies begin; what they refuse is told as the server's own refusal."""


def refusal(verdict: Verdict, resource: Resource, name: str, webhook: str = "") -> ApiError | None:
    """The error of a verdict that does not allow, in the words of Kubernetes' policies or of its webhooks.

    ``webhook`` is what the reviewers are called, as if they were one.
    """
    if verdict.allowed:
        return None
    lines = verdict.lines(Rung.DENY)
    if verdict.outcome is Outcome.COULD_NOT_ASK or not lines:
        lines = tuple(row.message for row in verdict.failures) or ("the request could not be judged",)
    if lines[0].startswith(POLICY):
        return _by_policy(verdict, resource, name, lines)
    error = forbidden(resource, name, message := "\n".join(lines))
    called = f'admission webhook "{webhook}"' if webhook else "admission webhook"
    error.message = f"{called} denied the request: {message}"
    return error


def _by_policy(verdict: Verdict, resource: Resource, name: str, lines: Sequence[str]) -> ApiError:
    """The refusal of a policy of Kubernetes' own: the first one is told, the others are causes beside it."""
    error = forbidden(resource, name, lines[0], [Cause(reason="", message=line) for line in lines])
    first = next(row for row in verdict.findings if row.rung is Rung.DENY)
    reason, code = first.diagnostic.data.get("reason"), first.diagnostic.data.get("code")
    if isinstance(reason, str) and isinstance(code, int):
        error.reason, error.code = reason, code
    return error


def warnings_of(verdict: Verdict) -> list[str]:
    """What the client is told beside the answer."""
    return [*verdict.lines(Rung.WARN), *verdict.warnings]


def patched(value: dict[str, Any], operations: Sequence[Any]) -> dict[str, Any]:
    """The object with a verdict's patch."""
    if not operations:
        return value
    found = patch.apply(value, operations)
    assert isinstance(found, dict), "the chain has tried the patch"
    return found
