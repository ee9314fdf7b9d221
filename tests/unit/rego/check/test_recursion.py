"""Recursion, and the order of dependencies."""

from __future__ import annotations

import pytest

from .helpers import checked, errors

ERRORS = {
    "itself": ("p if { p }", ["2:1 REG400 rule data.t.p is recursive: data.t.p -> data.t.p"]),
    "two rules": (
        "p if { q }\nq if { p }",
        [
            "2:1 REG400 rule data.t.p is recursive: data.t.p -> data.t.q -> data.t.p",
            "3:1 REG400 rule data.t.q is recursive: data.t.q -> data.t.p -> data.t.q",
        ],
    ),
    "a function": ("f(x) := f(x)", ["2:1 REG400 rule data.t.f is recursive: data.t.f -> data.t.f"]),
    "a variable step": (
        "p if { data.t[x]; x == 1 }",
        ["2:1 REG400 rule data.t.p is recursive: data.t.p -> data.t.p"],
    ),
    "the package": ("p := data.t", ["2:1 REG400 rule data.t.p is recursive: data.t.p -> data.t.p"]),
    "everything": ("p := data", ["2:1 REG400 rule data.t.p is recursive: data.t.p -> data.t.p"]),
    "the value of a head": (
        "p[x] := p[x] if { x := 1 }",
        ["2:1 REG400 rule data.t.p[x] is recursive: data.t.p[x] -> data.t.p[x]"],
    ),
    "a function put in by with": (
        "f(x) := y if { y := count(x) with count as f }",
        ["2:1 REG400 rule data.t.f is recursive: data.t.f -> data.t.f"],
    ),
    "inside a comprehension": (
        "p := [1 | p]",
        ["2:1 REG400 rule data.t.p is recursive: data.t.p -> data.t.p"],
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_recursion(name: str) -> None:
    source, expected = ERRORS[name]
    assert errors(source) == expected


def test_a_variable_step_that_cannot_reach() -> None:
    assert errors("p if { data.u[x]; x == input.y }", "package u\nq := 1") == []


def test_dependencies_come_first() -> None:
    program = checked("p if { q; f(1) }\nq := data.u.r\nf(x) := q", "package u\nr := 1")
    order = [node.path for node in program.order]
    assert (
        order.index(("u", "r")) < order.index(("t", "q")) < order.index(("t", "f")) < order.index(("t", "p"))
    )


def test_a_long_chain_needs_no_stack() -> None:
    rules = [f"p{i} := p{i + 1}" for i in range(3_000)]
    assert errors("\n".join([*rules, "p3000 := 1"])) == []
