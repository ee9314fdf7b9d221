"""What rules may read."""

from __future__ import annotations

import pytest

from sekisho.rego import builtins
from sekisho.rego.check.reads import Reads, reads

from .helpers import checked


def read(*sources: str, path: tuple[str, ...] = ("t", "p")) -> Reads:
    return reads(checked(*sources), builtins.load())[path]


INPUT = {
    "a path": ("p if { input.a.b == 1 }", {("a", "b")}),
    "an iteration": ("p if { input.a[_].b == 1 }", {("a", None, "b")}),
    "a variable": ("p if { x := input.a; x.b == 1; x.c }", {("a", "b"), ("a", "c")}),
    "a whole variable": ("p if { x := input.a; count(x) == 1 }", {("a",)}),
    "some": ("p if { some x in input.a; x.b }", {("a", None, "b")}),
    "every": ("p if { every x in input.a { x.b } }", {("a", None, "b")}),
    "a comparison of a bound variable": ("p if { x := 1; x == input.a }", {("a",)}),
    "another rule": ("p if q\nq if input.a", {("a",)}),
    "an argument": ("p if f(input.a)\nf(x) if x.b == 1", {("a", "b")}),
    "an argument handed on": ("p if f(input.a)\nf(x) if g(x.b)\ng(x) if x.c == 1", {("a", "b", "c")}),
    "a whole argument": ("p if f(input.a)\nf(x) := count(x)", {("a",)}),
    "a comprehension": ("p := [x.b | x := input.a[_]]", {("a", None, "b")}),
    "input": ("p := input", {()}),
    "a value of with": ("p if { q with input as input.a }\nq := 1", {("a",)}),
    "the shortest path": ("p if { input.a; input.a.b == 1 }", {("a",)}),
    "a step": ("p if { input.a[input.b] }", {("a", None), ("b",)}),
}


@pytest.mark.parametrize("name", INPUT)
def test_input(name: str) -> None:
    source, expected = INPUT[name]
    assert read(source).input == expected


def test_a_library_reads_just_the_operation() -> None:
    found = read(
        "import data.lib.is_update\np if { not is_update(input.review); input.review.object.x == 1 }",
        'package lib\nis_update(review) if review.operation == "UPDATE"',
    )
    assert found.reads_input("review", "operation")
    assert found.reads_input("review", "object")
    assert not found.reads_input("review", "userInfo")
    assert found.rules == {("lib", "is_update")}


def test_base_data() -> None:
    found = read('p if { x := data.inventory.cluster["v1"].Namespace[n]; x.metadata.name == n }')
    assert found.data == {("inventory", "cluster", "v1", "Namespace", None, "metadata", "name")}
    assert found.reads_data("inventory", "cluster", "v1", "Namespace", "new")
    assert not found.reads_data("inventory", "cluster", "v1", "Namespace", "new", "spec")
    assert not found.reads_data("inventory", "namespace")


def test_rules_are_no_base_data() -> None:
    found = read("p if { q[_] == 1 }\nq contains 1")
    assert found.data == frozenset()
    assert found.rules == {("t", "q")}


def test_built_ins_whose_answers_change() -> None:
    assert read("p if { q > 1 }\nq := time.now_ns()").builtins == {"time.now_ns"}
    mocked = read("p if { abs(1) == 1 with abs as f }\nf(x) := time.now_ns()")
    assert mocked.builtins == {"time.now_ns"}
