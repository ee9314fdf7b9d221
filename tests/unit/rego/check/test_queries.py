"""Queries: values, bindings, and errors in their own place."""

from __future__ import annotations

import pytest

from sekisho.diag import DiagnosticError, Source
from sekisho.rego.check import CheckedQuery, check_query
from sekisho.rego.check.text import term_text
from sekisho.rego.dialect import Dialect
from sekisho.rego.nodes import Import, Module, Package, Ref, Scalar, Var
from sekisho.rego.parser import parse_query

from .helpers import checked


def query(text: str, *, package: tuple[str, ...] = (), imports: tuple[Import, ...] = ()) -> CheckedQuery:
    program = checked("p contains 1\nf(x) := x", "package u.v\nw := 1")
    source = Source("query", text)
    body = parse_query(source, dialect=Dialect.V1)
    return check_query(program, body, Module(source, Dialect.V1, Package(package), imports))


VALUES = {
    "data.t.p": (1, True),
    "x := 1": (1, False),
    "x = 1": (1, False),
    "not false": (1, False),
    "every x in [1] { x > 0 }": (1, False),
    "1 > 2": (1, True),
    "count([1])": (1, True),
    "count([1], x)": (1, False),
    "data.t.f(1)": (1, True),
}


@pytest.mark.parametrize("text", VALUES)
def test_which_expressions_show_a_value(text: str) -> None:
    count, shown = VALUES[text]
    found = query(text)
    assert len(found.expressions) == count
    assert (found.expressions[0][1] is not None) is shown


@pytest.mark.parametrize(
    ("text", "starts"),
    [("x = 1; y = 2", [0, 7]), ("x = [1, y]; y = 2", [12, 0]), ("y > 1; y = x; x = 2", [14, 7, 0])],
)
def test_expressions_are_in_the_order_of_evaluation(text: str, starts: list[int]) -> None:
    assert [expr.start for expr, _ in query(text).expressions] == starts


def test_a_single_value_may_be_false() -> None:
    assert len(query("1 > 2").body) == 1


def test_several_values_must_hold() -> None:
    found = query("true; 1 > 2")
    assert [name is not None for _, name in found.expressions] == [True, True]
    assert len(found.body) == 4


def test_values_of_iterations_must_hold() -> None:
    assert len(query("data.t.p[_]").body) == 2
    assert len(query("walk([1])").body) == 2


def test_bindings_have_their_written_names() -> None:
    found = query("x := 1; y = x; data.t.p[z]; _ = 2")
    assert sorted(found.variables.values()) == ["x", "y", "z"]


def test_the_package_of_a_query_brings_its_rules() -> None:
    assert term_text(query("w", package=("u", "v")).body[0]).endswith("= data.u.v.w")


def test_imports_of_a_query() -> None:
    path = Ref(Var("data"), (Scalar("u"), Scalar("v")))
    assert term_text(query("v.w", imports=(Import(path),)).body[0]).endswith("= data.u.v.w")


def test_values_are_taken_under_their_with() -> None:
    (first, *_) = query("data.u.v.w with input as 1").body
    assert [term_text(one.target) for one in first.withs] == ["input"]


ERRORS = {
    "x": "REG203 var x is unsafe",
    "g(1)": "REG202 undefined function g",
    "data.t.f": "REG303 function data.t.f used as reference, not called",
    "count(1)": "REG302 count: invalid argument(s)",
    "x := 1; x := 2": "REG204 var x assigned above",
}


@pytest.mark.parametrize("text", ERRORS)
def test_errors(text: str) -> None:
    with pytest.raises(DiagnosticError) as raised:
        query(text)
    found = raised.value.diagnostics[0]
    assert f"{found.code.id} {found.message}".startswith(ERRORS[text])
    assert found.at is not None
    assert found.at.source.name == "query"  # type: ignore[union-attr]
