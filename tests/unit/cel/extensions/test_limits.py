"""Functions that could make much of little are stopped before they do."""

from __future__ import annotations

import pytest
from tests.unit.cel.recording import environment

from sekisho.cel import Bounds, compile
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.types import DYN
from sekisho.diag import DiagnosticError, Limit
from sekisho.lang.meter import Limits

SMALL = Limits(
    seconds=5.0,
    text=Limit("a built string", 100_000, "characters", "for this test"),
    items=Limit("what an evaluation builds", 100_000, "items", "for this test"),
    steps=Limit("evaluation", 3_000_000, "steps", "for this test"),
)
VALUES = {
    "long": "a" * 90_000,
    "many": list(range(60_000)),
    "doubles": [float(n) for n in range(5_000)],
    "words": [f"w{n}" for n in range(60_000)],
}
VARIABLES = dict.fromkeys(VALUES, DYN)


@pytest.mark.parametrize(
    "expression",
    [
        "long.replace('', 'bb')",
        "long.replace('a', 'bb')",
        "long.replace('a', 'bb', 80000)",
        "long.split('').size() + long.split('a').size()",
        "words.join(',')",
        "words.join(long)",
        "strings.quote(long)",
        "'%.1000000000f'.format([1.5])",
        "'%.999999999e'.format([1.5])",
        "'%s%s'.format([long, long])",
        "lists.range(1000000)",
        "[many, many].flatten().size() + [many].flatten().size()",
        "doubles.distinct()",
        "sets.contains(doubles, doubles)",
        "sets.equivalent(many, many)",
        "many.sort().size() + many.sort().size()",
        "long.findAll('a').size() + long.findAll('a').size()",
    ],
)
def test_kubernetes_functions_are_bounded(expression: str) -> None:
    program = compile(expression, kubernetes_environment(variables=VARIABLES))
    with pytest.raises(DiagnosticError) as caught:
        program.eval(VALUES, bounds=Bounds(limits=SMALL))
    assert caught.value.diagnostics[0].code.id in ("CEL161", "CEL162")


@pytest.mark.parametrize(
    "expression",
    [
        "regex.replace(long, 'a', 'bb')",
        "regex.replace(long, 'a', r'\\0\\0')",
        "regex.extractAll(long, 'a').size() + regex.extractAll(long, 'a').size()",
        "json.encode([long, long])",
    ],
)
def test_extensions_are_bounded(expression: str) -> None:
    program = compile(expression, environment("extensions", "").with_variables(VARIABLES))
    with pytest.raises(DiagnosticError) as caught:
        program.eval(VALUES, bounds=Bounds(limits=SMALL))
    assert caught.value.diagnostics[0].code.id in ("CEL161", "CEL162")


@pytest.mark.parametrize("expression", ["'%s'.format([deep])", "[deep].flatten(99999)"])
def test_deep_values_do_not_overflow_the_stack(expression: str) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    program = compile(expression, kubernetes_environment(variables={"deep": DYN}))
    try:
        program.eval({"deep": deep})
    except DiagnosticError as error:
        assert error.diagnostics[0].code.id in ("CEL150", "CEL162")  # noqa: PT017 - a value is right, too
