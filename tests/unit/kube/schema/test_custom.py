"""CustomResourceDefinitions among the inputs, and the schemas that they hold."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sekisho.diag import DiagnosticError, Level
from sekisho.kube.object import Object
from sekisho.kube.schema import (
    ABSENT,
    CustomKinds,
    default,
    keep_unknown,
    parse_schema,
    prune,
    structural_problems,
    validate,
    validate_object,
)

SHOP: dict[str, Any] = {
    "type": "object",
    "properties": {
        "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}},
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "mode": {"type": "string", "enum": ["small", "large"], "default": "small"},
                "open": {"type": "boolean", "nullable": True},
                "template": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
            },
        },
    },
}


def crd(schema: Any = SHOP, **version: Any) -> Object:
    return Object(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "shops.example.com"},
            "spec": {
                "group": "example.com",
                "names": {"kind": "Shop", "plural": "shops"},
                "scope": "Namespaced",
                "versions": [
                    {"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}, **version},
                ],
            },
        }
    )


def shop(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "x"}, "spec": spec}


def messages(raw: dict[str, Any], kinds: CustomKinds) -> list[str]:
    return [d.message for d in validate_object(Object(raw), crds=kinds)]


KINDS = CustomKinds.of([crd()])


def test_a_good_object_passes() -> None:
    assert messages(shop(size=1, open=None), KINDS) == []


def test_a_bad_one_is_judged_by_its_definition() -> None:
    assert messages(shop(size=0, colour="red"), KINDS) == [
        "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
        'unknown field "spec.colour"',
    ]


def test_defaults_come_first() -> None:
    kinds = CustomKinds.of(
        [crd({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "default": "x"}}})]
    )
    assert messages(shop() | {"spec": None}, kinds) == ['unknown field "spec"']
    assert messages({"apiVersion": "example.com/v1", "kind": "Shop", "a": None}, kinds) == []


def test_null_where_it_is_not_allowed_counts_as_absent() -> None:
    assert messages(shop(size=None), KINDS) == ["spec.size: Required value"]


def test_metadata_is_that_of_every_object_and_restricted_besides() -> None:
    raw = shop(size=1)
    raw["metadata"] = {"name": "too-long", "labels": {"a": 1}, "lables": {}}
    assert messages(raw, KINDS) == [
        'metadata.labels.a: Invalid value: "integer": metadata.labels.a in body must be of type string: "integer"',
        'unknown field "metadata.lables"',
        "metadata.name: Too long: may not be more than 5 bytes",
    ]


def test_an_embedded_resource_has_an_objects_fields() -> None:
    template = {"apiVersion": "v1", "kind": 3, "metadata": {"name": "x"}, "anything": [1]}
    assert messages(shop(size=1, template=template), KINDS) == [
        'spec.template.kind: Invalid value: "integer": spec.template.kind in body must be of type string: "integer"'
    ]


def test_another_version_names_those_that_are_defined() -> None:
    raw = shop(size=1) | {"apiVersion": "example.com/v2"}
    (found,) = validate_object(Object(raw), crds=KINDS)
    assert (found.code.id, found.help) == ("KUB110", "use example.com/v1")


def test_a_definition_without_a_schema_judges_nothing() -> None:
    kinds = CustomKinds.of([crd(None)])
    assert messages(shop(anything=1), kinds) == []
    assert kinds.diagnostics == ()


def test_a_version_that_is_not_served_judges_nothing() -> None:
    assert messages(shop(anything=1), CustomKinds.of([crd(served=False)])) == []


def test_a_malformed_schema_is_reported_once_at_its_place() -> None:
    kinds = CustomKinds.of([crd({"type": "object", "properties": {"a": {"type": "strin"}}})])
    (found,) = kinds.diagnostics
    assert found.code.id == "KUB120"
    assert found.at is not None
    assert found.at.path[-3:] == ("properties", "a", "type")
    assert found.at.path[:4] == ("spec", "versions", 0, "schema")
    assert messages(shop(), kinds) == []


def test_the_old_form_of_definitions_is_read_too() -> None:
    raw = copy.deepcopy(dict(crd().raw))
    spec = raw["spec"]
    del spec["versions"]
    spec["version"] = "v1"
    spec["validation"] = {"openAPIV3Schema": SHOP}
    assert messages(shop(), CustomKinds.of([Object(raw)])) == ["spec.size: Required value"]


@pytest.mark.parametrize(
    "junk", [None, 1, "x", [], {"names": 1}, {"names": {"kind": "A"}, "group": 1}, {"versions": [1]}]
)
def test_a_definition_that_is_junk_defines_nothing(junk) -> None:
    raw = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": junk}
    assert CustomKinds.of([Object(raw)]).schemas == {}


STRUCTURAL: list[tuple[dict[str, Any], list[str]]] = [
    (SHOP, []),
    ({}, ["type: Required value: must not be empty at the root"]),
    ({"type": "string"}, ['type: Invalid value: "string": must be object at the root']),
    (
        {"type": "object", "properties": {"a": {}}},
        ["properties.a.type: Required value: must not be empty for specified object fields"],
    ),
    (
        {"type": "object", "properties": {"a": {"type": "array", "items": {}}}},
        ["properties.a.items.type: Required value: must not be empty for specified array items"],
    ),
    (
        {"type": "object", "properties": {"a": {"type": "array"}}},
        ["properties.a.items: Required value: must be specified"],
    ),
    (
        {"type": "object", "additionalProperties": {"type": "string"}},
        ["additionalProperties: Forbidden: must not be used at the root"],
    ),
    (
        {"type": "object", "anyOf": [{"properties": {"a": {"type": "string"}}}]},
        [
            "properties.a: Required value: because it is defined in anyOf[0].properties.a",
            "anyOf[0].properties.a.type: Forbidden: must be empty to be structural",
        ],
    ),
    (
        {
            "type": "object",
            "properties": {
                "a": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
            },
        },
        [],
    ),
    (
        {
            "type": "object",
            "properties": {
                "a": {
                    "x-kubernetes-int-or-string": True,
                    "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "x"}],
                }
            },
        },
        [],
    ),
    (
        {"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-embedded-resource": True}}},
        [
            'properties.a.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true'
        ],
    ),
    (
        {
            "type": "object",
            "properties": {
                "a": {
                    "type": "object",
                    "properties": {"b": {"type": "string"}},
                    "additionalProperties": {"type": "string"},
                }
            },
        },
        [
            "properties.a.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"
        ],
    ),
]


@pytest.mark.parametrize(("schema", "expected"), STRUCTURAL)
def test_what_is_not_structural_is_told_in_kubernetes_words(schema, expected) -> None:
    parse_schema(schema)
    assert [d.message for d in structural_problems(schema)] == expected


MALFORMED: list[Any] = [
    None,
    [],
    "object",
    {"type": 1},
    {"type": "null"},
    {"properties": []},
    {"properties": {"a": 1}},
    {"items": [{}]},
    {"required": "a"},
    {"enum": "a"},
    {"minimum": "1"},
    {"minLength": 1.5},
    {"multipleOf": 0},
    {"$ref": "#/a"},
    {"allOf": {}},
    {"not": 1},
    {"nullable": "yes"},
]


@pytest.mark.parametrize("schema", MALFORMED)
def test_a_malformed_schema_is_a_diagnostic(schema) -> None:
    with pytest.raises(DiagnosticError) as error:
        parse_schema(schema)
    assert {d.code.id for d in error.value.diagnostics} == {"KUB120"}
    assert all(d.level is Level.ERROR for d in error.value.diagnostics)


def test_a_schema_without_end_is_a_diagnostic() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5_000):
        schema = {"items": schema}
    with pytest.raises(DiagnosticError):
        parse_schema(schema)


def test_defaults_fill_in_share_and_leave_the_input_alone() -> None:
    schema = parse_schema(SHOP)
    value = {"spec": {"size": 1}, "other": {"x": 1}}
    before = copy.deepcopy(value)
    new = default(value, schema)
    assert new == {"spec": {"size": 1, "mode": "small"}, "other": {"x": 1}}
    assert new["other"] is value["other"]
    assert value == before
    assert default(new, schema) is new


DEFAULTS: list[tuple[dict[str, Any], Any, Any]] = [
    ({"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}, {"a": None}, {"a": "x"}),
    ({"type": "object", "properties": {"a": {"nullable": True, "default": "x"}}}, {"a": None}, {"a": None}),
    ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": None}, {}),
    ({"additionalProperties": {"type": "string", "default": "x"}}, {"a": None}, {"a": "x"}),
    ({"additionalProperties": {"type": "string"}}, {"a": None, "b": "c"}, {"b": "c"}),
    ({"items": {"type": "string", "default": "x"}}, [None, "a"], ["x", "a"]),
    ({"items": {"type": "string"}}, [None], [None]),
    (
        {"properties": {"a": {"default": {}, "properties": {"b": {"default": 1}}}}},
        {},
        {"a": {"b": 1}},
    ),
    ({"properties": {"a": {"properties": {"b": {"default": 1}}}}}, {}, {}),
    ({"properties": {"a": {"default": False}}}, {}, {"a": False}),
    ({"properties": {"a": {"default": 1}}}, "text", "text"),
]


@pytest.mark.parametrize(("schema", "value", "expected"), DEFAULTS)
def test_structural_defaults_as_the_server_applies_them(schema, value, expected) -> None:
    assert default(value, parse_schema(schema)) == expected


def test_pruning_drops_what_is_unknown_and_nothing_else() -> None:
    schema = parse_schema(SHOP)
    value = {"spec": {"size": 1, "x": 1, "template": {"any": 1}}, "y": 1}
    assert prune(value, schema) == {"spec": {"size": 1, "template": {"any": 1}}}
    known = {"spec": {"size": 1}}
    assert prune(known, schema) is known


def test_parameters_without_a_type_are_judged_too() -> None:
    schema = parse_schema({"properties": {"labels": {"type": "array", "items": {"type": "string"}}}})
    found = validate({"labels": ["a"], "label": "b"}, schema, under=("spec", "parameters"))
    assert [d.message for d in found] == ['unknown field "spec.parameters.label"']
    assert found[0].help == 'did you mean "labels"?'


def test_no_default_is_not_a_default_of_null() -> None:
    assert parse_schema({"type": "string"}).default is ABSENT
    assert parse_schema({"type": "string", "default": ""}).default == ""


def test_legacy_schemas_keep_what_they_do_not_know() -> None:
    raw = {
        "properties": {
            "labels": {
                "type": "array",
                "items": {"type": "object", "properties": {"key": {"type": "string"}}},
            },
            "free": {"type": "array"},
            "map": {"type": "object", "additionalProperties": {"type": "object"}},
        }
    }
    before = copy.deepcopy(raw)
    schema = parse_schema(keep_unknown(raw))
    assert raw == before
    value = {"other": 1, "labels": [{"key": "a", "more": 1}], "free": [{"x": 1}], "map": {"a": {"b": 1}}}
    assert validate(value, schema) == ()
    assert [d.code.id for d in validate({"labels": [{"key": 1}]}, schema)] == ["KUB101"]


@pytest.mark.parametrize("junk", [None, 1, [], "a", {"properties": []}, {"items": [{}]}, {"type": 3}])
def test_legacy_schemas_that_are_malformed_are_left_for_the_parser(junk) -> None:
    keep_unknown(junk)
