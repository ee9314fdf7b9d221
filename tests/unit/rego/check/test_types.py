"""Types: what is inferred, and what cannot be. Texts are OPA's."""

from __future__ import annotations

import pytest

from sekisho.rego.check.typecheck.ops import contains, either, order_key, type_text
from sekisho.rego.check.typecheck.unify import unifies
from sekisho.rego.dialect import Dialect
from sekisho.rego.types import (
    ANY,
    BOOLEAN,
    NUMBER,
    STRING,
    UNKNOWN,
    Array,
    Function,
    Object,
    SetOf,
    Type,
    Union,
)

from .helpers import checked, errors

INFERRED = {
    "constants": ('p := [1, "a", null, true]', "array<number, string, null, boolean>"),
    "an object": ('p := {"a": 1, "b": {"c": []}}', "object<a: number, b: object<c: array[any]>>"),
    "an object with a key that varies": ("p := {input.x: 1}", "object[any: number]"),
    "a set": ('p := {1, "a"}', "set[any<number, string>]"),
    "an empty set": ("p := set()", "set[any]"),
    "an empty object": ("p := {}", "object[any: any]"),
    "input": ("p := input.x.y", "any"),
    "a call": ('p := count("a")', "number"),
    "an array comprehension": ("p := [x | x := 1]", "array[number]"),
    "a set comprehension": ('p := {x | some x in ["a"]}', "set[string]"),
    "an object comprehension": ('p := {k: v | some k, v in ["a"]}', "object[number: string]"),
    "a partial set": ('p contains x if { x := [1, "a"][_] }', "set[any<number, string>]"),
    "a partial object": ("p[k] := v if { some k, v in [true] }", "object[number: boolean]"),
    "a deep partial object": (
        'p[k].x[j] := 1 if { k := "a"; j := 2 }',
        "object[string: object[string: object[number: number]]]",
    ),
    "rules of one name": ('p := 1 if input.x\np := "a" if not input.x', "any<number, string>"),
    "else": ('p := 1 if { input.x } else := "a"', "any<number, string>"),
    "a default": ("default p := 1\np if input.x", "any<boolean, number>"),
    "a function": ('p(x) := y if { startswith(x, "a"); y := count(x) }', "(string) => number"),
    "a function of a pattern": ("p([x, 1]) := x", "(array<any, number>) => any"),
    "a reference to another rule": ('p := q.a\nq := {"a": {1}}', "set[number]"),
    "a reference with a variable step": ('p := q[_]\nq := {"a": 1, "b": true}', "any<boolean, number>"),
    "a package": (
        "p := data.t.q\nq.r := 1\nq.s := true",
        "object<r: number, s: boolean>[string: any]",
    ),
    "patterns": ('p := [y, z] if { [x, y] := ["a", 1]; z := x }', "array<number, string>"),
    "with": ("p := x if { x := q with input as 1 }\nq := 1", "number"),
}


@pytest.mark.parametrize("name", INFERRED)
def test_inferred_type(name: str) -> None:
    source, expected = INFERRED[name]
    node = checked(source).tree.find(("t", "p"))
    assert node is not None
    assert type_text(node.type) == expected


