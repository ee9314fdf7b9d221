"""Validation rules over objects and old objects, in the API server's words."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.cel.kubernetes.rules import compile_rules, validate_rules
from sekisho.kube.schema import parse_schema, resource_schema

RULES = "x-kubernetes-validations"


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def broken(raw: dict[str, Any], value: Any, old: Any = None, *, resource: bool = False) -> list[str]:
    node = parse_schema(raw)
    rules = compile_rules(resource_schema(node) if resource else node, resource=resource)
    assert not rules.problems, rules.problems
    return [("warning: " if row.warning else "") + row.message for row in validate_rules(rules, value, old)]


def ruled(type: str, *rules: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    rows = [{"rule": row} if isinstance(row, str) else row for row in rules]
    return {"type": type, **more, RULES: rows}


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({}, "n: Invalid value: 5: failed rule: self < 3"),
        ({"message": " small! "}, "n: Invalid value: 5: small!"),
        ({"messageExpression": "'not ' + string(self)"}, "n: Invalid value: 5: not 5"),
        ({"messageExpression": "string(1 / (self - 5))", "message": "m"}, "n: Invalid value: 5: m"),
        ({"messageExpression": "'a\\nb'", "message": "m"}, "n: Invalid value: 5: m"),
        ({"messageExpression": "' '"}, "n: Invalid value: 5: failed rule: self < 3"),
        ({"reason": "FieldValueForbidden", "message": "m"}, "n: Forbidden: m"),
        ({"reason": "FieldValueRequired", "message": "m"}, "n: Required value: m"),
        ({"reason": "FieldValueDuplicate", "message": "m"}, "n: Duplicate value: 5"),
        ({"reason": "FieldValueInvalid", "message": "m"}, "n: Invalid value: 5: m"),
    ],
)
def test_messages_and_reasons(rule: dict[str, Any], wanted: str) -> None:
    assert broken(schema(n=ruled("integer", {"rule": "self < 3", **rule})), {"n": 5}) == [wanted]


def test_objects_and_lists_are_not_repeated() -> None:
    raw = schema(o=ruled("object", "false", properties={"a": {"type": "string"}}),
                 l=ruled("array", "false", items={"type": "string"}))  # fmt: skip
    assert broken(raw, {"o": {"a": "x"}, "l": ["x"]}) == [
        "o: Invalid value: failed rule: false",
        "l: Invalid value: failed rule: false",
    ]


@pytest.mark.parametrize(("path", "wanted"), [(".a", "o.a"), (".m['x.y']", "o.m[x.y]"), (".i.j", "o.i.j")])
def test_field_paths(path: str, wanted: str) -> None:
    properties = {
        "a": {"type": "string"}, "m": {"type": "object", "additionalProperties": {"type": "string"}},
        "i": {"type": "object", "properties": {"j": {"type": "string"}}},
    }  # fmt: skip
    raw = schema(
        o=ruled("object", {"rule": "false", "fieldPath": path, "message": "m"}, properties=properties)
    )
    (found,) = broken(raw, {"o": {"a": "x"}})
    assert found == f"{wanted}: Invalid value: m"


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("self.a[3] == ''", 'o: Invalid value: "object": index out of bounds: 3 evaluating rule: self.a[3] == \'\''),
        ("self.m['k'] == ''", 'o: Invalid value: "object": no such key: k evaluating rule: self.m[\'k\'] == \'\''),
        ("self.p < 3", ('o: Invalid value: "object": \'no such overload\': call arguments did not match a supported '
                       "operator, function or macro signature for rule: self.p < 3")),
    ],
)  # fmt: skip
def test_rules_that_fail(rule: str, wanted: str) -> None:
    properties = {
        "a": {"type": "array", "items": {"type": "string"}},
        "m": {"type": "object", "additionalProperties": {"type": "string"}},
        "p": {"x-kubernetes-int-or-string": True},
    }  # fmt: skip
    value = {"o": {"a": [], "m": {}, "p": "x"}}
    assert broken(schema(o=ruled("object", rule, properties=properties)), value) == [wanted]


def test_absent_and_null_values_are_not_asked() -> None:
    assert broken(schema(n=ruled("integer", "false", nullable=True)), {"n": None}) == []
    assert broken(schema(n=ruled("integer", "false")), {}) == []


def test_rules_are_asked_everywhere() -> None:
    item = ruled("string", "self != 'x'")
    raw = schema(
        l={"type": "array", "items": item},
        m={"type": "object", "additionalProperties": item},
        o=schema(i=schema(s=item)),
    )
    value = {"l": ["a", "x"], "m": {"k": "x"}, "o": {"i": {"s": "x"}}}
    assert [row.split(":")[0] for row in broken(raw, value)] == ["l[1]", "m[k]", "o.i.s"]


def test_the_root_of_a_resource_sees_its_names() -> None:
    raw = ruled(
        "object", "self.metadata.name.startsWith('a') && self.kind == 'K'", properties={"spec": schema()}
    )
    value = {"apiVersion": "e/v1", "kind": "K", "metadata": {"name": "b"}}
    assert len(broken(raw, value, resource=True)) == 1
    assert broken(raw, {**value, "metadata": {"name": "a"}}, resource=True) == []


# --- transitions -----------------------------------------------------------------------------------------------


def test_transition_rules_need_an_old_value() -> None:
    raw = schema(n=ruled("integer", "self >= oldSelf"))
    assert broken(raw, {"n": 1}) == []
    assert broken(raw, {"n": 1}, {}) == []
    assert broken(raw, {"n": 2}, {"n": 1}) == []
    assert broken(raw, {"n": 1}, {"n": 2}) == ["n: Invalid value: 1: failed rule: self >= oldSelf"]


def test_old_values_may_be_optional() -> None:
    rule = {"rule": "oldSelf.hasValue() ? self >= oldSelf.value() : self == 0", "optionalOldSelf": True}
    raw = schema(n=ruled("integer", rule))
    assert len(broken(raw, {"n": 1})) == 1
    assert broken(raw, {"n": 0}) == []
    assert broken(raw, {"n": 5}, {"n": 4}) == []
    assert len(broken(raw, {"n": 5}, {"n": 6})) == 1


def test_items_of_keyed_lists_correspond_by_their_keys() -> None:
    item = {**ruled("object", "self.v >= oldSelf.v", properties={"k": {"type": "string"}, "v": {"type": "integer"}}),
            "required": ["k"]}  # fmt: skip
    raw = schema(l={"type": "array", "items": item, "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"]})  # fmt: skip
    new = {"l": [{"k": "b", "v": 1}, {"k": "a", "v": 1}, {"k": "new", "v": 0}]}
    old = {"l": [{"k": "a", "v": 1}, {"k": "b", "v": 2}]}
    assert broken(raw, new, old) == ["l[0]: Invalid value: failed rule: self.v >= oldSelf.v"]


@pytest.mark.parametrize("kind", ["atomic", "set", ""])
def test_items_of_other_lists_correspond_to_nothing(kind: str) -> None:
    raw = schema(l={"type": "array", "items": ruled("string", "self == oldSelf"),
                    **({"x-kubernetes-list-type": kind} if kind else {})})  # fmt: skip
    rules = compile_rules(parse_schema(raw), resource=False)
    assert [row.message for row in rules.problems] == [
        (
            'properties.l.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": '
            "oldSelf cannot be used on the uncorrelatable portion of the schema within properties.l"
        )
    ]


def test_the_whole_list_has_an_old_value() -> None:
    raw = schema(l=ruled("array", "size(self) >= size(oldSelf)", items={"type": "string"}))
    assert len(broken(raw, {"l": []}, {"l": ["a"]})) == 1


def test_what_was_broken_before_only_warns() -> None:
    raw = schema(a=ruled("integer", "self < 3"), b={"type": "string"})
    assert broken(raw, {"a": 5, "b": "new"}, {"a": 5, "b": "old"}) == [
        "warning: a: Invalid value: 5: failed rule: self < 3"
    ]
    assert broken(raw, {"a": 6}, {"a": 5}) == ["a: Invalid value: 6: failed rule: self < 3"]


def test_transitions_are_never_let_pass() -> None:
    raw = schema(a=ruled("integer", "self > oldSelf"))
    assert broken(raw, {"a": 5}, {"a": 5}) == ["a: Invalid value: 5: failed rule: self > oldSelf"]


def test_items_of_a_list_that_did_not_change_only_warn() -> None:
    raw = schema(l={"type": "array", "items": ruled("string", "self != 'x'")})
    assert broken(raw, {"l": ["x"]}, {"l": ["x"]}) == [
        "warning: l[0]: Invalid value: \"x\": failed rule: self != 'x'"
    ]
    assert broken(raw, {"l": ["x", "y"]}, {"l": ["x"]}) == [
        "l[0]: Invalid value: \"x\": failed rule: self != 'x'"
    ]


# --- costs -------------------------------------------------------------------------------------------------------


def nested(depth: int) -> str:
    body = "true"
    for level in range(depth):
        body = f"[0,1,2,3,4,5,6,7,8,9].all(v{level}, {body})"
    return body


def test_a_rule_that_costs_too_much_ends_them_all() -> None:
    found = broken(schema(n=ruled("integer", nested(6), "false")), {"n": 1})
    assert len(found) == 1
    assert "no further validation rules will be run due to call cost exceeds limit for rule" in found[0]


def test_all_rules_share_a_budget() -> None:
    raw = schema(l={"type": "array", "items": ruled("string", nested(5))})
    found = broken(raw, {"l": 60 * ["x"]})
    assert [row.partition(": ")[2] for row in found] == [
        (
            'Invalid value: "string": validation failed due to running out of cost budget, '
            "no further validation rules will be run"
        )
    ]


# --- rules that are wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({"rule": ""}, 'rule: Required value: rule is not specified'),
        ({"rule": 1}, 'rule: Invalid value: "integer": '),
        ({"rule": "true", "other": 1}, 'unknown field "properties.n.x-kubernetes-validations[0].other"'),
        ({"rule": "true", "message": " "}, 'message: Invalid value: " ": must be non-empty if specified'),
        ({"rule": "true", "message": "a\nb"}, 'message: Invalid value: "a\\nb": must not contain line breaks'),
        ({"rule": "true &&\ntrue"}, "message: Required value: message must be specified if rule contains line breaks"),
        ({"rule": "true", "messageExpression": " "},
         "messageExpression: Required value: messageExpression must be non-empty if specified"),
        ({"rule": "true", "reason": "X"}, 'reason: Unsupported value: "X": supported values: '),
        ({"rule": "true", "fieldPath": " "}, 'fieldPath: Invalid value: " ": must be non-empty if specified'),
        ({"rule": "true", "fieldPath": ".x"}, 'fieldPath: Invalid value: ".x": must be a valid path'),
        ({"rule": "self"}, "cel expression must evaluate to a bool"),
        ({"rule": "true", "messageExpression": "1"}, "messageExpression must evaluate to a string"),
        ({"rule": "true", "optionalOldSelf": True}, "may not be set if oldSelf is not used in rule"),
        ({"rule": "self.x"}, "type 'int' does not support field selection"),
    ],
)  # fmt: skip
def test_wrong_rules_are_told(rule: dict[str, Any], wanted: str) -> None:
    found = compile_rules(parse_schema(schema(n={"type": "integer", RULES: [rule]})), resource=False)
    assert any(wanted in row.message for row in found.problems), found.problems
