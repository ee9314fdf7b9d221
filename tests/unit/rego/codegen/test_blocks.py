"""Control flow of generated code: loops past CPython's limit, stopping at the first solution, nesting."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho import rego
from sekisho.diag import DiagnosticError
from sekisho.rego.values import UNDEFINED, Set


def value(module: str, document: Any = None) -> Any:
    found = rego.compile({"t.rego": f"package t\n\n{module}"}).rule("data.t.p")(document or {})
    return sorted(found, key=repr) if type(found) is Set else found


def loops(count: int) -> str:
    return "; ".join(f"some a{n} in [{n}, 100]" for n in range(count))


def least(count: int) -> str:
    return "; ".join(f"a{n} == {n}" for n in range(count))


DEEP = (13, 14, 15, 16, 20, 30, 45)


@pytest.mark.parametrize("count", DEEP)
def test_deep_loops_in_a_complete_rule(count: int) -> None:
    tests = "; ".join(f"some a{n} in [{n}]" for n in range(count))
    assert value(f"p := a{count - 1} if {{ {tests} }}") == count - 1


@pytest.mark.parametrize("count", DEEP)
def test_deep_loops_that_stop_at_the_first_solution(count: int) -> None:
    tests = "; ".join(f"some a{n} in [100, {n}]; a{n} == {n}" for n in range(count))
    assert value(f"p if {{ {tests} }}") is True
    assert value(f"p if {{ {tests}; a0 == 1 }}") is UNDEFINED


@pytest.mark.parametrize("count", DEEP)
def test_deep_loops_in_collections(count: int) -> None:
    tests = "; ".join(f"some a{n} in [{n}]" for n in range(count))
    assert value(f"p contains a{count - 1} if {{ {tests}; some b in [1, 2] }}") == [count - 1]
    assert value(f"p := [b | {tests}; some b in [1, 2]]") == [1, 2]
    assert value(f"p[b] := a0 if {{ {tests}; some b in [1, 2] }}") == {1: 0, 2: 0}


@pytest.mark.parametrize("count", DEEP)
def test_deep_loops_under_not_and_every(count: int) -> None:
    tests = "; ".join(f"some a{n} in [{n}]" for n in range(count))
    assert value(f"p if {{ x := 1; not q }}\n\nq if {{ {tests}; a0 == 1 }}") is True
    body = f"every x in [1, 2] {{ {tests}; x > a0 }}"
    assert value(f"p if {{ {body} }}") is True
    assert value(f"p if {{ {body.replace('x > a0', 'x > 1')} }}") is UNDEFINED


@pytest.mark.parametrize("count", [3, 12, 14, 16, 18])
def test_deep_nesting_of_comprehensions(count: int) -> None:
    term = "1"
    for n in range(count):
        term = f"[x{n} | some x{n} in [{term}]]" if n % 2 else f"count([x{n} | some x{n} in [{term}]])"
    found = value(f"p := {term}")
    assert found == [1] or found == 1


@pytest.mark.parametrize("count", [5, 10, 16])
def test_conflicts_are_found_at_any_depth(count: int) -> None:
    tests = "; ".join(f"some a{n} in [{n}]" for n in range(count))
    with pytest.raises(DiagnosticError):
        value(f"p := b if {{ {tests}; some b in [1, 2] }}")
    with pytest.raises(DiagnosticError):
        value(f"f(_) := b if {{ {tests}; some b in [1, 2] }}\n\np := f(1)")


def test_every_inside_loops_tries_all_turns() -> None:
    module = "p contains x if { some x in input.xs; every y in input.ys { some z in input.zs; x + y == z } }"
    assert value(module, {"xs": [1, 2, 3], "ys": [1, 2], "zs": [3, 4, 5]}) == [2, 3]


def test_not_with_loops_inside_loops() -> None:
    module = "p contains x if { some x in input.xs; not has(x) }\n\nhas(x) if { some y in input.ys; some z in y; z == x }"
    assert value(module, {"xs": [1, 2, 3], "ys": [[1], [3]]}) == [2]


def test_else_after_loops() -> None:
    module = "p := x if { some x in input.xs; x > 5 } else := y if { some y in input.ys; y > 5 } else := 0"
    assert value(module, {"xs": [1], "ys": [7, 7]}) == 7
    assert value(module, {"xs": [9], "ys": [7]}) == 9
    assert value(module, {"xs": [], "ys": []}) == 0


def test_clauses_that_begin_alike_share_their_beginning() -> None:
    module = """
p contains [x, "a"] if { x := input.xs[_]; not skip(x); x > 1 }

p contains [y, "b"] if { y := input.xs[_]; not skip(y); y > 2 }

p contains ["c", z] if { z := input.xs[_]; not skip(z); some w in input.ws; w == z }

p contains q if { q := input.xs[_]; q == 100 }

skip(x) if x == 3
"""
    document = {"xs": [1, 2, 3, 4, 100], "ws": [1, 4]}
    want = [[2, "a"], [4, "a"], [100, "a"], [4, "b"], [100, "b"], ["c", 1], ["c", 4], 100]
    assert value(module, document) == sorted(want, key=repr)


def test_long_bodies_compile() -> None:
    tests = "\n\t".join(f"input.a{n} == {n}" for n in range(3_000))
    document = {f"a{n}": n for n in range(3_000)}
    assert value(f"p if {{\n\t{tests}\n}}", document) is True


def test_many_definitions_compile() -> None:
    module = "\n\n".join(f"f({n}) := {n + 1}" for n in range(1_000)) + "\n\np := f(999)"
    assert value(module) == 1_000
