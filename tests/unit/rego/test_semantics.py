"""What rules mean: small modules and the value of ``data.t.p``, each row one behaviour of the language."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho import rego
from sekisho.rego.values import UNDEFINED, Set

INPUT = {
    "a": 1,
    "f": False,
    "n": None,
    "s": "text",
    "xs": [1, 2, 3],
    "o": {"k": "v", "b": False, "n": {"m": [10, 20]}},
    "people": [{"name": "ann", "age": 30}, {"name": "bob", "age": 20}, {"name": "cid"}],
    "empty": [],
}
DATA = {"base": {"x": 1, "deep": {"y": [1, {"z": 2}]}}, "nums": {"2": "two"}}


def value(module: str, dialect: rego.Dialect = rego.Dialect.V1) -> Any:
    program = rego.compile({"t.rego": f"package t\n\n{module}"}, dialect=dialect)
    rows = program.query("x = data.t.p").eval(INPUT, DATA)
    found = rows[0]["bindings"]["x"] if rows else UNDEFINED
    return sorted(found, key=repr) if type(found) is Set else found


CASES: list[tuple[str, str, Any]] = [
    # undefined, false, truth
    ("missing key is undefined", "p := input.nope", UNDEFINED),
    ("a step into a scalar is undefined", "p := input.a.b", UNDEFINED),
    ("a step into null is undefined", "p := input.n.x", UNDEFINED),
    ("an index past the end is undefined", "p := input.xs[3]", UNDEFINED),
    ("a negative index is undefined", "p := input.xs[-1]", UNDEFINED),
    ("a string has no elements", "p := input.s[0]", UNDEFINED),
    ("true is no index", "p if input.xs[true]", UNDEFINED),
    ("false fails a body", "p if input.f", UNDEFINED),
    ("null holds", "p if input.n == null", True),
    ("zero holds", "p if 0", True),
    ("an empty string holds", 'p if ""', True),
    ("not false", "p if not input.f", True),
    ("not undefined", "p if not input.nope", True),
    ("not is over the outermost call only", "p if not count(input.nope) == 1", UNDEFINED),
    (
        "with the keyword imported, not is over all",
        "import future.keywords.not\n\np if not count(input.nope) == 1",
        True,
    ),
    ("one is not true", "p if input.a == true", UNDEFINED),
    ("zero is not false", "p := input.o.b == 0", False),
    ("numbers are equal by value", "p if 1.0 == 1", True),
    ("equality looks into arrays", "p := [1, true] == [1, input.a]", False),
    # unification
    ("arrays unify both ways", "p := [x, y] if [x, 2] = [1, y]", [1, 2]),
    ("a pattern takes an array apart", "p := b if [a, [b, _]] := [1, [2, 3]]", 2),
    ("a pattern of another length fails", "p if [a, b] := input.xs", UNDEFINED),
    ("objects unify by key", 'p := x if {"k": x, "b": _, "n": _} = input.o', "v"),
    ("an object pattern must name every key", 'p := x if {"k": x} = input.o', UNDEFINED),
    ("a variable bound later in one equation", "p := [x, y] if [x, y] = [y, 1]", [1, 1]),
    ("a variable is compared where it is bound", "p if { x := 1; x = 2 }", UNDEFINED),
    ("a reference may bind what it is compared with", "p if { some i; i = input.xs[i] }", UNDEFINED),
    # iteration
    ("a wildcard runs through values", "p contains x if x := input.xs[_]", [1, 2, 3]),
    ("a variable runs through keys", "p contains k if input.o[k]", ["k", "n"]),
    ("indices count from zero", "p contains i if input.xs[i] == 3", [2]),
    ("two wildcards are two loops", "p := count([1 | input.xs[_]; input.xs[_]])", 9),
    ("one variable in two places joins", "p contains i if input.xs[i] == input.people[i].age / 10", [1]),
    ("sets have their elements as keys", 's := {"a", "b"}\n\np contains x if s[x]', ["a", "b"]),
    ("membership by reference", 's := {"a", "b"}\n\np := s.a', "a"),
    ("a pattern in a reference", "s := {[1, 2], [3, 4]}\n\np contains y if s[[x, y]]", [2, 4]),
    ("some in", "p contains x if some x in input.xs", [1, 2, 3]),
    ("some key, value in", "p contains [k, v] if some k, v in input.xs", [[0, 1], [1, 2], [2, 3]]),
    ("some with a pattern", 'p contains n if some {"name": n, "age": _} in input.people', ["ann", "bob"]),
    ("some with a known value", "p if some 2 in input.xs", True),
    ("some in nothing", "p if some x in input.nope", UNDEFINED),
    ("membership", "p if 2 in input.xs", True),
    ("membership with a key", "p if 0, 1 in input.xs", True),
    ("every", "p if every x in input.xs { x > 0 }", True),
    ("every with a counter-example", "p if every x in input.xs { x > 1 }", UNDEFINED),
    ("every of nothing", "p if every x in input.empty { x > 1 }", True),
    ("every of a scalar is undefined", "p if every x in input.a { x > 1 }", UNDEFINED),
    ("every with a key", "p if every i, x in input.xs { x == i + 1 }", True),
    ("every body may loop", "p if every x in input.xs { some y in input.xs; y == x }", True),
    # comprehensions
    ("array order is that of the source", "p := [y | some x in [3, 1, 2]; y := x * 2]", [6, 2, 4]),
    ("objects are run through in key order", 'p := [k | some k, _ in {"b": 1, "a": 2}]', ["a", "b"]),
    ("sets are run through in order, once each", "p := [x | some x in {3, 1, 2, 1}]", [1, 2, 3]),
    (
        "sets of objects are run through once each",
        's := {{"a": x} | x := [1, 1, 2][_]}\n\np := [x.a | x := s[_]]',
        [1, 2],
    ),
    ("an undefined body gives nothing", "p := [x | x := input.nope[_]]", []),
    ("object comprehension", "p := {k: v | some v, k in input.xs}", {1: 0, 2: 1, 3: 2}),
    (
        "closures see outer variables",
        "p := [[y | y := x + input.xs[_]] | x := [10, 20][_]]",
        [[11, 12, 13], [21, 22, 23]],
    ),
    ("a set knows equal numbers", "p := count({1, 1.0, 2})", 2),
    ("a set tells true from one", "p := count({1, true})", 2),
    # rules
    ("several definitions may agree", "p := 1 if input.a\n\np := 1 if input.s", 1),
    ("a default holds when nothing else does", "default p := 7\n\np := 1 if input.nope", 7),
    ("a default may be false", "default p := false\n\np if input.nope", False),
    ("else is tried in order", "p := 1 if input.nope\nelse := 2 if input.f\nelse := 3", 3),
    ("else is not tried after a solution", "p := 1 if input.a\nelse := 2", 1),
    ("else with several definitions", "p := 1 if input.nope\nelse := 2\n\np := 2 if input.a", 2),
    ("partial object", 'p[k] := v if some k, v in {"a": 1, "b": 2}', {"a": 1, "b": 2}),
    (
        "deep reference head",
        'p.a[x].b := y if some x, y in {"q": 1, "r": 2}',
        {"a": {"q": {"b": 1}, "r": {"b": 2}}},
    ),
    ("rules below a partial object", 'p[x] := 1 if x := "a"\n\np.b := 2', {"a": 1, "b": 2}),
    ("sets at the leaves of a head", 'p[x] contains y if some x, y in {"a": 1}', {"a": Set({1})}),
    (
        "rules at numbers",
        'p[1] := "a"\n\np[2] := "b" if input.nope\n\np[3] contains "c" if input.nope',
        {1: "a", 3: Set(set())},
    ),
    ("null values are values", "q := null\n\np if q == null", True),
    # functions
    ("patterns as parameters", 'f([x, 1], {"k": y}) := x + y\n\np := f([1, 1], {"k": 2})', 3),
    ("constants choose a definition", 'f("a") := 1\n\nf("b") := 2\n\np := [f("a"), f("b")]', [1, 2]),
    (
        "what one definition learns of a parameter does not hold in the next",
        "f([a, b], 1) := a + b\n\nf(x, 2) := y if { [y, _] := x }\n\np := f(input.a, 2)",
        UNDEFINED,
    ),
    (
        "what a negation learns does not hold after it",
        "p := y if { x := input.a; not count([z | [z, _] = x]) == 1; [y, _] := x }",
        UNDEFINED,
    ),
    ("no definition fits", 'f("a") := 1\n\np := f("c")', UNDEFINED),
    ("a function may be false", "f(x) := x > 1\n\np if not f(1)", True),
    ("default function", "default f(_) := 0\n\nf(x) := 1 if x > 1\n\np := [f(1), f(2)]", [0, 1]),
    ("a result may be taken apart", "f(x) := [x, x + 1]\n\np := y if [_, y] := f(1)", 2),
    ("a call may be indexed", "f(x) := [x, x + 1]\n\np := f(1)[1]", 2),
    ("a result operand", "p := x if count([1, 2], x)", 2),
    # with
    ("with input", 'q := input.a\n\np := x if x := q with input as {"a": 5}', 5),
    ("with part of input", "q := [input.a, input.s]\n\np := x if x := q with input.a as 5", [5, "text"]),
    ("with ends with its expression", "q := input.a\n\np := [x, q] if x := q with input.a as 5", [5, 1]),
    ("with data", "p := x if x := data.base.x with data.base.x as 9", 9),
    ("with a rule", "q := 1\n\nr := q\n\np := x if x := r with data.t.q as 2", 2),
    ("with a built-in as a value", "p := x if x := count([1, 2]) with count as 7", 7),
    ("with a built-in as a function", "f(_) := 8\n\nq := count([1])\n\np := x if x := q with count as f", 8),
    (
        "a replacement may call the original",
        "f(x) := count(x) + 1\n\np := x if x := count([1]) with count as f",
        2,
    ),
    ("with a function", "f(_) := 1\n\ng(_) := 2\n\nq := f(0)\n\np := x if x := q with f as g", 2),
    ("with what is undefined", "p if input.a with input.a as input.nope", UNDEFINED),
    ("not and with", "p if not input.a with input.a as false", True),
    # documents
    ("base data", "p := data.base.deep.y[1].z", 2),
    ("a number finds the key that spells it", "p := data.nums[2]", "two"),
    (
        "a package is the object of its rules",
        "q := 1\n\nr contains 2\n\nf(x) := x\n\np := count(data.u)",
        UNDEFINED,
    ),
    ("keys of base data", "p contains k if data.base[k]", ["deep", "x"]),
    # template strings
    ("template string", 'p := $"a={input.a} s={input.s} o={input.nope}"', "a=1 s=text o=<undefined>"),
    ("template string of collections", 'p := $"{[1, "x"]} {{1}}"', '[1, "x"] {1}'),
]


@pytest.mark.parametrize(("module", "want"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_value(module: str, want: Any) -> None:
    found = value(module)
    assert found == want
    assert type(found) is type(want)


CONFLICTS = [
    ("p := 1\n\np := 2", "complete rules must not produce multiple outputs"),
    ("p := x if some x in input.xs", "complete rules must not produce multiple outputs"),
    (
        "f(_) := x if some x in input.xs\n\np := f(1)",
        "functions must not produce multiple outputs for same inputs",
    ),
    ('p[k] := v if { k := "a"; some v in input.xs }', "object keys must be unique"),
    ('p := {"a": x | some x in input.xs}', "object keys must be unique"),
    ('p[x] := 1 if x := "a"\n\np.a.b := 2', "object keys must be unique"),
    (
        "q := 1 if input.nope\nelse := 2\n\nq := 3 if input.a\n\np := q",
        "complete rules must not produce multiple outputs",
    ),
]


@pytest.mark.parametrize(("module", "message"), CONFLICTS)
def test_conflict(module: str, message: str) -> None:
    from sekisho.diag import DiagnosticError

    with pytest.raises(DiagnosticError) as caught:
        value(module)
    found = caught.value.diagnostics[0]
    assert (found.code.alias, found.message) == ("eval_conflict_error", message)
    assert found.at is not None


V0 = [
    ("p { input.a == 1 }", True),
    ("p[x] { x := input.xs[_] }", [1, 2, 3]),
    ("p = x { x := input.a }", 1),
    ('p[k] = v { v := {"a": 1}[k] }', {"a": 1}),
    ("p { input.nope } { input.a }", True),
    ("f(x) { x == 1 }\n\np { f(1) }", True),
    ("p { any([false, true]) }", True),
]


@pytest.mark.parametrize(("module", "want"), V0)
def test_v0(module: str, want: Any) -> None:
    assert value(module, rego.Dialect.V0) == want
