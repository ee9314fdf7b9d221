from __future__ import annotations

import pytest
from tests.unit.rego.parser.show import module, rules

from sekisho.rego.nodes import RuleKind

COMPLETE, SET, OBJECT, FUNCTION = RuleKind.COMPLETE, RuleKind.SET, RuleKind.OBJECT, RuleKind.FUNCTION


@pytest.mark.parametrize(
    ("text", "shown", "kind"),
    [
        ("p := 1", "p := 1", COMPLETE),
        ("p = 1", "p = 1", COMPLETE),
        ("p if x", "p {x}", COMPLETE),
        ("p := 1 if { x; y }", "p := 1 {x; y}", COMPLETE),
        ("a.b.c := 1", 'a["b"]["c"] := 1', COMPLETE),
        ("a.b if x", 'a["b"] {x}', COMPLETE),
        ('a["b-c"] := 1', 'a["b-c"] := 1', COMPLETE),
        ("p[1] := 2", "p[1] := 2", COMPLETE),
        ("p[x] := y if z", "p[x] := y {z}", OBJECT),
        ("p[x] if z", "p[x] {z}", OBJECT),
        ("p[input.x] := 1", 'p[input["x"]] := 1', OBJECT),
        ("p[[x]] := 1 if x", "p[[x]] := 1 {x}", OBJECT),
        ("a.b[x].c := 1 if x", 'a["b"][x]["c"] := 1 {x}', OBJECT),
        ("p contains x if y", "p contains x {y}", SET),
        ("p contains 1", "p contains 1", SET),
        ("a.b contains x if y", 'a["b"] contains x {y}', SET),
        ("a[x] contains y if z", "a[x] contains y {z}", SET),
        ("f(x) := x + 1", "f(x) := (plus x 1)", FUNCTION),
        ("f(x, [y]) if y", "f(x [y]) {y}", FUNCTION),
        ("a.f(x) := x", 'a["f"](x) := x', FUNCTION),
        ("f() := 1", "f := 1", COMPLETE),
        ("p if {x | y}", "p {<x | y>}", COMPLETE),
        ("p if {x}", "p {x}", COMPLETE),
        ('p if {"a": 1}', 'p {{"a": 1}}', COMPLETE),
        ("p if {x, y} == z", "p {(equal <x y> z)}", COMPLETE),
        ("p if every x in xs { x }", "p {every x in xs {x}}", COMPLETE),
        ("if.x := 1", 'if["x"] := 1', COMPLETE),
        ("default p := 1", "default p := 1", COMPLETE),
        ("default f(_, x) := 1", "default f($0 x) := 1", FUNCTION),
        ("default p := [x | y]", "default p := [x | y]", COMPLETE),
        ("default default.x := 1", 'default default["x"] := 1', COMPLETE),
    ],
)
def test_v1(text: str, shown: str, kind: RuleKind) -> None:
    (rule,) = module(f"package p\n{text}").rules
    assert rules(text) == [shown]
    assert rule.head.kind is kind


@pytest.mark.parametrize(
    ("text", "shown", "kind"),
    [
        ("p { x }", "p {x}", COMPLETE),
        ("p = x { y }", "p = x {y}", COMPLETE),
        ("p := x { y }", "p := x {y}", COMPLETE),
        ("p[x] { y }", "p contains x {y}", SET),
        ("p[x]", "p contains x", SET),
        ("p.q { y }", 'p contains "q" {y}', SET),
        ("p.q", 'p contains "q"', SET),
        ("p [x] { y }", "p contains x {y}", SET),
        ("p[x] = y { z }", "p[x] = y {z}", OBJECT),
        ("p.q = y { z }", 'p["q"] = y {z}', COMPLETE),
        ("p.q.r { y }", 'p["q"]["r"] {y}', COMPLETE),
        ("p.q.r", 'p["q"]["r"]', COMPLETE),
        ("p.q[x] { y }", 'p["q"][x] {y}', OBJECT),
        ("f(x) { y }", "f(x) {y}", FUNCTION),
        ("f(x) = y { z }", "f(x) = y {z}", FUNCTION),
        ("f(x) = x", "f(x) = x", FUNCTION),
        ("f(x)", "f(x)", FUNCTION),
        ("if { x }", "if {x}", COMPLETE),
        ("contains[x] { x }", "contains contains x {x}", SET),
    ],
)
def test_v0(text: str, shown: str, kind: RuleKind) -> None:
    (rule,) = module(f"package p\n{text}", "v0").rules
    assert rules(text, "v0") == [shown]
    assert rule.head.kind is kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import future.keywords.if\np if x", ["p {x}"]),
        ("import future.keywords.if\np[x] if x", ["p[x] {x}"]),
        ("import future.keywords.contains\np contains x { x }", ["p contains x {x}"]),
        ("import future.keywords.every\np { every x in xs { x } }", ["p {every x in xs {x}}"]),
        ("import future.keywords\np contains x if x in y", ["p contains x {(internal.member_2 x y)}"]),
        ("import rego.v1\np contains x if x in y", ["p contains x {(internal.member_2 x y)}"]),
    ],
)
def test_v0_with_imports(text: str, expected: list[str]) -> None:
    assert rules(text, "v0") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p := 1 if x else := 2 if y else := 3", "p := 1 {x} else p := 2 {y} else p := 3"),
        ("p if { x } else if { y }", "p {x} else p {y}"),
        ("p if x else = 2", "p {x} else p = 2"),
        ("f(_) if x else := 2", "f($0) {x} else f($1) := 2"),
        ("p if x\nelse.y := 1", None),
    ],
)
def test_else(text: str, expected: str | None) -> None:
    if expected is None:
        assert rules(text) == ["p {x}", 'else["y"] := 1']
    else:
        assert rules(text) == [expected]


def test_chained_bodies_are_rules() -> None:
    assert rules("f(_) = 1 { x } { y }", "v0") == ["f($0) = 1 {x}", "f($1) = 1 {y}"]


def test_chained_body_stands_where_its_braces_do() -> None:
    text = "package p\np { x } { y }"
    _, second = module(text, "v0").rules
    assert text[second.start : second.end] == "{ y }"


def test_rules_in_order_with_spans() -> None:
    text = "package p\n\np := 1\nq if { x }\n\nelse := 2\ndefault r := 3"
    found = module(text).rules
    assert [text[rule.start : rule.end] for rule in found] == [
        "p := 1",
        "q if { x }\n\nelse := 2",
        "default r := 3",
    ]


def test_head_of_object_has_no_key() -> None:
    (rule,) = module("package p\np[x] := y if z").rules
    assert rule.head.key is None
