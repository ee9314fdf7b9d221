"""The language gives what Kubernetes 1.37 gives (cel-go 0.29): value or error, type and cost, recorded from it.

A row has an expression, variables (with types, if not dyn), and the answer: ``compile`` with what cel-go
displays, ``error``, or ``value`` and ``cost``. Values are written as the recorder wrote them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sekisho.cel as cel
from sekisho.cel.problems import display_all
from sekisho.cel.standard import MESSAGES, OPTIONALS, TWO_VARIABLES
from sekisho.cel.standard.conversions import double_to_text
from sekisho.cel.types import DYN, INT, STRING, CelType, list_of, map_of
from sekisho.cel.values import Optional, UInt, value_of_key
from sekisho.diag import DiagnosticError

ROWS = json.loads((Path(__file__).parent / "data" / "language.json").read_text(encoding="utf-8"))
LIBRARIES = (OPTIONALS, TWO_VARIABLES, MESSAGES)
TYPES: dict[str, CelType] = {
    "int": INT,
    "string": STRING,
    "list(int)": list_of(INT),
    "list(string)": list_of(STRING),
    "map": map_of(STRING, DYN),
}


def environment(row: dict[str, Any]) -> cel.Environment:
    types = row.get("types", {})
    variables = {name: TYPES.get(types.get(name, ""), DYN) for name in row.get("variables", {})}
    return cel.Environment(libraries=LIBRARIES, variables=variables, options=cel.KUBERNETES)


def shown(value: Any) -> str:
    if isinstance(value, Optional):
        return f"optional({shown(value.value)})" if value.present else "optional.none"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"bool({str(value).lower()})"
    if isinstance(value, UInt):
        return f"{int(value)}u"
    if isinstance(value, int):
        return f"int({value})"
    if isinstance(value, float):
        return f"{double_to_text(value)}d"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        entries = sorted(f"{shown(value_of_key(key))}: {shown(item)}" for key, item in value.items())
        return f"{{{', '.join(entries)}}}"
    return repr(value)


@pytest.mark.parametrize("row", [row for row in ROWS if "value" in row], ids=lambda row: row["expression"])
def test_values(row: dict[str, Any]) -> None:
    program = cel.compile(row["expression"], environment(row))
    variables = row.get("variables", {})
    explained = program.explain(variables)
    assert explained.error is None
    assert (shown(explained.value), str(program.type), explained.cost) == (
        row["value"],
        row["type"],
        row["cost"],
    )
    outcome = program.run(variables)
    assert shown(outcome.value) == row["value"]
    assert row["cost"] <= outcome.cost <= row["cost"] + 12


@pytest.mark.parametrize("row", [row for row in ROWS if "error" in row], ids=lambda row: row["expression"])
def test_errors_of_evaluation(row: dict[str, Any]) -> None:
    program = cel.compile(row["expression"], environment(row))
    with pytest.raises(DiagnosticError) as caught:
        program.eval(row.get("variables", {}))
    assert caught.value.diagnostics[0].message == row["error"]


@pytest.mark.parametrize("row", [row for row in ROWS if "compile" in row], ids=lambda row: row["expression"])
def test_errors_before_evaluation(row: dict[str, Any]) -> None:
    with pytest.raises(DiagnosticError) as caught:
        cel.compile(row["expression"], environment(row))
    assert display_all(caught.value) == row["compile"]
