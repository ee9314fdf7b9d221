"""Reviewers in process: those of ``kube.review``'s chain, asked where Kubernetes has its policies.

What mutates is asked before the object is validated, what validates afterwards. A deny of either refuses the
write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sekisho.apiserver.status import ApiError, Cause, Resource, forbidden, internal
from sekisho.diag import Deadline
from sekisho.kube import patch
from sekisho.kube.review import NO_RULES, Outcome, Request, Reviewer, Rules, Rung, Step, Verdict, review

SECONDS: Final = 10.0
"""How long reviewers may take for one request, as a webhook's default timeout."""


class Reviewers(Protocol):
    """Who decides about a request before it is stored. May raise ApiError, which is told as it is."""

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


def refusal(verdict: Verdict, resource: Resource, name: str) -> ApiError | None:
    """The error of a verdict that does not allow, in the words of Kubernetes' policies or of its webhooks."""
    if verdict.allowed:
        return None
    lines = verdict.lines(Rung.DENY)
    if verdict.outcome is Outcome.COULD_NOT_ASK or not lines:
        lines = tuple(row.message for row in verdict.failures) or ("the request could not be judged",)
    if lines[0].startswith(POLICY):
        return _by_policy(verdict, resource, name, lines)
    error = forbidden(resource, name, message := "\n".join(lines))
    error.message = f"admission webhook denied the request: {message}"
    return error


def _by_policy(verdict: Verdict, resource: Resource, name: str, lines: Sequence[str]) -> ApiError:
    """The refusal of a policy of Kubernetes' own: the first one is told, the others are causes beside it."""
    error = forbidden(resource, name, lines[0], [Cause(reason="", message=line) for line in lines])
    first = next(row for row in verdict.findings if row.rung is Rung.DENY)
    reason, code = first.diagnostic.data.get("reason"), first.diagnostic.data.get("code")
    if isinstance(reason, str) and isinstance(code, int):
        error.reason, error.code = reason, code
    return error


def denied_by(webhook: str, given: Any) -> ApiError:
    """The error of a webhook that does not allow, from its answer's status (apiserver ``webhook/errors``)."""
    result = given if isinstance(given, Mapping) else {}
    code, reason, message = result.get("code"), result.get("reason"), result.get("message")
    code = code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else 400
    told = message if isinstance(message, str) and message else reason if isinstance(reason, str) else ""
    head = f'admission webhook "{webhook}" denied the request'
    details = result.get("details")
    return ApiError(
        code,
        reason if isinstance(reason, str) else "",
        f"{head}: {told}" if told else f"{head} without explanation",
        details if isinstance(details, Mapping) else {},
    )


def not_called(webhook: str, why: str) -> ApiError:
    """The error of a webhook that had to be asked and could not be."""
    return internal(f'failed calling webhook "{webhook}": {why}')


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
