from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.unit.policy.mutation.made import assign, mutate, mutator, widget

from sekisho.diag import DiagnosticError
from sekisho.kube import patch
from sekisho.policy.mutation import load_mutator

GREETING = "spec.please.greet.me"
POLICY = "spec.parts[name:*].policy"
SAFE = {"name": "p1", "policy": "safe"}
BARE = {"name": "p2"}
SET = "set"


def parts(*rows: Any) -> dict[str, Any]:
    return {"parts": list(rows)}


PATH_TESTS: list[tuple[str, Any, str, Any, list[tuple[str, str]], Any]] = [
    ("no test, nothing there", {}, GREETING, "hi", [], {"please": {"greet": {"me": "hi"}}}),
    ("must, nothing there", {}, GREETING, "hi", [(GREETING, "MustExist")], {}),
    (
        "must, part of the way is there",
        {"please": {"greet": {}}},
        GREETING,
        "hi",
        [(GREETING, "MustExist")],
        {"please": {"greet": {}}},
    ),
    (
        "must, an empty object is there",
        {"please": {"greet": {"me": {}}}},
        GREETING,
        "hi",
        [(GREETING, "MustExist")],
        {"please": {"greet": {"me": "hi"}}},
    ),
    (
        "must, null is there",
        {"please": {"greet": {"me": None}}},
        GREETING,
        "hi",
        [(GREETING, "MustExist")],
        {"please": {"greet": {"me": "hi"}}},
    ),
    (
        "must, a text is there",
        {"please": {"greet": {"me": "no"}}},
        GREETING,
        "hi",
        [(GREETING, "MustExist")],
        {"please": {"greet": {"me": "hi"}}},
    ),
    (
        "must not, nothing there",
        {},
        GREETING,
        "hi",
        [(GREETING, "MustNotExist")],
        {"please": {"greet": {"me": "hi"}}},
    ),
    (
        "must not, part of the way is there",
        {"please": {"greet": {}}},
        GREETING,
        "hi",
        [(GREETING, "MustNotExist")],
        {"please": {"greet": {"me": "hi"}}},
    ),
    (
        "must not, an empty object is there",
        {"please": {"greet": {"me": {}}}},
        GREETING,
        "hi",
        [(GREETING, "MustNotExist")],
        {"please": {"greet": {"me": {}}}},
    ),
    (
        "must not, a text is there",
        {"please": {"greet": {"me": "no"}}},
        GREETING,
        "hi",
        [(GREETING, "MustNotExist")],
        {"please": {"greet": {"me": "no"}}},
    ),
    (
        "every item, some must not",
        parts(SAFE, BARE),
        POLICY,
        SET,
        [(POLICY, "MustNotExist")],
        parts(SAFE, {**BARE, "policy": SET}),
    ),
    (
        "every item, all without",
        parts({"name": "p1"}, BARE),
        POLICY,
        SET,
        [(POLICY, "MustNotExist")],
        parts({"name": "p1", "policy": SET}, {**BARE, "policy": SET}),
    ),
    (
        "every item, some must",
        parts(SAFE, BARE),
        POLICY,
        SET,
        [(POLICY, "MustExist")],
        parts({**SAFE, "policy": SET}, BARE),
    ),
    (
        "every item, all must",
        parts(SAFE, {**BARE, "policy": "safe"}),
        POLICY,
        SET,
        [(POLICY, "MustExist")],
        parts({**SAFE, "policy": SET}, {**BARE, "policy": SET}),
    ),
    (
        "every item must not: never",
        parts(SAFE),
        POLICY,
        SET,
        [("spec.parts[name:*]", "MustNotExist")],
        parts(SAFE),
    ),
    (
        "a new item",
        parts(SAFE, BARE),
        "spec.parts[name:extra]",
        {"name": "extra"},
        [("spec.parts[name:extra]", "MustNotExist")],
        parts(SAFE, BARE, {"name": "extra"}),
    ),
    (
        "a new item that is there",
        parts(SAFE, {"name": "extra", "kept": True}),
        "spec.parts[name:extra]",
        {"name": "extra"},
        [("spec.parts[name:extra]", "MustNotExist")],
        parts(SAFE, {"name": "extra", "kept": True}),
    ),
    (
        "an item is replaced",
        parts(SAFE, {"name": "extra", "kept": True}),
        "spec.parts[name:extra]",
        {"name": "extra", "kept": False},
        [("spec.parts[name:extra]", "MustExist")],
        parts(SAFE, {"name": "extra", "kept": False}),
    ),
    (
        "an item that must be there is not",
        parts(SAFE),
        "spec.parts[name:extra]",
        {"name": "extra"},
        [("spec.parts[name:extra]", "MustExist")],
        parts(SAFE),
    ),
    (
        "a field of an item, the item must",
        parts(SAFE, {**BARE, "policy": "safe"}),
        "spec.parts[name:p2].policy",
        SET,
        [("spec.parts[name:p2]", "MustExist")],
        parts(SAFE, {**BARE, "policy": SET}),
    ),
    (
        "a field of an item, the item must not",
        parts(SAFE, {**BARE, "policy": "safe"}),
        "spec.parts[name:p2].policy",
        SET,
        [("spec.parts[name:p2]", "MustNotExist")],
        parts(SAFE, {**BARE, "policy": "safe"}),
    ),
    (
        "a field of an item, which is not there",
        parts(SAFE),
        "spec.parts[name:extra].policy",
        SET,
        [("spec.parts[name:extra].policy", "MustExist")],
        parts(SAFE),
    ),
    (
        "a field of a missing item, the item must",
        parts(SAFE),
        "spec.parts[name:p2].policy",
        SET,
        [("spec.parts[name:p2]", "MustExist")],
        parts(SAFE),
    ),
    (
        "a field of a missing item, the item must not",
        parts(SAFE),
        "spec.parts[name:p2].policy",
        SET,
        [("spec.parts[name:p2]", "MustNotExist")],
        parts(SAFE, {**BARE, "policy": SET}),
    ),
    (
        "two tests hold",
        {"please": {"greet": {}}},
        GREETING,
        "hi",
        [("spec.please.greet", "MustExist"), (GREETING, "MustNotExist")],
        {"please": {"greet": {"me": "hi"}}},
    ),
    (
        "the second of two fails",
        {"please": {"greet": {"me": "no"}}},
        GREETING,
        "hi",
        [("spec.please.greet", "MustExist"), (GREETING, "MustNotExist")],
        {"please": {"greet": {"me": "no"}}},
    ),
    (
        "the first of two fails",
        {"please": {}},
        GREETING,
        "hi",
        [("spec.please.greet", "MustExist"), (GREETING, "MustNotExist")],
        {"please": {}},
    ),
    (
        "a test that fails leaves no trace",
        {"please": {}},
        GREETING,
        "hi",
        [("spec.please.greet", "MustExist")],
        {"please": {}},
    ),
]


