"""Every library function gives what Kubernetes gives: value or error, type and cost (see ``recording``)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.cel.recording import AUTHORIZER, VALUES, environment, plain, rows

from sekisho.cel import Environment, Program, compile
from sekisho.diag import Diagnostic, DiagnosticError

ROWS = rows()
ACTIVATION = {**VALUES, **AUTHORIZER}
_REFUSED = re.compile(r"ERROR: <input>:\d+:(\d+): (.*)")


def _id(row: dict[str, Any]) -> str:
    return f"{row['environment'][0]}{row.get('version', '')} {row['expression']}"


def _environment(row: dict[str, Any]) -> Environment:
    return environment(row["environment"], row.get("version", ""))


def _program(row: dict[str, Any]) -> Program:
    return compile(row["expression"], _environment(row))


def _fault(ask: Callable[[], object]) -> Diagnostic:
    with pytest.raises(DiagnosticError) as caught:
        ask()
    return caught.value.diagnostics[0]


@pytest.mark.parametrize("row", [row for row in ROWS if "value" in row], ids=_id)
def test_values_types_and_costs(row: dict[str, Any]) -> None:
    program = _program(row)
    explained = program.explain(ACTIVATION)
    assert explained.error is None
    assert plain(explained.value) == row["value"]
    assert str(program.type) == row["type"]
    assert explained.cost == row["cost"]


@pytest.mark.parametrize("row", [row for row in ROWS if "value" in row], ids=_id)
def test_compiled_code_gives_the_same(row: dict[str, Any]) -> None:
    outcome = _program(row).run(ACTIVATION)
    assert plain(outcome.value) == row["value"]
    assert outcome.cost == row["cost"]


@pytest.mark.parametrize("row", [row for row in ROWS if "error" in row], ids=_id)
def test_errors_of_evaluation(row: dict[str, Any]) -> None:
    program = _program(row)
    assert _fault(lambda: program.eval(ACTIVATION)).message == row["error"]


@pytest.mark.parametrize("row", [row for row in ROWS if {"compile", "plan"} & row.keys()], ids=_id)
def test_errors_before_evaluation(row: dict[str, Any]) -> None:
    fault = _fault(lambda: _program(row))
    if "plan" in row:  # Kubernetes says it when it makes the program, and gives no place
        assert fault.message == row["plan"]
        return
    found = _REFUSED.match(row["compile"])
    assert found is not None
    assert fault.message == found[2]
    assert fault.at.start == int(found[1]) - 1


def test_every_function_is_recorded() -> None:
    """In three expressions at least: a good one, a bad one, one at the edge."""
    seen: Counter[str] = Counter()
    for row in ROWS:
        for name in set(re.findall(r"[A-Za-z][\w.]*(?=\()", row["expression"])):
            seen.update({name, name.rpartition(".")[2]})
    standard = set(Environment().functions)
    for kind in ("kubernetes", "extensions", "patches"):
        for name in set(environment(kind, "").functions) - standard:
            if "@" in name or "[" in name:
                continue  # what macros and operators become
            assert seen[name] >= (2 if name.startswith("format.") else 3), name
