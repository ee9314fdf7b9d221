from __future__ import annotations

import pytest
from tests.unit.rego.parser.show import query, rules


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("x; y", "x; y"),
        ("x\ny", "x; y"),
        ("x;\ny", "x; y"),
        ("not x", "not x"),
        ("not f(x) == 1", "not (equal (f x) 1)"),
        ("some x", "some x"),
        ("some x, y", "some x y"),
        ("some x in xs", "some x in xs"),
        ("some k, v in xs", "some k, v in xs"),
        ("some [x, 1], {y: z} in xs", "some [x 1], {y: z} in xs"),
        ("every x in xs { x > 1; y }", "every x in xs {(gt x 1); y}"),
        ("every k, v in xs { v }", "every k, v in xs {v}"),
        ("x with input as 1", "x with input as 1"),
        (
            "x with input.a as 1 with data.b as 2 with f as g",
            'x with input["a"] as 1 with data["b"] as 2 with f as g',
        ),
        ("some x in xs with input as 1", "some x in xs with input as 1"),
        ("every x in xs { x } with input as 1", "every x in xs {x} with input as 1"),
        ("not x with input as y", "not x with input as y"),
        ("if.x", 'if["x"]'),
        ("not.x == 1", '(equal not["x"] 1)'),
        ("not not.x", 'not not["x"]'),
        ("x\nwith.y", 'x; with["y"]'),
        ("x\nin.y", 'x; in["y"]'),
        ("1 { 2", None),
    ],
)
def test_queries(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(Exception, match="unexpected"):
            query(text)
    else:
        assert query(text) == expected


def test_v0_reads_soft_keywords_as_names() -> None:
    assert query("in; if; every; contains(x, y)", "v0") == "in; if; every; (contains x y)"


def test_query_takes_keywords_that_are_imported_around_it() -> None:
    assert query("some x in xs", "v0", keywords=("in",)) == "some x in xs"


def test_negated_bodies_need_their_import() -> None:
    assert query("not {x; y} with input as 1", keywords=("not",)) == "not {x; y} with input as 1"
    assert query("not f(x) with input as 1", keywords=("not",)) == "not {(f x)} with input as 1"
    assert query("not {x}") == "not <x>"


def test_import_of_not_changes_negation() -> None:
    assert rules("import future.keywords.not\np if not {x; y}") == ["p {not {x; y}}"]


def test_import_of_all_keywords_does_not_change_negation() -> None:
    assert rules("import future.keywords\np if not {x}") == ["p {not <x>}"]
