"""Indented JSON, tables and errors as opa's verbs write them."""

from __future__ import annotations

import pytest

from sekisho.cli.rego.text import Fields, dumps, error_fields, ordered, table
from sekisho.diag import Diagnostic, Source, Span
from sekisho.rego import codes
from sekisho.rego.values import Number, Set, Value, key


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (Number("1.10"), "1.10"),
        (123456789012345678901234567890, "123456789012345678901234567890"),
        ("<é>", '"\\u003cé\\u003e"'),
        ([], "[]"),
        ({}, "{}"),
        (Set(set()), "[]"),
        (Set.of([2, 1]), "[\n  1,\n  2\n]"),
        ({"b": [], "a": {"c": 1}}, '{\n  "a": {\n    "c": 1\n  },\n  "b": []\n}'),
        ({key([1]): 1, key(2): 2}, '{\n  "2": 2,\n  "[1]": 1\n}'),
        (Fields(b=1, a=2), '{\n  "b": 1,\n  "a": 2\n}'),
    ],
)
def test_dumps(value: Value, text: str) -> None:
    assert dumps(value) == text


def test_ordered_sorts_fields_at_every_depth() -> None:
    assert dumps(ordered(Fields(b=[Fields(d=1, c=2)], a=0))) == dumps({"a": 0, "b": [{"c": 2, "d": 1}]})


def test_table() -> None:
    assert table(("x", "long name"), [("1", "2"), ("日本", "é")]) == (
        "┌──────┬───────────┐\n"
        "│  x   │ long name │\n"
        "├──────┼───────────┤\n"
        "│ 1    │ 2         │\n"
        "│ 日本 │ é         │\n"
        "└──────┴───────────┘\n"
    )


def test_table_whose_header_has_several_lines() -> None:
    assert table(("[x |\nx]", "y"), [("[1]", "2")]).split("\n")[1:3] == ["│ [x | │ y │", "│  x]  │   │"]


def test_error_without_a_place() -> None:
    found = Diagnostic(code=codes.TOO_MANY, message="error limit reached")
    assert error_fields(found) == {"message": "error limit reached", "code": "rego_compile_error"}


def test_error_of_a_query_has_no_file() -> None:
    found = Diagnostic(code=codes.UNSAFE_VAR, message="var x is unsafe", at=Span(Source("query", "x"), 0, 1))
    assert error_fields(found)["location"] == {"file": "", "row": 1, "col": 1}


def test_error_of_the_parser_has_its_line() -> None:
    source = Source("p.rego", "package p\nx := )\n")
    found = Diagnostic(code=codes.PARSE, message="unexpected )", at=Span(source, 15, 16))
    assert error_fields(found) == {
        "message": "unexpected )",
        "code": "rego_parse_error",
        "location": {"file": "p.rego", "row": 2, "col": 6},
        "details": {"line": "x := )", "idx": 5},
    }


def test_error_with_further_lines() -> None:
    data = {"message": "match error", "details": ["left  : number", "right : string"]}
    found = Diagnostic(code=codes.MATCH, message="match error\n\tleft …", data=data)
    assert error_fields(found) == {
        "message": "match error",
        "code": "rego_type_error",
        "details": ["left  : number", "right : string"],
    }
