"""Which expressions of a violating derivation held, with which values: the notes of ``check --explain``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Limit, Note
from sekisho.policy.template import Template
from sekisho.rego import Held, Options
from sekisho.rego.values import Value, key

EXPRESSIONS: Final = Limit("an explanation", 40, "expressions", "more than a screenful helps nobody")
LENGTH: Final = Limit("an expression in an explanation", 100, "characters", "it is shown on one line")

SECRET: Final = "Secret"  # noqa: S105 - a kind
"""The kind whose objects are explained without values: reports end up in logs."""


class Explanations:
    """Explains one object's violations of one constraint; evaluates once more, at most once."""

    def __init__(
        self, template: Template, input: Any, data: Any, options: Options, deadline: Deadline | None = None
    ) -> None:
        # Lines of ``print`` have been told by the plain evaluation.
        self._ask = (input, data, replace(options, printed=None), deadline)
        self._template = template
        self._found: dict[Any, tuple[Held, ...]] | None = None

    def of(self, element: Value) -> tuple[Held, ...]:
        """What held for a member of the violations; nothing where the explaining evaluation fails."""
        if self._found is None:
            try:
                found = self._template.explain_held(*self._ask)
            except DiagnosticError:
                found = []  # it costs more than the plain one, which stands
            self._found = {key(each): held for each, held in found}
        return self._found.get(key(element), ())


def explained(finding: Diagnostic, held: Sequence[Held], *, values: bool) -> Diagnostic:
    """The finding with a note for each expression, and the same in ``data["explain"]``."""
    rows: list[dict[str, object]] = []
    notes: list[Note] = []
    for each in held[: EXPRESSIONS.value]:
        span = each.span
        text = " ".join(span.source.text[span.start : span.end].split())
        shown = _telling(dict(each.values)) if values else {}
        place = span.outermost()
        row = {"file": place.source.name, "line": place.begins.line, "expression": _cut(text)}
        rows.append({**row, "values": shown})
        told = ", ".join(f"{name} = {value}" for name, value in shown.items())
        notes.append(Note(f"held: {_cut(text)}" + (f" ({told})" if told else ""), span))
    if len(held) > EXPRESSIONS.value:
        notes.append(Note(f"{len(held) - EXPRESSIONS.value} more expressions held; {EXPRESSIONS}"))
    return replace(finding, notes=(*finding.notes, *notes), data={**finding.data, "explain": rows})


def _telling(values: dict[str, str]) -> dict[str, str]:
    """The values without those of which a part is told: of ``c`` and ``c.name`` the latter."""
    return {
        name: value
        for name, value in values.items()
        if not any(other.startswith((f"{name}.", f"{name}[")) for other in values)
    }


def _cut(text: str) -> str:
    return text if len(text) <= LENGTH.value else f"{text[: LENGTH.value - 1]}…"
