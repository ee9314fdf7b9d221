"""Which expressions hold on the way to a result, with which values."""

from __future__ import annotations

import pytest

from sekisho.rego import compile
from sekisho.rego.held import SHOWN, short
from sekisho.rego.values import Set, Value


def held(text: str, rule: str, input: Value) -> list[tuple[Value, list[tuple[str, dict[str, str]]]]]:
    program = compile({"a.rego": f"package a\n{text}"})
    return [
        (
            value,
            [(each.span.source.text[each.span.start : each.span.end], dict(each.values)) for each in found],
        )
        for value, found in program.explain_held(f"data.a.{rule}", input)
    ]


@pytest.mark.parametrize(
    ("text", "input", "wanted"),
    [
        ("p if input.x > 1", {"x": 2}, [("input.x > 1", {"input.x": "2"})]),
        ("p if input.x > 1", {"x": 0}, None),
        ("p if not input.y", {}, [("not input.y", {})]),
        ("p if { y := input.x; y }", {"x": 5}, [("y := input.x", {"y": "5", "input.x": "5"}), ("y", {"y": "5"})]),
        ("p if f(input.x)\nf(n) if n == 9\nf(n) if n == 2", {"x": 2}, [
            ("n == 2", {"n": "2"}), ("f(input.x)", {"input.x": "2"})
        ]),
        ("p if q == 1\ndefault q := 1\nq := 2 if { input.x; input.y }", {"x": 1}, [("q == 1", {"q": "1"})]),
        ("p if not q\nq if { input.x; input.y }", {"x": 1}, [("not q", {})]),
        ("p := 1 if { input.x == 1; input.y } else := 2 if input.x == 1", {"x": 1}, [
            ("input.x == 1", {"input.x": "1"})
        ]),
        ("p if { some i; input[i] > 1 }", [0, 5], [("input[i] > 1", {"i": "1", "input[i]": "5"})]),
        ("p if count(input.x) == 1", {"x": [1]}, [
            ("count(input.x) == 1", {"count(input.x)": "1", "input.x": "[1]"})
        ]),
        ("p if q with input as 7\nq if input > 1", 0, [("input > 1", {}), ("q with input as 7", {"q": "true"})]),
        ("p if { every x in input { x > 0 } }", [1], [("every x in input { x > 0 }", {})]),
        ("p if { x := [y | y := input[_]]; x }", [1], [
            ("x := [y | y := input[_]]", {"x": "[1]"}), ("x", {"x": "[1]"})
        ]),
    ],
)  # fmt: skip
def test_what_held(text: str, input: Value, wanted: list[tuple[str, dict[str, str]]] | None) -> None:
    found = held(text, "p", input)
    assert [rows for _, rows in found] == ([] if wanted is None else [wanted])


def test_each_element_has_its_own() -> None:
    text = "p contains x if { some x in input; x != 2 }"
    found = {value: rows[-1] for value, rows in held(text, "p", [1, 2, 3])}
    assert found == {1: ("x != 2", {"x": "1"}), 3: ("x != 2", {"x": "3"})}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ({"b": [True, 1], "a": {}}, '{"a": {}, "b": [true, 1]}'),
        (Set(set()), "set()"),
        (Set({2, 1}), "{1, 2}"),
        ([], "[]"),
    ],
)
def test_short(value: Value, text: str) -> None:
    assert short(value) == text


def test_short_is_short() -> None:
    value: Value = ["x" * 1000]
    for _ in range(60):
        value = [value, value]
    assert len(short(value)) == SHOWN