@pytest.mark.parametrize(
    ("spec", "location", "value", "tests", "wanted"),
    [row[1:] for row in PATH_TESTS],
    ids=[row[0] for row in PATH_TESTS],
)
def test_path_tests(spec: Any, location: str, value: Any, tests: list[tuple[str, str]], wanted: Any) -> None:
    # Applied once: with MustNotExist and a location that is set, the system would come to the same.
    rule = load_mutator(assign(location, value, tests=tests))
    object = widget(spec)
    changed, _ = rule.apply(object.raw, context_of())
    assert changed == {**object.raw, "spec": wanted}


def context_of() -> Any:
    from sekisho.policy.mutation.edit import Context

    return Context(name="cog", namespace="shop", username="ann")


PORTS = {
    "parts": [
        {"name": "a", "ports": [{"name": "a1"}]},
        {"name": "b", "ports": [{"name": "b1", "number": 80}, {"name": "b2", "number": 443}]},
    ]
}

EDITS: list[tuple[str, Any, str, Any, Any]] = [
    (
        "an item of an item's list",
        PORTS,
        'spec.parts["name": "b"].ports["name": "b2"].host',
        "h",
        {
            "parts": [
                PORTS["parts"][0],
                {
                    "name": "b",
                    "ports": [{"name": "b1", "number": 80}, {"name": "b2", "number": 443, "host": "h"}],
                },
            ]
        },
    ),
    (
        "every item of every item",
        PORTS,
        "spec.parts[name: *].ports[name: *].host",
        "h",
        {
            "parts": [
                {"name": "a", "ports": [{"name": "a1", "host": "h"}]},
                {
                    "name": "b",
                    "ports": [
                        {"name": "b1", "number": 80, "host": "h"},
                        {"name": "b2", "number": 443, "host": "h"},
                    ],
                },
            ]
        },
    ),
    (
        "a number as key",
        {"ports": [{"number": 80}, {"number": 443}]},
        "spec.ports[number: 443].tls",
        True,
        {"ports": [{"number": 80}, {"number": 443, "tls": True}]},
    ),
    (
        "a new number as key",
        {"ports": [{"number": 80}]},
        "spec.ports[number: 443].tls",
        True,
        {"ports": [{"number": 80}, {"number": 443, "tls": True}]},
    ),
    (
        "a number beyond 32 bits as key",
        {"ports": []},
        "spec.ports[number: 4294967297].tls",
        True,
        {"ports": [{"number": 4294967297, "tls": True}]},
    ),
    (
        "the text of a number is another key",
        {"ports": [{"number": 443}]},
        'spec.ports[number: "443"].tls',
        True,
        {"ports": [{"number": 443}, {"number": "443", "tls": True}]},
    ),
    (
        "true is not 1",
        {"ports": [{"number": True}]},
        "spec.ports[number: 1].tls",
        True,
        {"ports": [{"number": True}, {"number": 1, "tls": True}]},
    ),
    ("a way of objects that is not there", {}, "spec.a.b.c.d", 1, {"a": {"b": {"c": {"d": 1}}}}),
    (
        "a way through a list that is not there",
        {},
        'spec.a["name": "x"].b.c',
        1,
        {"a": [{"name": "x", "b": {"c": 1}}]},
    ),
    ("a list that is not there, for every item", {}, "spec.a[name: *].b", 1, {}),
    ("an empty list, for every item", {"a": []}, "spec.a[name: *].b", 1, {"a": []}),
    (
        "a list as value, with a list in the place",
        {"a": [1]},
        "spec.a",
        [2, 3],
        {"a": [2, 3]},
    ),
    ("null is no value to assign to below", {"a": {"b": 1}}, "spec.a.b", "x", {"a": {"b": "x"}}),
    (
        "two items with the same key",
        {"a": [{"n": "x"}, {"n": "x"}]},
        "spec.a[n: x].b",
        1,
        {"a": [{"n": "x", "b": 1}, {"n": "x", "b": 1}]},
    ),
    (
        "items that are no objects are passed over",
        {"a": [1, "x", {"n": "x"}]},
        "spec.a[n: x].b",
        1,
        {"a": [1, "x", {"n": "x", "b": 1}]},
    ),
    (
        "an item as a whole, new",
        {"a": [{"n": "x"}]},
        "spec.a[n: y]",
        {"n": "y", "b": 1},
        {"a": [{"n": "x"}, {"n": "y", "b": 1}]},
    ),
    (
        "an item as a whole, there already",
        {"a": [{"n": "x", "c": 2}]},
        "spec.a[n: x]",
        {"n": "x", "b": 1},
        {"a": [{"n": "x", "b": 1}]},
    ),
]