ERRORS = {
    "a match": (
        'p if { 1 = "a" }',
        ["2:8 REG300 match error\n\tleft  : number\n\tright : string"],
    ),
    "a comparison": (
        'p if { count(input.x) == "a" }',
        ["2:8 REG300 match error\n\tleft  : number\n\tright : string"],
    ),
    "arrays of different lengths": (
        "p if { [1] = [1, 2] }",
        ["2:8 REG300 match error\n\tleft  : array<number>\n\tright : array<number, number>"],
    ),
    "a property that is not there": (
        'q := {"a": 1}\np if { q.b }',
        [
            (
                "3:8 REG301 undefined ref: data.t.q.b\n\tdata.t.q.b\n\t         ^\n\t"
                '         have: "b"\n\t         want (one of): ["a"]'
            ),
        ],
    ),
    "a step into a number": (
        "q := 1\np if { q.b }",
        ["3:8 REG301 undefined ref: data.t.q.b\n\tdata.t.q.b\n\t^^^^^^^^\n\thave: number"],
    ),
    "a variable of another type": (
        'q := [1]\np if { x := "a"; q[x] }',
        [
            (
                "3:18 REG301 undefined ref: data.t.q[x]\n\tdata.t.q[x]\n\t         ^\n\t"
                "         have (type): string\n\t         want (type): number"
            ),
        ],
    ),
    "an operand": (
        "p := count(1)",
        [
            (
                "2:6 REG302 count: invalid argument(s)\n\thave: (number, ???)\n\t"
                "want: (collection: any<string, array[any], object[any: any], set[any]>, n: number)"
            ),
        ],
    ),
    "an operand of an operator": (
        'p := 1 + "a"',
        [
            "2:6 REG302 plus: invalid argument(s)\n\thave: (number, string, ???)\n\twant: (x: number, y: number, z: number)"
        ],
    ),
    "an argument of a function": (
        'f(x) := y if { y := x + 1 }\np := f("a")',
        ["3:6 REG302 data.t.f: invalid argument(s)\n\thave: (string, ???)\n\twant: (number, number)"],
    ),
    "a function that is not called": (
        "f(x) := x\np := f",
        [
            "3:6 REG303 function data.t.f used as reference, not called\n\tdata.t.f\n\t^^^^^^^^\n\thave: (any) => any"
        ],
    ),
    "with a function of another arity": (
        "f(x, y) := 1\np if { count([]) == 1 with count as f }",
        [
            (
                "3:23 REG302 count: arity mismatch\n\thave: (any, any)\n\t"
                "want: (collection: any<string, array[any], object[any: any], set[any]>)"
            ),
        ],
    ),
    "inside a comprehension": (
        'p := [x | x := 1; x == "a"]',
        ["2:19 REG300 match error\n\tleft  : number\n\tright : string"],
    ),
    "some over a number": (
        "p if { some x in 1; x }",
        ["2:18 REG301 undefined ref: 1[_]\n\t1[_]\n\t^\n\thave: number"],
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_type_error(name: str) -> None:
    source, expected = ERRORS[name]
    assert errors(source) == ["".join(expected)]


ACCEPTED = {
    "anything compared": "p if { input.x == 1; input.x == true }",
    "the body of every is not inferred": 'p if { every x in [1] { x == "a" } }',
    "an error is not told twice": "q := count(input.x)\np if { q == 1 }",
    "base data beside rules": "q.a := 1\np if { data.t.zzz; data.u.v }",
    "a union": 'q := 1 if input.x\nq := "a" if not input.x\np if { q == 1; q == "a" }',
    "an object with more than the known properties": 'q := object.union({"a": 1}, input.x)\np if { q.b }',
    "a set member": 'q := {"a"}\np if { q.a; q["b"] }',
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    assert errors(ACCEPTED[name]) == []


def test_a_rule_with_an_error_may_be_anything() -> None:
    found = errors('q := count(1)\np if { q == "a" }')
    assert len(found) == 1


def test_v0_has_the_same_types() -> None:
    assert errors('p { 1 == "a" }', dialect=Dialect.V0) == [
        "2:5 REG300 match error\n\tleft  : number\n\tright : string"
    ]


def test_the_first_line_and_the_details_are_data() -> None:
    from sekisho.diag import DiagnosticError

    with pytest.raises(DiagnosticError) as raised:
        checked('p if { 1 = "a" }')
    data = raised.value.diagnostics[0].data
    assert data == {"message": "match error", "details": ["left  : number", "right : string"]}


TEXTS: list[tuple[Type | None, str]] = [
    (None, "???"),
    (UNKNOWN, "???"),
    (Union((STRING, NUMBER)), "any<number, string>"),
    (Array((NUMBER,), ANY), "array<number>[any]"),
    (Object((("a", NUMBER),), (STRING, ANY)), "object<a: number>[string: any]"),
    (Object((("b", NUMBER), ("a", STRING))), "object<a: string, b: number>"),
    (SetOf(Union((BOOLEAN, NUMBER))), "set[any<boolean, number>]"),
    (Function((STRING, NUMBER), None), "(string, number) => ???"),
]


@pytest.mark.parametrize(("type", "text"), TEXTS)
def test_text(type: Type | None, text: str) -> None:
    assert type_text(type) == text


def test_either() -> None:
    assert either(None, NUMBER) is NUMBER
    assert either(NUMBER, NUMBER) is NUMBER
    assert either(ANY, NUMBER) is ANY
    assert (
        type_text(either(Union((STRING, NUMBER)), Union((BOOLEAN, STRING)))) == "any<boolean, number, string>"
    )


def test_order_is_total_and_equal_keys_mean_equal_types() -> None:
    types: list[Type] = [ANY, BOOLEAN, NUMBER, STRING, SetOf(ANY), Array((), ANY), Object((), (ANY, ANY))]
    keys = [order_key(one) for one in types]
    assert len(set(keys)) == len(keys)
    assert sorted(keys) == sorted(keys)


def test_unifies() -> None:
    assert unifies(ANY, NUMBER)
    assert not unifies(UNKNOWN, NUMBER)
    assert unifies(Union((STRING, NUMBER)), NUMBER)
    assert not unifies(Array((NUMBER,)), Array((NUMBER, NUMBER)))
    assert unifies(Object((("a", NUMBER),)), Object((), (STRING, NUMBER)))
    assert not unifies(Object((("a", NUMBER),)), Object((("b", NUMBER),)))
    assert contains(Union((STRING, NUMBER)), NUMBER)


@pytest.mark.parametrize(
    "rule",
    [
        'r(v) if { x := {"k": v}[_]; [x] == [x] }',
        'r(v) if { some x in {"k": v}; [x] == [x] }',
        "r(v) if { some x in [v]; [x] == [x] }",
    ],
)
def test_what_is_not_known_may_be_equal(rule: str) -> None:
    checked(f"package t\n\n{rule}\n")
