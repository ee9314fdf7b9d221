"""Admission in process: the reviewers of ``kube.review``'s chain, called where Kubernetes has admission.

What is mutated is validated afterwards; the chain does both, so it is called once, between defaulting and the
kind's own validation, and what it changed is defaulted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sekisho.apiserver.status import ApiError, Resource, forbidden
from sekisho.apiserver.types import ResourceType
from sekisho.diag import Deadline
from sekisho.kube import patch
from sekisho.kube.object import Object
from sekisho.kube.review import NO_RULES, Outcome, Request, Reviewer, Rules, Rung, Step, Verdict, review

SECONDS: Final = 10.0
"""How long admission of one request may take, as a webhook's default timeout."""


class Admission(Protocol):
    """Who decides about a request before it is stored."""

    async def admit(self, request: Request) -> Verdict:
        """The verdict, with the patch of what mutates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Admission by reviewers, in their order. Without any it allows everything."""

    steps: tuple[Step[Reviewer], ...] = ()
    rules: Rules = field(default_factory=lambda: NO_RULES)
    seconds: float = SECONDS

    async def admit(self, request: Request) -> Verdict:
        """Ask the chain."""
        if not self.steps:
            return Verdict()
        return await review(
            self.steps,
            request,
            now=datetime.now(UTC),
            deadline=Deadline.after(self.seconds),
            rules=self.rules,
        )


def refusal(verdict: Verdict, type: ResourceType, name: str) -> ApiError | None:
    """The error of a verdict that does not allow, in the webhook's words."""
    if verdict.allowed:
        return None
    lines = verdict.lines(Rung.DENY)
    if verdict.outcome is Outcome.COULD_NOT_ASK or not lines:
        lines = tuple(row.message for row in verdict.failures) or ("the request could not be judged",)
    message = "\n".join(lines)
    resource = Resource(group=type.group, plural=type.plural)
    error = forbidden(resource, name, message)
    error.message = f"admission webhook denied the request: {message}"
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


def view(value: dict[str, Any] | None) -> Object | None:
    """An object as reviewers see it."""
    return None if value is None else Object(value)
