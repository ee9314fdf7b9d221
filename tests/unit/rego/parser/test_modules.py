from __future__ import annotations

import re

import pytest
from tests.unit.rego.parser.show import faults, module, rules, show

from sekisho.rego.dialect import Dialect


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("package a", ("a",)),
        ("package a.b.c", ("a", "b", "c")),
        ('package a["b-c"].d', ("a", "b-c", "d")),
        ("package if.in.not", ("if", "in", "not")),
        ("# first\n\npackage a # last", ("a",)),
    ],
)
def test_package(text: str, path: tuple[str, ...]) -> None:
    assert module(text).package.path == path


@pytest.mark.parametrize(
    ("text", "path", "alias"),
    [
        ("import data.a.b", 'data["a"]["b"]', None),
        ("import data.a as b", 'data["a"]', "b"),
        ("import input", "input", None),
        ("import data", "data", None),
        ("import input.x.if as y", 'input["x"]["if"]', "y"),
        ('import data["a-b"] as c', 'data["a-b"]', "c"),
        ("import rego.v1", 'rego["v1"]', None),
        ("import future.keywords", 'future["keywords"]', None),
    ],
)
def test_import(text: str, path: str, alias: str | None) -> None:
    (found,) = module(f"package p\n{text}").imports
    assert (show(found.path), found.alias) == (path, alias)


def test_keywords_of_a_module() -> None:
    assert module("package p").keywords == {"in", "every", "if", "contains"}
    assert module("package p", "v0").keywords == frozenset()
    assert module("package p\nimport future.keywords.every", "v0").keywords == {"every", "in"}


def test_keywords_begin_at_their_import() -> None:
    text = "if { x }\nimport future.keywords.if\np if x"
    assert rules(text, "v0") == ["if {x}", "p {x}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1 REG102 empty module"]),
        ("# only this", ["1:1 REG102 empty module"]),
        ("p := 1", ["1:1 REG103 package expected"]),
        ("package p\npackage q", ["2:1 REG103 unexpected package"]),
        ("package", ["1:8 REG100 unexpected eof token"]),
        ("package 1", ["1:9 REG100 unexpected number token"]),
        ("package a[1]", ["1:11 REG103 unexpected number token: expecting string"]),
        ("package a.b(c)", ["1:15 REG100 unexpected eof token"]),
        (
            "package p\nimport foo",
            [
                "2:8 REG104 unexpected import path, must begin with one of: {data, future, input, rego}, got: foo"
            ],
        ),
        ("package p\nimport data[x]", ["2:13 REG104 unexpected var token: expecting string"]),
        (
            "package p\nimport data.if",
            ["2:13 REG104 unexpected import path, must not end with a keyword, got: if"],
        ),
        ("package p\nimport data.x as 1", ["2:18 REG104 unexpected number token: expected var"]),
        ("package p\nimport future", ["2:8 REG104 invalid import, must be `future.keywords`"]),
        ("package p\nimport future.keywords as x", ["2:8 REG104 `future` imports cannot be aliased"]),
        (
            "package p\nimport future.keywords.and",
            ["2:8 REG104 unexpected keyword, must be one of [contains every if in not]"],
        ),
        ("package p\nimport rego.v2", ["2:8 REG104 invalid import `rego.v2`, must be `rego.v1`"]),
        ("package p\nimport", ["2:7 REG100 unexpected eof token"]),
    ],
)
def test_faults(text: str, expected: list[str]) -> None:
    assert faults(text) == expected


def test_rego_import_cannot_be_renamed_in_v0() -> None:
    assert faults("package p\nimport rego.v1 as x", "v0") == ["2:8 REG104 `rego` imports cannot be aliased"]
    assert faults("package p\nimport rego.v1 as x") == []


def test_comments_are_kept() -> None:
    text = "# one\r\npackage p # two\n#\nq := `#no`"
    found = module(text).comments
    assert [comment.text for comment in found] == [" one", " two", ""]
    assert [text[comment.start] for comment in found] == ["#"] * 3


def test_module_knows_its_source_and_dialect() -> None:
    found = module("package p", "v0")
    assert found.source.name == "p.rego"
    assert found.dialect is Dialect.V0
    assert found.span(found.package).begins == (1, 1)


def test_wildcards_are_unique_in_a_module() -> None:
    found = re.findall(r"\$\d+", " ".join(rules("p := [_ | _]\nq := _\nf(_) := _")))
    assert len(found) == len(set(found)) == 5
