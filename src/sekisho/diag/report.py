"""A report: findings in order, without repetition, with the exit status that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sekisho.diag.code import Blame
from sekisho.diag.diagnostic import Diagnostic, Level, ObjectPath, path_text
from sekisho.diag.source import Span

CLEAN: Final = 0
FINDINGS: Final = 1
USAGE: Final = 2
ENVIRONMENT: Final = 3
REFUSED: Final = 4
BUG: Final = 70


def span_of(at: Span | ObjectPath | None) -> Span | None:
    """Where a location stands in a file that a person can open, if it does."""
    if isinstance(at, ObjectPath):
        at = at.span()
    return at.outermost() if at is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Findings, sorted by place, each once.

    ``suppressed`` counts the findings that a baseline hid. ``facts`` are lines for people that are no
    findings (what was read, how much was judged).
    """

    findings: tuple[Diagnostic, ...] = ()
    suppressed: int = 0
    facts: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, findings: Iterable[Diagnostic], *, suppressed: int = 0, **facts: object) -> Report:
        """Sort and deduplicate: the same code, place, policy and message is one finding."""
        seen: dict[tuple[object, ...], Diagnostic] = {}
        for finding in findings:
            seen.setdefault(_place(finding), finding)
        ordered = tuple(seen[place] for place in sorted(seen))
        return cls(findings=ordered, suppressed=suppressed, facts=dict(facts))

    def count(self, level: Level) -> int:
        """How many findings have this level."""
        return sum(finding.level is level for finding in self.findings)

    def exit_status(self) -> int:
        """0 clean, 1 findings, 2 input that could not be used, 3 environment, 70 a bug of ours.

        The gravest wins; warnings and notes alone are clean.
        """
        status = CLEAN
        for finding in self.findings:
            if finding.level is Level.ERROR:
                status = max(status, _status(finding))
        return status


def _status(finding: Diagnostic) -> int:
    code = finding.code
    if code.blame is Blame.BUG:
        return BUG
    if code.blame is Blame.ENVIRONMENT:
        return ENVIRONMENT
    return FINDINGS if code.finding else USAGE


def _place(finding: Diagnostic) -> tuple[object, ...]:
    at = finding.at
    span = span_of(at)
    if span is not None:
        where: tuple[object, ...] = (span.source.name, span.start, "", "")
    elif isinstance(at, ObjectPath):
        where = ("", 0, str(at.ref), path_text(at.path))
    else:
        where = ("", 0, "", "")
    return (*where, finding.code.id, finding.policy, finding.message)
