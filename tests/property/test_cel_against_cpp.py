"""CEL against the CEL project's C++ runtime: generated expressions on generated objects.

Both must accept an expression or refuse it, and give the same value or an error. Skipped where the runtime is
not installed. What is left out is in ``APART``.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from typing import Any, Final

import pytest
from tests.property.cel_expressions import VARIABLES, Maker

from sekisho.cel import Environment, compile
from sekisho.cel.standard import OPTIONALS
from sekisho.cel.types import BOOL, DOUBLE, DYN, INT, STRING, UINT, list_of, map_of
from sekisho.cel.values import Duration, Timestamp, UInt
from sekisho.diag import DiagnosticError

cel = pytest.importorskip("cel_expr_python.cel", reason="cel-expr-python is not installed")

EXPRESSIONS: Final = 5_000

OURS: Final = {
    "dyn": DYN,
    "int": INT,
    "uint": UINT,
    "double": DOUBLE,
    "string": STRING,
    "bool": BOOL,
    "list(int)": list_of(INT),
    "list(string)": list_of(STRING),
    "map(string, int)": map_of(STRING, INT),
}
THEIRS: Final = {
    "dyn": cel.Type.DYN,
    "int": cel.Type.INT,
    "uint": cel.Type.UINT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "bool": cel.Type.BOOL,
    "list(int)": cel.Type.List(cel.Type.INT),
    "list(string)": cel.Type.List(cel.Type.STRING),
    "map(string, int)": cel.Type.Map(cel.Type.STRING, cel.Type.INT),
}
ENVIRONMENT: Final = Environment(
    libraries=(OPTIONALS,), variables={name: OURS[kind] for name, kind in VARIABLES.items()}
)
ORACLE: Final = cel.NewEnv(variables={name: THEIRS[kind] for name, kind in VARIABLES.items()})

APART: Final = {
    "found no matching overload": "cel-go has comparisons of numbers of two types; the checker here refuses",
    "cannot be the range of a comprehension": "cel-go finds out at run time",
}
"""Refusals of the oracle's checker where cel-go, which Kubernetes uses, accepts; each with the reason."""

Outcome = tuple[str, Any]


def plain(value: Any) -> Any:
    """A value of either engine, in one form; times to the microsecond, which the oracle's Python types hold."""
    match value:
        case None | bool() | str():
            return value
        case float():
            return "NaN" if math.isnan(value) else value
        case int():
            return int(value)
        case bytes() | bytearray():
            return bytes(value)
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case Timestamp() | Duration():
            return value.ns // 1_000
        case dt.datetime():
            epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
            return (value - epoch) // dt.timedelta(microseconds=1)
        case dt.timedelta():
            return value // dt.timedelta(microseconds=1)
        case _:
            return str(value)


def theirs(expression: str, values: dict[str, Any]) -> Outcome:
    try:
        found = ORACLE.compile(expression).eval(data=values)
    except RuntimeError as refused:
        return "refused", str(refused)
    if found.type() == cel.Type.ERROR:
        return "error", found.plain_value()
    return "value", plain(found.plain_value())


def ours(expression: str, values: dict[str, Any]) -> Outcome:
    try:
        program = compile(expression, ENVIRONMENT)
    except DiagnosticError as refused:
        return "refused", str(refused)
    try:
        return "value", plain(program.eval({**values, "u": UInt(values["u"])}))
    except DiagnosticError as error:
        return "error", str(error)


def agree(a: Outcome, b: Outcome) -> bool:
    if a[0] != b[0]:
        return False
    return a[0] != "value" or (a[1] == b[1] and type(a[1]) is type(b[1]))


def test_generated_expressions_give_what_the_oracle_gives() -> None:
    seeds = random.Random("cel")
    differences, compared, values = [], 0, 0
    for _ in range(EXPRESSIONS):
        maker = Maker(seeds.getrandbits(64))
        expression, activation = maker.any(maker.random.randrange(1, 5)), maker.activation()
        theirs_ = theirs(expression, activation)
        if theirs_[0] == "refused" and any(part in theirs_[1] for part in APART):
            continue
        ours_ = ours(expression, activation)
        compared, values = compared + 1, values + (ours_[0] == "value")
        if not agree(ours_, theirs_):
            differences.append((expression, ours_, theirs_))
    assert not differences, differences[:10]
    assert compared > 0.85 * EXPRESSIONS
    assert values > 0.5 * EXPRESSIONS
