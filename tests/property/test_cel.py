"""CEL against the CEL project's C++ runtime, and compiled code against the plain evaluator.

``SEKISHO_PROPERTY=5000`` evaluates that many expressions. Skipped where the runtime is not installed.
"""

from __future__ import annotations

import math
import os
import random
from typing import Any

import pytest
from tests.property.cel_generate import Generator, an_object

import sekisho.cel as cel
from sekisho.cel.types import DYN
from sekisho.cel.values import UInt, type_of, value_of_key
from sekisho.diag import DiagnosticError

runtime = pytest.importorskip("cel_expr_python.cel")

COUNT = int(os.environ.get("SEKISHO_PROPERTY", "800"))
CHUNKS = 8
ENVIRONMENT = cel.Environment(variables={"x": DYN}, options=cel.Options(presence_cost=False))
THEIRS = runtime.NewEnv(variables={"x": runtime.Type.DYN})
FAILED = "failed"
SKIPPED = "skipped"
TYPES = {"NULL": "null_type"}


def ours(expression: str, item: dict[str, Any]) -> Any:
    """What the expression gives here, in both ways; FAILED for an error."""
    try:
        program = cel.compile(expression, ENVIRONMENT)
    except DiagnosticError:
        return FAILED
    explained = program.explain({"x": item})
    if explained.error is not None and explained.error.message == "no such overload: int(bool)":
        return SKIPPED  # which the C++ runtime has, and cel-go has not
    if explained.error is not None:
        with pytest.raises(DiagnosticError) as caught:
            program.run({"x": item})
        assert explained.error.message == caught.value.diagnostics[0].message
        return FAILED
    outcome = program.run({"x": item})
    assert plain(outcome.value) == plain(explained.value), expression
    assert explained.cost <= outcome.cost <= explained.cost + 50, expression
    return plain(outcome.value)


def theirs(expression: str, item: dict[str, Any]) -> Any:
    if isinstance(item.get("l"), dict):
        return SKIPPED  # the order of its keys would show
    try:
        found = THEIRS.compile(expression).eval(data={"x": item})
    except Exception:  # noqa: BLE001  it raises what it likes
        return FAILED
    if found.type() == runtime.Type.ERROR:
        # A value that can be no key is in no map, says cel-go; it is an error there.
        return SKIPPED if "No matching overloads found : @in" in str(found.value()) else FAILED
    return converted(found)


def plain(value: Any) -> Any:
    """A value with its type, for comparison."""
    if isinstance(value, list | tuple):
        return ["list", *map(plain, value)]
    if isinstance(value, dict):
        return {"map": {str(value_of_key(key)): plain(item) for key, item in value.items()}}
    if isinstance(value, float) and math.isnan(value):
        return ("double", "NaN")
    return (type_of(value).name, str(value) if isinstance(value, UInt) else value)


def converted(found: Any) -> Any:
    """The same of a value of the C++ runtime."""
    value = found.value()
    if isinstance(value, list):
        return ["list", *map(converted, value)]
    if isinstance(value, dict):
        return {"map": {str(key): converted(item) for key, item in value.items()}}
    if isinstance(value, float) and math.isnan(value):
        return ("double", "NaN")
    return (TYPES.get(found.type().name(), found.type().name().lower()), value)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_as_the_runtime_of_the_cel_project(chunk: int) -> None:
    rng = random.Random(chunk)
    values = 0
    for _ in range(COUNT // CHUNKS):
        expression, item = Generator(rng).expression(), an_object(rng)
        wanted = theirs(expression, item)
        found = ours(expression, item)
        assert found == wanted or SKIPPED in (found, wanted), (expression, item)
        values += wanted is not FAILED
    assert values > COUNT // CHUNKS // 3
