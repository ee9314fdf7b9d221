"""What evaluations reach."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from sekisho.diag import Source
from sekisho.rego import Capabilities, Dialect, compile, parse_module
from sekisho.rego.cover import MARK, Recorder, coverage
from sekisho.rego.values import Value


def rows(text: str, rule: str, input: Value) -> tuple[set[int], set[int]]:
    """The lines that evaluating a rule covers, and those it does not."""
    recorder = Recorder()
    module = parse_module(Source("a.rego", f"package a\n{text}"), dialect=Dialect.V1)
    capabilities = Capabilities(functions=MappingProxyType({MARK: recorder.row()}))
    compile({"a.rego": module}, capabilities=capabilities).rule(f"data.a.{rule}")(input)
    found = coverage({"a.rego": module}, recorder)["a.rego"]
    return found.covered_rows, found.missed_rows


@pytest.mark.parametrize(
    ("text", "input", "covered", "missed"),
    [
        ("p if {\n input.x\n input.y\n}", {"x": True}, {3, 4}, {2}),
        ("p if {\n input.x\n input.y\n}", {"x": True, "y": True}, {2, 3, 4}, set()),
        ("p := 1\nq := 2", None, {2}, {3}),
        ("default p := 1\np := 2 if {\n input.x\n}", {}, {2, 4}, {3}),
        ("default p := 1\np := 2 if {\n input.x\n}", {"x": 1}, {3, 4}, {2}),
        ("p := 1 if {\n input.x\n} else := 2 if {\n input.y\n}", {"y": 1}, {3, 4, 5}, {2}),
        ("p if {\n every x in [1] {\n  x == 2\n }\n true\n}", None, {3, 4, 5}, {2, 6}),
        ("p := [x |\n some x in []\n x == 1\n]", None, {2, 3, 4, 5}, set()),
        ("p if f(1)\nf(x) if {\n x == 2\n}", None, {2, 4}, {3, 2}),
        ("p contains x if {\n some y\n x := input[y]\n}", [1], {2, 4}, set()),
        ("p if not q\nq if {\n input.x\n}", {}, {2, 4}, {3}),
        ("p if {\n x == 1\n x = 2\n}", None, {3, 4}, {2}),
    ],
)
def test_rows(text: str, input: Value, covered: set[int], missed: set[int]) -> None:
    assert rows(text, "p", input) == (covered, missed)


def test_coverage_changes_no_result() -> None:
    text = "package a\np contains [x, y] if {\n some x in [1, 2]\n y := x * 2\n not x == y\n}\n"
    capabilities = Capabilities(functions=MappingProxyType({MARK: Recorder().row()}))
    plain = compile({"a": text}).rule("data.a.p")(None)
    assert compile({"a": text}, capabilities=capabilities).rule("data.a.p")(None) == plain