@pytest.mark.parametrize(
    ("spec", "location", "value", "wanted"), [row[1:] for row in EDITS], ids=[row[0] for row in EDITS]
)
def test_edits(spec: Any, location: str, value: Any, wanted: Any) -> None:
    object = widget(spec)
    kept = copy.deepcopy(object.raw)
    result = mutate(object, assign(location, value))
    assert result.object.raw["spec"] == wanted
    assert object.raw == kept
    assert patch.apply(object.raw, result.patch) == result.object.raw


def test_what_is_not_changed_is_shared() -> None:
    object = widget({"a": {"b": 1}, "c": [{"d": 2}]})
    result = mutate(object, assign("spec.a.b", 3))
    assert result.object.raw["spec"]["c"] is object.raw["spec"]["c"]
    assert result.object.raw["metadata"] is object.raw["metadata"]


def test_an_object_that_is_as_it_should_be_is_the_same_object() -> None:
    object = widget({"a": {"b": 1}})
    result = mutate(object, assign("spec.a.b", 1))
    assert result.object is object
    assert not result.mutated
    assert result.patch == ()


MISFITS = [
    (
        {"parts": [{}]},
        "spec.parts.ports.name",
        "x",
        "mismatch between path entry (type: object) and received object (type: []interface {}). Path: ports",
        ("spec", "parts"),
    ),
    (
        {"parts": "many"},
        "spec.parts[name: a].x",
        "x",
        "mismatch between path entry (type: List) and received object (type: string). Path: [name: a]",
        ("spec", "parts"),
    ),
    (
        {"parts": None},
        "spec.parts.x",
        "x",
        "mismatch between path entry (type: object) and received object (type: <nil>). Path: x",
        ("spec", "parts"),
    ),
    (
        {"parts": [7]},
        "spec.parts[name: *].x",
        "x",
        "mismatch between path entry (type: object) and received object (type: int64). Path: x",
        ("spec", "parts", 0),
    ),
    (
        {"parts": [True]},
        "spec.parts[name: a]",
        {"name": "a"},
        "cast error, unable to cast bool to map[string]interface{}",
        ("spec", "parts", 0),
    ),
]


