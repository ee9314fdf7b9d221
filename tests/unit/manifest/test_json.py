from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import DiagnosticError, Source
from sekisho.manifest import load, parse


def values(text: str, name: str = "x.json") -> list[Any]:
    return [document.value for document in load(Source(name, text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', [{"a": 1}]),
        ('\n\t {"a": 1}\n', [{"a": 1}]),
        ('[{"a": 1}]', [[{"a": 1}]]),
        ('{"a": 1}\n{"b": 2}{"c": 3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a": 1} null {"b": 2}', [{"a": 1}, {"b": 2}]),
        ("", []),
        ('{"a": "\\ud83d\\ude00\\/\\u0022"}', [{"a": '😀/"'}]),
        ('{"a": 1.0, "b": 1e3, "c": 18446744073709551615}', [{"a": 1.0, "b": 1000.0, "c": 2**64 - 1}]),
        ('{"a": 123456789012345678901234}', [{"a": 1.2345678901234568e23}]),
        ('{"a":1,"b":[true,false,null],"c":{}}', [{"a": 1, "b": [True, False, None], "c": {}}]),
    ],
)
def test_json(text: str, expected: list[Any]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{a: 1}", {"a": 1}),
        ('{"a": 1, }', {"a": 1}),
        ("{'a': 1}\n---\n", {"a": 1}),
        ('{"a": 1} # a comment\n', {"a": 1}),
        ("[a, b]: 1\n", None),
    ],
)
def test_what_begins_like_json_may_be_yaml(text: str, expected: Any) -> None:
    if expected is None:
        with pytest.raises(DiagnosticError):
            values(text, "x.yaml")
    else:
        assert values(text, "x.yaml") == [expected]


def test_json_in_a_yaml_file_is_json() -> None:
    (value,) = values('{"a": "\\ud83d\\ude00"}', "x.yaml")
    assert value == {"a": "😀"}


ERRORS = [
    ('{"a": 1,}', (1, 9), "a key in double quotes"),
    ("{a: 1}", (1, 2), "a is no JSON value"),
    ("{'a': 1}", (1, 2), "double quotes only"),
    ('{"a" 1}', (1, 6), "a colon"),
    ('{"a": }', (1, 7), "a value"),
    ('{"a": 1 "b": 2}', (1, 9), "a comma or }"),
    ("[1\n2]", (2, 1), "a comma or ]"),
    ("[1, ]", (1, 5), "a value"),
    ('{"a": [1, 2}', (1, 12), "a comma or ]"),
    ('{"a": "b\n"}', (1, 7), "does not end on its line"),
    ('{"a": "\\q"}', (1, 8), "a backslash"),
    ('{"a": 01}', (1, 7), "01 is no JSON value"),
    ('{"a": 1.}', (1, 7), "1. is no JSON value"),
    ('{"a": NaN}', (1, 7), "NaN is no JSON value"),
    ('{"a": -Infinity}', (1, 7), "-Infinity is no JSON value"),
    ('{"a": tru}', (1, 7), "tru is no JSON value"),
    ('{\n// c\n"a": 1}', (2, 1), "no comments"),
    ('{"a": 1', (1, 8), "a bracket is still open"),
    ('{"a": "\\ud800"}', (1, 1), "surrogate pair"),
    ('{"\\udc00": 1}', (1, 2), "surrogate pair"),
    ('{"a": 1}\n{"b": }', (2, 7), "a value"),
    ('{"a": 1} }', (1, 10), "a value"),
    ('{"a": 1e999}', (1, 7), "too large"),
]


@pytest.mark.parametrize(("text", "place", "words"), ERRORS, ids=[repr(row[0]) for row in ERRORS])
def test_broken_json(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        load(Source("x.json", text))
    (problem,) = error.value.diagnostics
    assert problem.at is not None
    assert (problem.code.id, tuple(problem.at.begins)) == ("SRC001", place)
    assert words in problem.message


def test_broken_json_on_standard_input_is_told_as_json() -> None:
    with pytest.raises(DiagnosticError) as error:
        load(Source("<stdin>", '{"a": 1\n"b": 2}'))
    assert "a comma or }" in error.value.diagnostics[0].message


@pytest.mark.parametrize("text", ["[" * 10_000, "[" * 300 + "]" * 300, '{"a":' * 2_000 + "1" + "}" * 2_000])
@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_deep_nesting_is_refused(text: str, name: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        load(Source(name, text))
    assert error.value.diagnostics[0].code.id == "SRC005"


def test_nesting_up_to_the_limit_is_read() -> None:
    assert len(values("[" * 200 + "]" * 200)) == 1


@pytest.mark.parametrize(
    ("text", "expected", "places"),
    [
        ('{"a": 1, "a": 2}', {"a": 2}, [((1, 10), (1, 2))]),
        ('{"x": [{"a": 1,\n"a": 2}], "b": "\\u0022"}', {"x": [{"a": 2}], "b": '"'}, [((2, 1), (1, 9))]),
        ('{"a": 1, "\\u0061": 2}', {"a": 2}, [((1, 10), (1, 2))]),
    ],
)
def test_duplicate_keys(text: str, expected: Any, places: list[Any]) -> None:
    read = parse(Source("x.json", text))
    assert [document.value for document in read.documents] == [expected]
    assert [(p.code.id, tuple(p.at.begins), tuple(p.notes[0].at.begins)) for p in read.problems] == [
        ("SRC007", *pair) for pair in places
    ]


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ('{"a": {"b": [1, "x"]}}', ("a", "b", 1), (1, 17)),
        ('{\n  "a": {\n    "b": 1\n  }\n}', ("a", "b"), (3, 10)),
        ('{"a": 1}\n\n{"b": {"c": 2}}', ("b", "c"), (3, 13)),
        ('{"a\\nb": 1}', ("a\nb",), (1, 10)),
    ],
)
def test_positions(text: str, path: Any, place: tuple[int, int]) -> None:
    document = load(Source("x.json", text))[-1]
    assert document.locate(path).begins == place


def test_lists_are_taken_apart() -> None:
    text = '{"kind": "List", "items": [{"kind": "Pod"},\n {"kind": "Job"}]}'
    found = load(Source("x.json", text))
    assert [document.value["kind"] for document in found] == ["Pod", "Job"]
    assert found[1].locate(("kind",)).begins == (2, 11)
