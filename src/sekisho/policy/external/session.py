"""One review's view of the providers: each question is asked once, and its answer stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sekisho.diag import Deadline, Diagnostic, Level, Limit, ObjectPath
from sekisho.policy import codes
from sekisho.policy.external.answers import (
    Absent,
    Answers,
    Outcome,
    Providers,
    Questions,
    State,
    Unasked,
)

KEYS: Final = Limit(
    "questions of one review to providers", 10_000, "keys", "no object names more things to ask about"
)


class Session:
    """The providers as one review sees them; ``asked`` are the names of those that were asked.

    A provider that gave no answer is not asked again: its next answer could contradict what was judged.
    """

    def __init__(self, providers: Providers | None = None) -> None:
        self._providers: Providers = Absent() if providers is None else providers
        self._known: dict[tuple[str, str], Outcome] = {}
        self._failed: dict[str, Outcome] = {}
        self._told: dict[tuple[str, str], Diagnostic] = {}
        self._drained = 0
        self._left: list[Diagnostic] = []
        self.asked: set[str] = set()

    @classmethod
    def of(cls, providers: Providers | None) -> Session:
        """The session that this is, or a new one."""
        return providers if isinstance(providers, Session) else cls(providers)

    @property
    def unasked(self) -> tuple[Diagnostic, ...]:
        """What was left without an answer, and why."""
        return tuple(self._left)

    def leave(self, failures: Sequence[Diagnostic]) -> None:
        """Note what had to be left without an answer."""
        self._left += failures

    def place(self, at: ObjectPath, start: int) -> int:
        """Say where those are that were left since ``start``; how many there are now.

        They are about an object that another one brings about, which stands nowhere itself.
        """
        self._left[start:] = [replace(row, at=at) for row in self._left[start:]]
        return len(self._left)

    def drain(self) -> tuple[Diagnostic, ...]:
        """What is to be told of providers and was not told yet."""
        told = tuple(self._told.values())[self._drained :]
        self._drained += len(told)
        return told

    def ask(self, questions: Questions, deadline: Deadline | None = None) -> Answers:
        """An outcome for every question: the one that it had before, if it was asked before."""
        open = {name: left for name, keys in questions.items() if (left := self._open(name, keys))}
        if open:
            self.asked |= open.keys()
            if KEYS.exceeded_by(len(self._known) + sum(map(len, open.values()))):
                self._take(_too_many(open))
            else:
                self._take(self._providers.ask(open, deadline))
        return Answers(
            outcomes={name: {key: self._known[name, key] for key in keys} for name, keys in questions.items()}
        )

    def answer(self, provider: str, keys: Sequence[str], deadline: Deadline) -> Mapping[str, Outcome]:
        """The outcomes for keys of one provider. Raises Unasked (POL122) where it could not be asked."""
        outcomes = self.ask({provider: keys}, deadline).outcomes[provider]
        causes = {
            outcome.cause.message: outcome.cause
            for outcome in outcomes.values()
            if outcome.state is State.UNASKED and outcome.cause is not None
        }
        if causes:
            raise Unasked(tuple(causes.values()))
        return outcomes

    def _open(self, name: str, keys: Sequence[str]) -> tuple[str, ...]:
        """The keys that have no outcome yet; those of a provider that failed have one."""
        left = tuple(key for key in dict.fromkeys(keys) if (name, key) not in self._known)
        failed = self._failed.get(name)
        if failed is None:
            return left
        self._known |= {(name, key): failed for key in left}
        return ()

    def _take(self, answers: Answers) -> None:
        for warning in answers.warnings:
            self._tell(warning)
        for name, outcomes in answers.outcomes.items():
            for key, outcome in outcomes.items():
                self._known[name, key] = outcome
                if outcome.state is State.FAILED:
                    self._failed.setdefault(name, outcome)
                    if outcome.cause is not None:
                        self._tell(outcome.cause)

    def _tell(self, warning: Diagnostic) -> None:
        self._told.setdefault((warning.code.id, warning.message), warning)


def _too_many(questions: Questions) -> Answers:
    cause = Diagnostic(code=codes.TOO_MANY_KEYS, level=Level.WARNING, message=str(KEYS))
    outcome = Outcome(state=State.FAILED, system_error=str(KEYS), status=500, cause=cause)
    return Answers(outcomes={name: dict.fromkeys(keys, outcome) for name, keys in questions.items()})
