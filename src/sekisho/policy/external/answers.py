"""Questions to external data providers, and what becomes of them.

There is one protocol for whoever answers: a table from a file, a provider over HTTPS, several one after the
other. Every key that is asked for gets an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

from sekisho.diag import Deadline, Diagnostic, DiagnosticError

Questions = Mapping[str, Sequence[str]]
"""Keys by the name of the provider."""

UNKNOWN: Final = "key is not found in provider cache"
"""What Gatekeeper says of a provider that it does not know."""


class State(Enum):
    """What became of a question."""

    ANSWERED = "answered"
    """The provider has a value for the key, or an error."""
    MISSING = "missing"
    """The provider answered, but not for this key."""
    FAILED = "failed"
    """The provider gave no answer that can be used."""
    UNASKED = "unasked"
    """There was nobody to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one key.

    ``error`` is the provider's for this key, ``system_error`` the one for all it was asked, or why there is
    no answer. ``status`` is HTTP's. ``idempotent``: the provider says that the key always has this value.
    ``cause`` tells people why there is no answer.
    """

    state: State = State.ANSWERED
    value: Any = None
    error: str = ""
    system_error: str = ""
    status: int = 200
    idempotent: bool = True
    cause: Diagnostic | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """An outcome for every question, by provider and key; ``warnings`` tell what was odd about them."""

    outcomes: Mapping[str, Mapping[str, Outcome]]
    warnings: tuple[Diagnostic, ...] = ()


class Providers(Protocol):
    """Who answers. Never raises for what a provider does, and never takes longer than the deadline."""

    def ask(self, questions: Questions, deadline: Deadline | None = None) -> Answers:
        """An outcome for every question."""


class Unasked(DiagnosticError):
    """A policy needs external data, and there is nobody to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Nobody answers. ``help`` says what to do about it."""

    reason: str = "no provider is at hand here"
    help: str = ""

    def ask(self, questions: Questions, deadline: Deadline | None = None) -> Answers:  # noqa: ARG002
        """Every question is left unasked."""
        outcomes = {
            name: dict.fromkeys(keys, unasked(name, self.reason, self.help))
            for name, keys in questions.items()
        }
        return Answers(outcomes=outcomes)


@dataclass(frozen=True, slots=True)
class Composed:
    """Several, one after the other: the next one is asked what those before it could not be asked."""

    rows: tuple[Providers, ...]

    def ask(self, questions: Questions, deadline: Deadline | None = None) -> Answers:
        """The first outcome of each question that is one."""
        found: dict[str, dict[str, Outcome]] = {name: {} for name in questions}
        warnings: list[Diagnostic] = []
        open = questions
        for row in self.rows:
            if not open:
                break
            answers = row.ask(open, deadline)
            warnings += answers.warnings
            for name, outcomes in answers.outcomes.items():
                found[name] |= outcomes
            open = _unasked(answers)
        return Answers(outcomes=found, warnings=tuple(warnings))


def _unasked(answers: Answers) -> dict[str, tuple[str, ...]]:
    rows = {
        name: tuple(key for key, outcome in outcomes.items() if outcome.state is State.UNASKED)
        for name, outcomes in answers.outcomes.items()
    }
    return {name: keys for name, keys in rows.items() if keys}


def unasked(name: str, reason: str, help: str = "") -> Outcome:
    """The outcome of a question for which there is nobody to ask."""
    from sekisho.policy import codes

    message = f"the external data provider {name} could not be asked: {reason}"
    cause = Diagnostic(code=codes.NOT_ASKED, message=message, help=help, data={"provider": name})
    return Outcome(state=State.UNASKED, status=0, system_error=reason, cause=cause)
