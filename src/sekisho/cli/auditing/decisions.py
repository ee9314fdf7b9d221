"""The last decisions of an embedded cluster, for its status page: what was refused or warned about."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sekisho.audit.page.model import Decision
from sekisho.kube.review import Outcome, Request, Rung, Verdict, message

if TYPE_CHECKING:
    from sekisho.apiserver.admission import Reviewers

KEPT: Final = 50
"""Decisions: what a person looks through."""

LINES: Final = 10
LINE: Final = 500
"""Lines of one decision, and characters of each: they come from policies and objects."""


class Remembering:
    """Reviewers that remember what they said no to."""

    def __init__(self, reviewers: Reviewers) -> None:
        self._reviewers = reviewers
        self._kept: deque[Decision] = deque(maxlen=KEPT)

    async def mutate(self, request: Request) -> Verdict:
        """The verdict of those that mutate. Raises ApiError."""
        return await self._noted(request, self._reviewers.mutate)

    async def validate(self, request: Request) -> Verdict:
        """The verdict of the others. Raises ApiError."""
        return await self._noted(request, self._reviewers.validate)

    def decisions(self) -> tuple[Decision, ...]:
        """What was decided, the newest first."""
        return tuple(reversed(self._kept))

    async def _noted(self, request: Request, ask: Callable[[Request], Awaitable[Verdict]]) -> Verdict:
        from sekisho.apiserver.status import ApiError

        try:
            verdict = await ask(request)
        except ApiError as error:
            self._note(request, Outcome.DENY.value, error.message.splitlines())
            raise
        warnings = verdict.warnings or verdict.lines(Rung.WARN)
        if verdict.outcome is Outcome.COULD_NOT_ASK:
            self._note(request, verdict.outcome.value, [row.message for row in verdict.failures])
        elif not verdict.allowed:
            self._note(request, verdict.outcome.value, message(verdict).splitlines())
        elif warnings:
            self._note(request, Rung.WARN.word, warnings)
        return verdict

    def _note(self, request: Request, outcome: str, lines: Sequence[str]) -> None:
        subject = request.subject
        self._kept.append(
            Decision(
                at=datetime.now(UTC),
                outcome=outcome,
                operation=request.operation.value,
                kind=request.kind.kind,
                namespace=request.namespace,
                name=request.name or subject.name or subject.generate_name,
                user=request.user.username,
                lines=tuple(line[:LINE] for line in lines[:LINES]),
            )
        )
