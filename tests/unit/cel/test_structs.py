"""Types with fields: declared ones over objects read in place, and messages that literals make."""

from __future__ import annotations

from typing import Any

import pytest

import sekisho.cel as cel
from sekisho.cel.problems import display_all
from sekisho.cel.standard import MESSAGES, OPTIONALS
from sekisho.cel.times import parse_timestamp
from sekisho.cel.types import (
    BOOL,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Field,
    Struct,
    list_of,
    map_of,
    struct,
    wrapper_of,
)
from sekisho.cel.values import Duration, Timestamp, UInt
from sekisho.diag import DiagnosticError

SPEC = Struct(
    name="Spec",
    fields={
        "replicas": Field(type=INT),
        "paused": Field(type=BOOL),
        "names": Field(type=list_of(STRING)),
        "labels": Field(type=map_of(STRING, STRING)),
        "x__dash__y": Field(type=STRING, key="x-y"),
        "since": Field(type=TIMESTAMP, read=parse_timestamp),
        "limit": Field(type=wrapper_of(INT)),
        "any": Field(type=DYN),
    },
)
ROOT = Struct(name="Root", fields={"spec": Field(type=struct("Spec"))})
ENVIRONMENT = cel.Environment(
    libraries=(OPTIONALS, MESSAGES), variables={"self": struct("Root")}, options=cel.KUBERNETES
).with_structs(SPEC, ROOT)
OBJECT = {
    "spec": {
        "replicas": 3,
        "names": ["a", "b"],
        "labels": {"app": "web"},
        "x-y": "z",
        "since": "2024-01-31T12:00:00Z",
        "limit": None,
        "any": [1],
    }
}


def evaluate(expression: str) -> Any:
    program = cel.compile(expression, ENVIRONMENT)
    explained = program.explain({"self": OBJECT})
    assert explained.error is None
    value = program.eval({"self": OBJECT})
    assert repr(value) == repr(explained.value) or list(value) == list(explained.value)
    return value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("self.spec.replicas + 1 > 3", True),
        ("has(self.spec.replicas) && !has(self.spec.paused)", True),
        ("self.spec.names.all(n, n < 'c') && self.spec.names[1] == 'b'", True),
        ("self.spec.labels.app + self.spec.x__dash__y", "webz"),
        ("has(self.spec.x__dash__y)", True),
        ("self.spec.since < timestamp('2025-01-01T00:00:00Z')", True),
        ("self.spec.since", Timestamp(1_706_702_400 * 10**9)),
        ("self.spec.?since.hasValue()", True),
        ("self.spec.limit == null", True),
        ("self.spec.?paused.orValue(true)", True),
        ("self.spec.any[0]", 1),
    ],
)
def test_fields(expression: str, value: Any) -> None:
    assert repr(evaluate(expression)) == repr(value)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("self.spec.replica > 3", "1:10: undefined field 'replica'"),
        ("has(self.status)", "1:4: undefined field 'status'"),
        ("self.spec.replicas > '3'", "found no matching overload for '_>_' applied to '(int, string)'"),
        ("self.spec.names.all(n, n > 1)", "found no matching overload for '_>_' applied to '(string, int)'"),
        ("self.spec.limit + 'a'", "found no matching overload for '_+_' applied to '(wrapper(int), string)'"),
        ("Spec{replicas: 1}", "'Spec' is not a message type"),
        ("google.protobuf.Int64Value{val: 1}", "undefined field 'val'"),
        (
            "google.protobuf.Int64Value{value: 'a'}",
            "expected type of field 'value' is 'int' but provided type is 'string'",
        ),
    ],
)
def test_what_is_wrong_is_told(expression: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        cel.compile(expression, ENVIRONMENT)
    assert message in display_all(caught.value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("google.protobuf.Int64Value{value: 5} + 1", 6),
        ("google.protobuf.UInt32Value{value: 5u}", UInt(5)),
        ("google.protobuf.StringValue{}", ""),
        ("google.protobuf.Duration{seconds: 1, nanos: 5}", Duration(1_000_000_005)),
        ("google.protobuf.Timestamp{seconds: 1}", Timestamp(10**9)),
        ("google.protobuf.Value{string_value: 'a'}", "a"),
        ("google.protobuf.Value{}", None),
        ("google.protobuf.ListValue{values: [1, 2]}", [1, 2]),
        ("google.protobuf.Struct{fields: {'a': 1}}.a", 1),
        ("google.protobuf.FloatValue{value: 0.1}", 0.10000000149011612),
    ],
)
def test_well_known_messages(expression: str, value: Any) -> None:
    found = evaluate(expression)
    assert repr(found) == repr(value) or list(found) == value


def test_a_message_out_of_range() -> None:
    program = cel.compile("google.protobuf.Int32Value{value: 2147483648}", ENVIRONMENT)
    with pytest.raises(DiagnosticError, match="integer overflow"):
        program.eval({"self": OBJECT})
