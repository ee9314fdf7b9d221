"""Safety: the order of bodies, and what is unsafe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sekisho.diag import DiagnosticError, Source
from sekisho.rego import builtins
from sekisho.rego.check import check
from sekisho.rego.check.pipeline import arity_of
from sekisho.rego.dialect import Dialect
from sekisho.rego.parser import parse_module

from .contract import Reader
from .helpers import body_text, checked, errors

CONFORMANCE = Path(__file__).parents[5] / "shared" / "conformance" / "rego"

ORDERS = {
    "a comparison waits": ("p if { x > 1; x = input.y }", ["x = input.y", "x > 1"]),
    "negation waits": ("p if { not x; x = input.y }", ["x = input.y", "not x"]),
    "an operand waits": ("p if { count(x) == 1; x = input.y }", ["x = input.y", "count(x) == 1"]),
    "with waits": (
        "p if { q with input as x; x = input.y }\nq := 1",
        ["x = input.y", "data.t.q with input as x"],
    ),
    "a comprehension waits for what it shares": (
        "p if { y := [1 | x]; x = input.z; y }",
        ["x = input.z", "y~1 := [1 | x]", "y~1"],
    ),
    "every waits for what it shares": (
        "p if { every y in [1] { y < x }; x = input.z }",
        ["x = input.z", "every y~1 in [1] { y~1 < x }"],
    ),
    "references bind": ("p if { input.x[i] == i }", ["~1 = input.x[i]", "~1 == i"]),
    "a binding reference in an operand is taken out": (
        "p if { startswith(input.x[_], input.y) }",
        ["~1 = input.x[_]", "startswith(~1, input.y)"],
    ),
    "a binding reference in a comparison is a side of an equation": (
        "p if { input.x[_] == 1 }",
        ["input.x[_] == 1"],
    ),
    "a binding reference in a step is taken out": (
        "p if { input.x[input.y[_]] }",
        ["~1 = input.y[_]", "input.x[~1]"],
    ),
    "patterns bind": (
        'p if { [x, {"a": y}] = input.z; x < y }',
        ['[x, {"a": y}] = input.z', "x < y"],
    ),
    "a relation binds its extra operand": (
        "p if { walk(input, [path, value]); path == value }",
        ["walk(input, [path, value])", "path == value"],
    ),
    "calls are taken out where the whole cannot be ordered": (
        "p if { [count(y), y] = [1, input.z] }",
        ["[~1, y] = [1, input.z]", "~1 = count(y)"],
    ),
    "negation looks its operands up before": (
        'p if { not startswith(input.x, "a") }',
        ["~1 = input.x", 'not startswith(~1, "a")'],
    ),
    "negation of a comparison keeps its sides": ("p if { not input.x == 1 }", ["not input.x == 1"]),
    "negation calls before": (
        "p if { not count(input.x) == 1 }",
        ["~1 = count(input.x)", "not ~1 == 1"],
    ),
    "negation looks values of with up before": (
        "p if { not input.x with input.x as input.y }",
        ["~1 = input.y", "not input.x with input.x as ~1"],
    ),
    "the value of a head binds": ("p := input.x[i] if { i > 1 }", ["~1 = input.x[i]", "i > 1"]),
}


@pytest.mark.parametrize("name", ORDERS)
def test_order(name: str) -> None:
    source, expected = ORDERS[name]
    assert body_text(checked(source), "t", "p") == expected


def test_a_comparison_of_bound_sides_stays_one() -> None:
    assert body_text(checked("p if { x := 1; x == input.y }"), "t", "p") == ["x~1 := 1", "x~1 == input.y"]


def test_not_with_a_body_does_not_look_up_before() -> None:
    source = 'package t\nimport future.keywords.not\np if { not startswith(input.x, "a") }'
    assert body_text(checked(source), "t", "p") == ['not { startswith(input.x, "a") }']


UNSAFE = {
    "an operand": ("p if { x > 1 }", ["2:8 REG203 var x is unsafe"]),
    "negation": ("p if { not input.x[y] }", ["2:8 REG203 var y is unsafe"]),
    "a wildcard under not": ("p if { not f(input.x[_]) }\nf(x) := x", ["2:8 REG203 var _ is unsafe"]),
    "a head": ("p contains x if { input.y }", ["2:12 REG203 var x is unsafe"]),
    "the value of a head": ("p := x if { true }", ["2:6 REG203 var x is unsafe"]),
    "the step of a head": ("p[x] := 1 if { input.y }", ["2:3 REG203 var x is unsafe"]),
    "the term of a comprehension": ("p := [x | true]", ["2:6 REG203 var x is unsafe"]),
    "the body of a comprehension": ("p := [1 | x > 1]", ["2:11 REG203 var x is unsafe"]),
    "the body of every": ("p if { every y in [1] { y < x } }", ["2:25 REG203 var x is unsafe"]),
    "a value of with": ("p if { input with input as x }", ["2:8 REG203 var x is unsafe"]),
    "the domain of some": (
        "p if { some x in y; x }",
        ["2:8 REG203 var x is unsafe", "2:8 REG203 var y is unsafe"],
    ),
    "a call that needs what it gives": ("p if { x = count(x) }", ["2:8 REG203 var x is unsafe"]),
    "an object key is no pattern": ("p if { {x: 1} = input.y }", ["2:8 REG203 var x is unsafe"]),
    "an assignment does not bind backwards": (
        "p if { x := y; x = 1 }",
        ["2:8 REG203 var y is unsafe"],
    ),
    "a keyword that is not imported": (
        "package t\np { every(x) }",
        ["2:5 REG202 undefined function every"],
    ),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe(name: str) -> None:
    source, expected = UNSAFE[name]
    dialect = Dialect.V0 if "package t\np {" in source else Dialect.V1
    assert errors(source, dialect=dialect) == expected


def test_a_future_keyword_has_a_hint() -> None:
    assert errors("p { in }", dialect=Dialect.V0) == [
        "2:5 REG203 var in is unsafe (hint: `import future.keywords.in` to import a future keyword)"
    ]


def test_help_for_not() -> None:
    with pytest.raises(DiagnosticError) as raised:
        checked("p if { not input.x[y] }")
    assert "in a positive expression" in raised.value.diagnostics[0].help


def modules() -> list[tuple[str, Dialect, list[str]]]:
    """The modules of OPA's conformance cases, where they are."""
    found = []
    for dialect in Dialect:
        for file in sorted((CONFORMANCE / dialect.value).glob("*.json")):
            for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
                found.append((case["note"], dialect, case.get("modules") or []))
    return found


def test_bodies_keep_the_contract() -> None:
    """Whatever is accepted can be evaluated from the first expression to the last."""
    known = modules()
    if not known:
        pytest.skip("no conformance cases here")
    for _, dialect, sources in known[::4]:
        try:
            parsed = [parse_module(Source(f"m{i}", text), dialect=dialect) for i, text in enumerate(sources)]
            program = check(parsed)
        except DiagnosticError:
            continue
        reader = Reader(arity_of(program.tree, builtins.load()))
        for node in program.tree.below():
            for rule in node.rules:
                for branch in rule.chain():
                    reader.rule(branch)


@pytest.mark.parametrize("name", ORDERS)
def test_ordered_bodies_keep_the_contract(name: str) -> None:
    program = checked(ORDERS[name][0])
    reader = Reader(arity_of(program.tree, builtins.load()))
    for node in program.tree.below():
        for rule in node.rules:
            reader.rule(rule)


def test_parsed_trees_are_left_alone() -> None:
    text = "package t\np := [x | x = input[_]; not f(x.y)]\nf(x) if { every y in x { y > 1 } }"
    module = parse_module(Source("m", text), dialect=Dialect.V1)
    before = repr(module.rules)
    check([module])
    assert repr(module.rules) == before
