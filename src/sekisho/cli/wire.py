"""The forms in which results come back from workers: rows of plain values.

A finding points into documents and sources that both sides have; those go by their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sekisho.diag import Diagnostic, Level, Note, ObjectPath, ObjectRef, Source, Span, lookup

if TYPE_CHECKING:
    from sekisho.kube.review import Finding, Verdict


class Findings:
    """Writes and reads findings. ``origins`` and ``sources`` are those that findings may point into."""

    def __init__(self, origins: Iterable[Any], sources: Iterable[Source]) -> None:
        origins, sources = tuple(origins), tuple(sources)
        self._origins = origins
        self._sources = sources
        self._numbers = {id(row): number for number, row in enumerate((*origins, *sources))}

    def write(self, findings: Iterable[Diagnostic]) -> list[Any]:
        """The rows of these findings. KeyError for one that points into something unknown."""
        return [
            (
                row.code.id,
                row.message,
                row.level.value,
                self._place(row.at),
                [(note.message, self._place(note.at)) for note in row.notes],
                row.help,
                row.policy,
                dict(row.data),
            )
            for row in findings
        ]

    def _place(self, at: Span | ObjectPath | None) -> Any:
        if at is None:
            return None
        if isinstance(at, Span):
            return self._numbers[id(at.source)] - len(self._origins), at.start, at.end
        origin = -1 if at.origin is None else self._numbers[id(at.origin)]
        ref = at.ref
        return origin, ref.group_version, ref.kind, ref.namespace, ref.name, at.path, at.key

    def read(self, rows: Iterable[Any]) -> list[Diagnostic]:
        """The findings of these rows."""
        return [
            Diagnostic(
                code=_code(code),
                message=message,
                level=Level(level),
                at=self._at(at),
                notes=tuple(Note(text, self._at(place)) for text, place in notes),
                help=help,
                policy=policy,
                data=data,
            )
            for code, message, level, at, notes, help, policy, data in rows
        ]

    def _at(self, place: Any) -> Span | ObjectPath | None:
        if place is None:
            return None
        if len(place) == 3:
            number, start, end = place
            return Span(self._sources[number], start, end)
        origin, group_version, kind, namespace, name, path, key = place
        ref = ObjectRef(group_version=group_version, kind=kind, namespace=namespace, name=name)
        return ObjectPath(ref=ref, path=path, origin=None if origin < 0 else self._origins[origin], key=key)


class Verdicts:
    """Writes and reads what an audit wants of verdicts: several for each object."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def write(self, results: Sequence[tuple[Verdict, ...]]) -> list[Any]:
        """The rows of these verdicts."""
        return [tuple(self._row(verdict) for verdict in verdicts) for verdicts in results]

    def _row(self, verdict: Verdict) -> Any:
        if not verdict.findings and not verdict.failures and not verdict.reads and verdict.expires is None:
            return verdict.outcome.value
        return (
            verdict.outcome.value,
            [self._finding(row) for row in verdict.findings],
            self._findings.write(verdict.failures),
            sorted(verdict.reads),
            verdict.expires.isoformat() if verdict.expires else "",
        )

    def _finding(self, row: Finding) -> Any:
        return (
            self._findings.write([row.diagnostic])[0],
            int(row.asked),
            int(row.rung),
            row.word,
            row.bundle,
            row.line,
            row.because,
            row.waiver,
            row.break_glass,
            row.failed,
        )

    def read(self, rows: Iterable[Any]) -> list[tuple[Verdict, ...]]:
        """The verdicts of these rows."""
        return [tuple(self._verdict(row) for row in verdicts) for verdicts in rows]

    def _verdict(self, row: Any) -> Verdict:
        from sekisho.kube.review import ALLOWED, Outcome, Verdict

        if isinstance(row, str):
            return ALLOWED if row == Outcome.ALLOW.value else Verdict(outcome=Outcome(row))
        outcome, findings, failures, reads, expires = row
        return Verdict(
            outcome=Outcome(outcome),
            findings=tuple(self._read_finding(found) for found in findings),
            failures=tuple(self._findings.read(failures)),
            reads=frozenset(reads),
            expires=datetime.fromisoformat(expires) if expires else None,
        )

    def _read_finding(self, row: Any) -> Finding:
        from sekisho.kube.review import Finding, Rung

        diagnostic, asked, rung, word, bundle, line, because, waiver, glass, failed = row
        return Finding(
            diagnostic=self._findings.read([diagnostic])[0],
            asked=Rung(asked),
            rung=Rung(rung),
            word=word,
            bundle=bundle,
            line=line,
            because=tuple(because),
            waiver=waiver,
            break_glass=glass,
            failed=failed,
        )


def _code(id: str) -> Any:
    found = lookup(id)
    if not found:
        # A worker imported a module that registers codes, and this process has not.
        from sekisho.cli.codes import load_codes

        load_codes()
        found = lookup(id)
    return found[0]
