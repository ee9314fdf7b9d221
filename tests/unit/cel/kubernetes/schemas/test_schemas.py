"""Types and values of objects whose schema is known."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho import cel
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.kubernetes.schemas import declare, escape
from sekisho.diag import DiagnosticError
from sekisho.kube.schema import builtin, parse_schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer"},
        "ratio": {"type": "number"},
        "on": {"type": "boolean"},
        "port": {"x-kubernetes-int-or-string": True},
        "at": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "span": {"type": "string", "format": "duration"},
        "raw": {"type": "string", "format": "byte"},
        "x-y": {"type": "string"},
        "a.b/c": {"type": "string"},
        "in": {"type": "string"},
        "__u": {"type": "string"},
        "0digit": {"type": "string"},
        "maybe": {"type": "string", "nullable": True},
        "times": {"type": "array", "items": {"type": "string", "format": "date-time"}},
        "byDay": {"type": "object", "additionalProperties": {"type": "string", "format": "date"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "rows": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "required": ["k"], "properties": {
                "k": {"type": "string"}, "v": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}},
        },
        "free": {"x-kubernetes-preserve-unknown-fields": True},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True,
                 "properties": {"known": {"type": "string"}}},
        "inner": {"type": "object", "x-kubernetes-embedded-resource": True,
                  "x-kubernetes-preserve-unknown-fields": True},
    },
}  # fmt: skip
VALUE: dict[str, Any] = {
    "name": "n", "count": 1, "ratio": 2, "on": True, "port": "http", "at": "2020-01-02T03:04:05.5Z",
    "day": "2020-01-02", "span": "1h30m", "raw": "aGk=", "x-y": "dash", "a.b/c": "dots", "in": "reserved",
    "__u": "under", "maybe": None, "times": ["2020-01-01T00:00:00Z"], "byDay": {"a": "2020-01-01"},
    "labels": {"x-y": "kept"}, "set": ["a", "b"],
    "rows": [{"k": "one", "v": 1, "at": "2020-01-01T00:00:00Z"}, {"k": "two", "v": 2}],
    "open": {"known": "k", "unknown": 1}, "inner": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}},
}  # fmt: skip


def evaluate(expression: str, value: Any = VALUE, schema: dict[str, Any] = SCHEMA) -> Any:
    declared = declare(parse_schema(schema), "T")
    assert declared is not None
    environment = kubernetes_environment().with_structs(*declared.structs)
    environment = environment.with_variables({"self": declared.type})
    return cel.compile(expression, environment).eval({"self": declared.value(value)})


@pytest.mark.parametrize(
    "expression",
    [
        "self.name == 'n' && self.count + 1 == 2 && self.on",
        "self.ratio == 2.0 && type(self.ratio) == double",
        "type(self.port) == string && self.port == 'http'",
        "self.at == timestamp('2020-01-02T03:04:05.5Z') && self.at.getFullYear() == 2020",
        "self.day == timestamp('2020-01-02T00:00:00Z')",
        "self.span == duration('90m')",
        "self.raw == b'hi'",
        "self.x__dash__y == 'dash'",
        "self.a__dot__b__slash__c == 'dots'",
        "self.__in__ == 'reserved'",
        "self.__underscores__u == 'under'",
        "!has(self.maybe)",
        "self.times[0] == timestamp('2020-01-01T00:00:00Z')",
        "self.times.all(t, t.getFullYear() == 2020)",
        "self.byDay['a'].getDayOfYear() == 0",
        "self.labels['x-y'] == 'kept'",
        "self.set == ['b', 'a'] && ['b', 'a'] == self.set && self.set != ['a']",
        "self.set + ['b', 'c'] == ['a', 'b', 'c']",
        "self.set.exists(s, s == 'a') && 'b' in self.set && size(self.set) == 2",
        "self.rows.all(r, r.v > 0) && self.rows[0].at.getFullYear() == 2020",
        "self.rows == self.rows",
        "self.open.known == 'k'",
        "self.inner.metadata.name == 'p' && self.inner.kind == 'Pod'",
    ],
)
def test_what_expressions_may_say(expression: str) -> None:
    assert evaluate(expression) is True


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("self.missing == 1", "undefined field 'missing'"),
        ("self.free == 1", "undefined field 'free'"),
        ("self.open.unknown == 1", "undefined field 'unknown'"),
        ("self.inner.metadata.labels == {}", "undefined field 'labels'"),
        ("self.count == '1'", "found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.set == [1]", "found no matching overload for '_==_' applied to '(list(string), list(int))'"),
    ],
)
def test_what_they_may_not(expression: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        evaluate(expression)
    assert error.value.diagnostics[0].message == message


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("at", "yesterday", "Invalid date-time formatted string yesterday"),
        ("day", "2020-13-01", "Invalid date formatted string 2020-13-01"),
        ("span", "long", "Invalid duration long"),
        ("raw", "%", "Invalid byte formatted string %"),
        ("ratio", "x", "invalid data, expected float, got str"),
        ("set", "x", "invalid data, expected an array for the provided schema with type=array"),
    ],
)
def test_what_does_not_have_its_format_fails(field: str, value: Any, message: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        evaluate(f"self.{field} == self.{field}", {**VALUE, field: value})
    assert error.value.diagnostics[0].message.startswith(message)


@pytest.mark.parametrize(
    ("span", "wanted"),
    [("1h", "3600s"), ("3 days", "259200s"), ("2 weeks", "1209600s"), ("5 min", "300s"), ("1h30m", "5400s")],
)
def test_durations_in_words(span: str, wanted: str) -> None:
    assert evaluate(f"self.span == duration('{wanted}')", {"span": span}) is True


def test_keyed_lists_are_merged() -> None:
    schema = {
        "type": "object",
        "properties": {"a": SCHEMA["properties"]["rows"], "b": SCHEMA["properties"]["rows"]},
    }
    one, two = {"k": "one", "v": 1}, {"k": "two", "v": 2}
    changed, three = {"k": "one", "v": 9}, {"k": "three", "v": 3}
    value = {"a": [one, two], "b": [three, changed]}
    assert evaluate("self.a + dyn(self.b)", value, schema) == [changed, two, three]
    assert evaluate("self.a == dyn(self.b)", {"a": [one, two], "b": [two, one]}, schema) is True
    assert evaluate("self.a == dyn(self.b)", {"a": [one, two], "b": [two, changed]}, schema) is False


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("plain", "plain"), ("x-y", "x__dash__y"), ("a.b", "a__dot__b"), ("a/b", "a__slash__b"),
        ("a__b", "a__underscores__b"), ("a_b", "a_b"), ("namespace", "__namespace__"), ("$ref", None), ("0a", None),
        ("", None), ("ä", None),
    ],
)  # fmt: skip
def test_escaping(name: str, wanted: str | None) -> None:
    assert escape(name) == wanted


def test_recursive_schemas_end() -> None:
    found = builtin().lookup("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    assert found is not None
    declared = declare(found.schema, "CustomResourceDefinition")
    assert declared is not None
    assert len(declared.structs) < 100


@pytest.mark.parametrize("kind", ["Pod", "Service", "Node", "PersistentVolume"])
def test_kinds_of_kubernetes_have_types(kind: str) -> None:
    found = builtin().lookup("", "v1", kind)
    assert found is not None
    assert declare(found.schema, kind) is not None
