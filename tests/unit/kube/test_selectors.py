"""Expected texts are those of k8s.io/apimachinery v0.36.2."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import DiagnosticError
from sekisho.kube.object import Object
from sekisho.kube.selectors import (
    EVERYTHING,
    any_wildcard,
    label_selector,
    label_selector_problems,
    parse_int64,
    wildcard_matches,
    wildcard_matches_generate_name,
)
from sekisho.kube.selectortext import parse_field_selector, parse_selector

LABELS = {"app": "web", "tier": "front", "n": "5", "empty": ""}


@pytest.mark.parametrize(
    ("raw", "text", "matches"),
    [
        (None, "", True),
        ({}, "", True),
        ({"matchLabels": None, "matchExpressions": None}, "", True),
        ({"matchLabels": {"app": "web"}}, "app=web", True),
        ({"matchLabels": {"app": "db"}}, "app=db", False),
        ({"matchLabels": {"none": ""}}, "none=", False),
        (
            {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "web", "db"]}]},
            "app in (db,web)",
            True,
        ),
        (
            {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]},
            "app notin (web)",
            False,
        ),
        (
            {"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["web"]}]},
            "none notin (web)",
            True,
        ),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "app", True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist", "values": []}]}, "!app", False),
        (
            {"matchLabels": {"tier": "front"}, "matchExpressions": [{"key": "app", "operator": "Exists"}]},
            "app,tier=front",
            True,
        ),
    ],
)
def test_label_selectors(raw: Any, text: str, matches: bool) -> None:
    selector = label_selector(raw)
    assert str(selector) == text
    assert selector.matches(LABELS) is matches


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ([], ['spec.s: Invalid value: "array": spec.s in body must be of type object: "array"']),
        ({"matchlabels": {}}, ['unknown field "spec.s.matchlabels"']),
        (
            {"matchLabels": []},
            [
                'spec.s.matchLabels: Invalid value: "array": spec.s.matchLabels in body must be of type object: "array"'
            ],
        ),
        (
            {"matchLabels": {"a": 1}},
            [
                'spec.s.matchLabels.a: Invalid value: "integer": spec.s.matchLabels.a in body must be of type string: "integer"'
            ],
        ),
        (
            {"matchLabels": {"/a": "b c"}},
            [
                'spec.s.matchLabels: Invalid value: "/a": prefix part must be non-empty',
                (
                    'spec.s.matchLabels: Invalid value: "b c": a valid label must be an empty string or consist of '
                    "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
                    "'MyValue',  or 'my_value',  or '12345', regex used for validation is "
                    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                ),
            ],
        ),
        (
            {"matchExpressions": {}},
            [
                'spec.s.matchExpressions: Invalid value: "object": spec.s.matchExpressions in body must be of type array: "object"'
            ],
        ),
        (
            {"matchExpressions": ["x"]},
            [
                'spec.s.matchExpressions[0]: Invalid value: "string": spec.s.matchExpressions[0] in body must be of type object: "string"'
            ],
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": "In"}]},
            [
                "spec.s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
            ],
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]},
            [
                "spec.s.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            ],
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": "in", "values": ["x"]}]},
            ['spec.s.matchExpressions[0].operator: Invalid value: "in": not a valid selector operator'],
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": "Exists", "value": "x"}]},
            ['unknown field "spec.s.matchExpressions[0].value"'],
        ),
        (
            {"matchExpressions": [{"key": 1, "operator": "In", "values": "x"}]},
            [
                'spec.s.matchExpressions[0].values: Invalid value: "string": spec.s.matchExpressions[0].values in body must be of type array: "string"',
                "spec.s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
                'spec.s.matchExpressions[0].key: Invalid value: "integer": spec.s.matchExpressions[0].key in body must be of type string: "integer"',
            ],
        ),
        (
            {"matchExpressions": [{"key": "/k", "operator": "In", "values": [1, "-"]}]},
            [
                'spec.s.matchExpressions[0].key: Invalid value: "/k": prefix part must be non-empty',
                'spec.s.matchExpressions[0].values[0]: Invalid value: "integer": spec.s.matchExpressions[0].values[0] in body must be of type string: "integer"',
                'spec.s.matchExpressions[0].values[1]: Invalid value: "-": a valid label must be an empty string',
            ],
        ),
    ],
)
def test_bad_label_selectors(raw: Any, wanted: list[str]) -> None:
    found = [message for _, message in label_selector_problems(raw, ("spec", "s"))]
    assert len(found) == len(wanted), found
    assert all(message.startswith(want) for message, want in zip(found, wanted, strict=True)), found
    at = Object({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}}).at("spec", "s")
    with pytest.raises(DiagnosticError) as caught:
        label_selector(raw, at)
    assert len(caught.value.diagnostics) == len(wanted)
    assert {d.code.id for d in caught.value.diagnostics} == {"KUB010"}


def test_a_bad_selector_without_a_place() -> None:
    with pytest.raises(DiagnosticError) as caught:
        label_selector({"x": 1})
    assert caught.value.diagnostics[0].at is None


@pytest.mark.parametrize(
    ("text", "printed", "matches"),
    [
        ("", "", True),
        ("  ", "", True),
        ("app=web", "app=web", True),
        ("app==web", "app==web", True),
        ("app!=web", "app!=web", False),
        ("none!=web", "none!=web", True),
        ("app in (web,db)", "app in (db,web)", True),
        ("app notin ( web )", "app notin (web)", False),
        ("app, !none , tier=front", "app,!none,tier=front", True),
        ("!app", "!app", False),
        ("empty=", "empty=", True),
        ("empty in ()", "empty in ()", True),
        ("app in (,web)", "app in (,web)", True),
        ("app in (web,)", "app in (,web)", True),
        ("app in (,,)", "app in ()", False),
        ("n>4", "n>4", True),
        ("n<5", "n<5", False),
        ("app>4", "app>4", False),
        ("none<4", "none<4", False),
        ("in=in", "in=in", False),
        ("in in (in)", "in in (in)", False),
    ],
)
def test_selectors_as_text(text: str, printed: str, matches: bool) -> None:
    selector = parse_selector(text)
    assert str(selector) == printed
    assert selector.matches(LABELS) is matches


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("!a b", "found 'b', expected: ',' or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (=", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b,=", "unable to parse requirement: found '=', expected: ',', or identifier"),
        ("a==!", "unable to parse requirement: found '!', expected: identifier"),
        (
            "a>b",
            "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("-a", 'unable to parse requirement: Invalid value: "-a": name part must consist of alphanumeric'),
        ("a=-b", 'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be'),
        ("a>-b", 'unable to parse requirement: [values[0]: Invalid value: "-b": for'),
        ("a" * 64_001, "a selector is limited to 64,000 characters"),
    ],
)
def test_bad_selectors_as_text(text: str, wanted: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse_selector(text)
    problem = caught.value.diagnostics[0]
    assert problem.code.id == "KUB011"
    assert problem.message.partition('": ')[2].startswith(wanted)
    assert problem.at is not None


OBJECT = Object(
    {
        "kind": "Node",
        "metadata": {"name": "n1", "namespace": "a,b"},
        "spec": {"unschedulable": True, "on": False, "replicas": 3, "list": []},
    }
)


@pytest.mark.parametrize(
    ("text", "printed", "matches"),
    [
        ("", "", True),
        ("metadata.name=n1", "metadata.name=n1", True),
        ("metadata.name==n1,", "metadata.name=n1", True),
        ("metadata.name!=n1", "metadata.name!=n1", False),
        ("spec.unschedulable=true,spec.on=false", "spec.on=false,spec.unschedulable=true", True),
        ("spec.replicas=3,spec.none=,spec.list=", "spec.list=,spec.none=,spec.replicas=3", True),
        (r"metadata.namespace=a\,b", r"metadata.namespace=a\,b", True),
        (r"a=\\\=", r"a=\\\=", False),
        ("=", "", True),
    ],
)
def test_field_selectors(text: str, printed: str, matches: bool) -> None:
    selector = parse_field_selector(text)
    assert str(selector) == printed
    assert selector.matches(OBJECT) is matches


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        ("a=b=c", "invalid field selector: unescaped character in value: ="),
        (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
        ("a=\\", "invalid field selector: invalid escape sequence: \\"),
        (
            "a=" + "b" * 64_000,
            "a selector is limited to 64,000 characters (a URL of an API server is no longer)",
        ),
    ],
)
def test_bad_field_selectors(text: str, wanted: str) -> None:
    at = OBJECT.at("spec")
    with pytest.raises(DiagnosticError) as caught:
        parse_field_selector(text, at)
    assert caught.value.diagnostics[0].message == wanted
    assert caught.value.diagnostics[0].at is at


@pytest.mark.parametrize(
    ("pattern", "candidate", "matches"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "ab", True),
        ("a*", "ba", False),
        ("*a", "ba", True),
        ("*a", "ab", False),
        ("*a*", "bab", True),
        ("*a*", "b", False),
        ("*", "", True),
        ("**", "x", True),
        ("a*b", "axb", False),
        ("", "", True),
    ],
)
def test_wildcards(pattern: str, candidate: str, matches: bool) -> None:
    assert wildcard_matches(pattern, candidate) is matches
    assert any_wildcard([pattern], candidate) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"), [("web-*", True), ("*eb*", True), ("web-", False), ("*web-", False), ("*", True)]
)
def test_wildcards_on_generated_names(pattern: str, matches: bool) -> None:
    assert wildcard_matches_generate_name(pattern, "web-") is matches


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1", 1),
        ("-1", -1),
        ("+1", 1),
        ("", None),
        ("-", None),
        ("1_0", None),
        ("٣", None),
        (str(2**63), None),
        (str(-(2**63)), -(2**63)),
        ("0" * 41, None),
    ],
)
def test_integers_as_go_reads_them(text: str, wanted: int | None) -> None:
    assert parse_int64(text) == wanted


def test_everything_matches() -> None:
    assert EVERYTHING.matches({})
