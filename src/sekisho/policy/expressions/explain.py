"""What the parts of a failing validation were: the notes of ``check --explain``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sekisho import cel
from sekisho.cel.trail import Step
from sekisho.diag import Diagnostic, Limit, Note
from sekisho.policy.expressions import names
from sekisho.policy.expressions.compiled import Compiled, Program
from sekisho.policy.expressions.evaluate import BUDGET, CALL, Scope
from sekisho.policy.expressions.inputs import Inputs

EXPRESSIONS: Final = Limit("an explanation", 40, "expressions", "more than a screenful helps nobody")
LENGTH: Final = Limit("an expression or value in an explanation", 100, "characters", "it is on one line")


def explained(
    finding: Diagnostic, compiled: Compiled, index: int, inputs: Inputs, *, values: bool
) -> Diagnostic:
    """The finding with a note for each part of validation ``index``, and of the variables that it read.

    The same is in ``data["explain"]``. Without ``values`` only the expressions are told.
    """
    rows: list[dict[str, object]] = []
    notes: list[Note] = []
    left = 0
    for step in _steps(compiled, index, inputs):
        if len(rows) >= EXPRESSIONS.value:
            left += 1
            continue
        text = _cut(" ".join(step.span.source.text[step.span.start : step.span.end].split()))
        value = _shown(step) if values else ""
        place = step.span.outermost()
        row = {"file": place.source.name, "line": place.begins.line, "expression": text}
        rows.append({**row, "values": {text: value} if values else {}})
        notes.append(Note(f"was: {text}" + (f" = {value}" if values else ""), step.span))
    if left:
        notes.append(Note(f"{left} more expressions; {EXPRESSIONS}"))
    return replace(finding, notes=(*finding.notes, *notes), data={**finding.data, "explain": rows})


def _steps(compiled: Compiled, index: int, inputs: Inputs) -> Iterator[Step]:
    activation = inputs.activation(authorizer=True)
    Scope(compiled, activation, BUDGET.value, inputs)  # gives the activation its variables
    bounds = cel.Bounds(cost=CALL.value, deadline=inputs.deadline)
    todo: list[Program] = [compiled.validations[index]]
    seen: set[str] = set()
    while todo:
        found = todo.pop(0).program.explain(activation, bounds=bounds)
        yield from found.steps
        for read in found.reads:
            name = str(read.path[0]) if read.variable == names.VARIABLES and read.path else ""
            variable = compiled.variables.get(name)
            if variable is not None and name not in seen and not variable.expression.implied:
                seen.add(name)
                todo.append(variable)


def _shown(step: Step) -> str:
    from sekisho.cel.show import literal

    return literal(step.value, LENGTH.value)


def _cut(text: str) -> str:
    return text if len(text) <= LENGTH.value else f"{text[: LENGTH.value - 1]}…"
