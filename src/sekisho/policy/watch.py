"""What an engine did for a review, constraint by constraint: for gator's ``--stats`` and ``--trace``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.diag import Diagnostic, Span
from sekisho.kube.review import Finding
from sekisho.policy.constraint import Constraint
from sekisho.policy.implied import IMPLIED_BY
from sekisho.policy.template import TARGET

Clock = Callable[[], int]
"""Nanoseconds from any beginning."""

IMPLIED: Final = "Implied by"
"""The label of figures about what an object brings about; its value is the ExpansionTemplate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One constraint that was asked about an object. Without ``matched`` its code was not evaluated."""

    constraint: Constraint
    matched: bool
    took: int = 0


@dataclass(slots=True, kw_only=True)
class Watched:
    """One object's review; ``implied_by`` names the ExpansionTemplate of one that is brought about."""

    name: str
    implied_by: str = ""
    rows: list[Looked] = field(default_factory=list)


class Watch:
    """Takes down what an engine does, with the times of a clock. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.reviews: list[Watched] = []

    def begin(self, name: str, implied_by: str) -> None:
        """An object's review begins."""
        self.reviews.append(Watched(name=name, implied_by=implied_by))

    def passed_over(self, constraint: Constraint) -> None:
        """A constraint does not match the object, or cannot tell."""
        self.reviews[-1].rows.append(Looked(constraint=constraint, matched=False))

    def evaluated(self, constraint: Constraint, took: int) -> None:
        """A constraint was evaluated."""
        self.reviews[-1].rows.append(Looked(constraint=constraint, matched=True, took=took))


# --- stats ------------------------------------------------------------------------------------------------


def entries(watch: Watch, *, tracing: bool = False, printing: bool = False) -> list[dict[str, Any]]:
    """Gator's entries of statistics: for each review, how long each template took for its constraints."""
    labels: dict[str, Any] = {"TracingEnabled": tracing, "PrintEnabled": printing, "target": TARGET}
    found: list[dict[str, Any]] = []
    for review in watch.reviews:
        marks = {**labels, IMPLIED: review.implied_by} if review.implied_by else labels
        for kind, rows in _by_template(review).items():
            figures = {"templateRunTimeNS": sum(row.took for row in rows), "constraintCount": len(rows)}
            found.append(
                {
                    "scope": "template",
                    "statsFor": kind,
                    "stats": [
                        {"name": name, "value": value, "source": {"type": "engine", "value": "Rego"}}
                        for name, value in figures.items()
                    ],
                    "labels": [{"name": name, "value": value} for name, value in marks.items()],
                }
            )
    return found


def _by_template(review: Watched) -> dict[str, list[Looked]]:
    rows: dict[str, list[Looked]] = {}
    for row in review.rows:
        if row.matched:
            rows.setdefault(row.constraint.object.kind, []).append(row)
    return rows


# --- trace ------------------------------------------------------------------------------------------------


def trace(watch: Watch, constraints: Sequence[Constraint], findings: Sequence[Finding]) -> str:
    """What each constraint made of the objects of one review, as text.

    For each violation it has the expressions that held, with their values; ``findings`` are those of a
    review that explains. The original's trace is that of an interpreter's steps, of which there are none.
    """
    return "".join(line for review in watch.reviews for line in _lines(review, constraints, findings))


def _lines(review: Watched, constraints: Sequence[Constraint], findings: Sequence[Finding]) -> Iterator[str]:
    implied = f" ({IMPLIED} {review.implied_by})" if review.implied_by else ""
    yield f"{review.name}{implied}\n"
    looked = {row.constraint.policy: row for row in review.rows}
    for constraint in constraints:
        row = looked.get(constraint.policy)
        found = [each for each in findings if each.policy == constraint.policy and _is_of(each, review)]
        if not found and (row is None or not row.matched):
            yield f"| {constraint.policy}: {'does not match' if row else 'is not about this kind'}\n"
            continue
        yield f"| {constraint.policy}: {len(found)} violation{'' if len(found) == 1 else 's'}\n"
        for finding in found:
            yield from _held(finding.diagnostic)


def _is_of(finding: Finding, review: Watched) -> bool:
    return str(finding.diagnostic.data.get(IMPLIED_BY, "")) == review.implied_by


def _held(finding: Diagnostic) -> Iterator[str]:
    yield f"| | {finding.message}\n"
    for note in finding.notes:
        if isinstance(note.at, Span):
            at = note.at.outermost()
            yield f"| | | {at.source.name}:{at.begins.line}: {note.message}\n"