@pytest.mark.parametrize(("spec", "location", "value", "message", "path"), MISFITS)
def test_a_location_that_does_not_fit(spec: Any, location: str, value: Any, message: str, path: Any) -> None:
    with pytest.raises(DiagnosticError) as found:
        mutate(widget(spec), assign(location, value))
    (problem,) = found.value.diagnostics
    assert problem.code.id == "POL041"
    assert problem.message == f"mutation by Assign/rule failed for Widget cog: {message}"
    assert problem.at is not None
    assert problem.at.path == path  # type: ignore[union-attr]


@pytest.mark.parametrize(("field", "value"), [("name", "cog"), ("namespace", "shop")])
def test_values_from_metadata(field: str, value: str) -> None:
    rule = mutator("Assign", location="spec.from", parameters={"assign": {"fromMetadata": {"field": field}}})
    assert mutate(widget({}, namespace="shop"), rule).object.raw["spec"] == {"from": value}


def test_the_namespace_of_an_object_without_one_is_empty() -> None:
    rule = mutator(
        "Assign", location="spec.from", parameters={"assign": {"fromMetadata": {"field": "namespace"}}}
    )
    assert mutate(widget({}), rule).object.raw["spec"] == {"from": ""}


ASSIGN = {"assign": {"value": 1}}
EXTERNAL = {"externalData": {"provider": "p"}}

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("no location", {"location": "", "parameters": ASSIGN}, "POL031", "empty path"),
    (
        "location that does not parse",
        {"location": "spec.", "parameters": ASSIGN},
        "POL031",
        "invalid location format `spec.` for Assign rule: trailing separators are forbidden",
    ),
    (
        "metadata",
        {"location": "metadata.labels.a", "parameters": ASSIGN},
        "POL032",
        "assign rule can't change metadata",
    ),
    (
        "key of an item",
        {"location": "spec.a[name: x].name", "parameters": ASSIGN},
        "POL032",
        "invalid path format: changing the item key is not allowed",
    ),
    (
        "key of every item",
        {"location": "spec.a[name: *].name", "parameters": ASSIGN},
        "POL032",
        "invalid path format: changing the item key is not allowed",
    ),
    (
        "nothing to assign",
        {"location": "spec.a", "parameters": {"assign": {}}},
        "POL034",
        "assign must set one of `externalData`, `value` or `fromMetadata`: invalid assign field",
    ),
    (
        "null is nothing to assign",
        {"location": "spec.a", "parameters": {"assign": {"value": None}}},
        "POL034",
        "assign must set one of `externalData`, `value` or `fromMetadata`: invalid assign field",
    ),
    (
        "no parameters",
        {"location": "spec.a"},
        "POL034",
        "assign must set one of `externalData`, `value` or `fromMetadata`: invalid assign field",
    ),
    (
        "two things to assign",
        {"location": "spec.a", "parameters": {"assign": {"value": 1, "fromMetadata": {"field": "name"}}}},
        "POL034",
        "assign must only set one of `externalData`, `value` or `fromMetadata`: invalid assign field",
    ),
    (
        "unknown field of metadata",
        {"location": "spec.a", "parameters": {"assign": {"fromMetadata": {"field": "uid"}}}},
        "POL034",
        "field uid is not recognized: invalid fromMetadata field",
    ),
    (
        "default that is missing",
        {
            "location": "spec.a",
            "parameters": {"assign": {"externalData": {"provider": "p", "failurePolicy": "UseDefault"}}},
        },
        "POL034",
        "`default` must not be empty when `failurePolicy` is set to `UseDefault`",
    ),
    (
        "text as item",
        {"location": "spec.a[name: x]", "parameters": {"assign": {"value": "x"}}},
        "POL034",
        'invalid value: `"x"`, only objects can be added to keyed lists',
    ),
    (
        "item with another key",
        {"location": "spec.a[name: x]", "parameters": {"assign": {"value": {"name": "y"}}}},
        "POL034",
        'adding object to list with different key name: list key "x", object key "y"',
    ),
    (
        "item with the text of the key",
        {"location": "spec.a[port: 80]", "parameters": {"assign": {"value": {"port": "80"}}}},
        "POL034",
        'adding object to list with different key port: list key 80, object key "80"',
    ),
    (
        "item without the key",
        {"location": "spec.a[name: x]", "parameters": {"assign": {"value": {}}}},
        "POL034",
        'adding object to list with different key name: list key "x", object key null',
    ),
    (
        "every item",
        {"location": "spec.a[name: *]", "parameters": {"assign": {"value": {}}}},
        "POL032",
        "can't append to a globbed list",
    ),
    (
        "metadata as item",
        {"location": "spec.a[name: x]", "parameters": {"assign": {"fromMetadata": {"field": "name"}}}},
        "POL032",
        "cannot assign a metadata field to a list",
    ),
    (
        "external data as item",
        {"location": "spec.a[name: x]", "parameters": {"assign": EXTERNAL}},
        "POL032",
        "cannot assign external data response to a list",
    ),
    (
        "no applyTo",
        {"location": "spec.a", "parameters": ASSIGN, "applyTo": []},
        "POL035",
        "applyTo required for Assign mutator rule",
    ),
    (
        "applyTo without versions",
        {"location": "spec.a", "parameters": ASSIGN, "applyTo": [{"groups": [""], "kinds": ["Widget"]}]},
        "POL035",
        "invalid applyTo for Assign mutator rule, all of group, version and kind must be specified",
    ),
    (
        "the same operation twice",
        {
            "location": "spec.a",
            "parameters": ASSIGN,
            "applyTo": [
                {"groups": [""], "versions": ["v1"], "kinds": ["W"], "operations": ["CREATE", "CREATE"]}
            ],
        },
        "POL035",
        'invalid applyTo for Assign mutator rule: duplicate operation "CREATE"',
    ),
    (
        "all operations and one of them",
        {
            "location": "spec.a",
            "parameters": ASSIGN,
            "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["W"], "operations": ["*", "CREATE"]}],
        },
        "POL035",
        'invalid applyTo for Assign mutator rule: wildcard "*" must not be combined with other operations',
    ),
    (
        "an operation that is not mutated",
        {
            "location": "spec.a",
            "parameters": ASSIGN,
            "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["W"], "operations": ["DELETE"]}],
        },
        "KUB103",
        'supported values: "CREATE", "UPDATE", "*"',
    ),
    (
        "too many kinds",
        {
            "location": "spec.a",
            "parameters": ASSIGN,
            "applyTo": [{"groups": ["a"], "versions": ["v1"], "kinds": [f"K{n}" for n in range(1001)]}],
        },
        "POL035",
        "applyTo is limited to 1,000 kinds",
    ),
    (
        "path test of another path",
        {
            "location": "spec.a",
            "parameters": {**ASSIGN, "pathTests": [{"subPath": "spec.b", "condition": "MustExist"}]},
        },
        "POL033",
        'subpath "spec.b" is not a prefix of location "spec.a"',
    ),
    (
        "path test that does not parse",
        {
            "location": "spec.a",
            "parameters": {**ASSIGN, "pathTests": [{"subPath": "a[", "condition": "MustExist"}]},
        },
        "POL033",
        "problem parsing sub path `a[` for Assign rule: unexpected token",
    ),
    (
        "path test with an unknown condition",
        {
            "location": "spec.a",
            "parameters": {**ASSIGN, "pathTests": [{"subPath": "spec", "condition": "May"}]},
        },
        "KUB103",
        'supported values: "MustExist", "MustNotExist"',
    ),
    (
        "match with a star inside",
        {"location": "spec.a", "parameters": ASSIGN, "match": {"name": "a*b"}},
        "KUB104",
        "should match",
    ),
    (
        "match with an unknown operator",
        {
            "location": "spec.a",
            "parameters": ASSIGN,
            "match": {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
        },
        "KUB010",
        "not a valid selector operator",
    ),
]


@pytest.mark.parametrize(
    ("spec", "code", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_mutators_that_are_refused(spec: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as found:
        load_mutator(mutator("Assign", **spec))
    (problem,) = found.value.diagnostics
    assert problem.code.id == code
    assert message in problem.message


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(DiagnosticError) as found:
        load_mutator(mutator("Assign", location="metadata.a", applyTo=[], match={"name": "x"}))
    assert [problem.code.id for problem in found.value.diagnostics] == ["POL032", "POL034", "POL035"]


@pytest.mark.parametrize("kind", ["Assign", "AssignMetadata", "ModifySet", "AssignImage"])
def test_names_have_at_most_63_characters(kind: str) -> None:
    with pytest.raises(DiagnosticError) as found:
        load_mutator(mutator(kind, "a" * 64))
    assert "maximum name length is 63 characters" in [problem.message for problem in found.value.diagnostics]


@pytest.mark.parametrize(
    ("kind", "version", "served"),
    [
        ("Assign", "v1", True),
        ("Assign", "v1beta1", True),
        ("Assign", "v1alpha1", True),
        ("Assign", "v2", False),
        ("AssignImage", "v1alpha1", True),
        ("AssignImage", "v1", False),
    ],
)
def test_versions(kind: str, version: str, served: bool) -> None:
    parameters = {"assign": {"value": 1}} if kind == "Assign" else {"assignTag": ":v1"}
    object = mutator(kind, version=version, location="spec.a", parameters=parameters)
    if served:
        assert load_mutator(object).policy == f"{kind}/rule"
        return
    with pytest.raises(DiagnosticError, match=f'unsupported version "{version}"'):
        load_mutator(object)
