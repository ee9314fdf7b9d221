"""Keywords of schemas, one by one: what passes, and what is said of what does not."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.kube.schema import parse_schema, validate

INT_OR_STRING = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}

PASSES: list[tuple[dict[str, Any], Any]] = [
    ({"type": "string"}, ""),
    ({"type": "string", "minLength": 2, "maxLength": 2}, "éé"),
    ({"type": "string", "pattern": "b"}, "abc"),
    ({"type": "string", "enum": ["a", "b"]}, "b"),
    ({"type": "integer"}, 3),
    ({"type": "integer"}, 3.0),
    ({"type": "integer", "enum": [1, 2]}, 2.0),
    ({"type": "number"}, 3),
    ({"type": "number"}, 0.5),
    ({"type": "integer", "minimum": 1, "maximum": 3}, 3),
    ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 2),
    ({"type": "number", "multipleOf": 0.1}, 0.3),
    ({"type": "integer", "format": "int32"}, 2**31 - 1),
    ({"type": "integer", "format": "int64"}, 2**63 - 1),
    ({"type": "boolean"}, False),
    ({"type": "array", "items": {"type": "string"}}, ["a"]),
    ({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1}, ["a"]),
    ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, [1, 2]),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
    ({"type": "object", "additionalProperties": True}, {"a": [1]}),
    ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"a": [1]}),
    ({"x-kubernetes-preserve-unknown-fields": True}, 3),
    ({"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}, {"a": None}),
    ({"type": "object", "minProperties": 1, "additionalProperties": True}, {"a": 1}),
    (INT_OR_STRING, 3),
    (INT_OR_STRING, "25%"),
    ({**INT_OR_STRING, "pattern": "^[0-9]+%$"}, "25%"),
    ({**INT_OR_STRING, "pattern": "^[0-9]+%$"}, 25),
    ({"type": "integer", "anyOf": [{"minimum": 10}, {"maximum": 1}]}, 11),
    ({"type": "integer", "oneOf": [{"minimum": 10}, {"maximum": 1}]}, 0),
    ({"type": "integer", "allOf": [{"minimum": 1}, {"maximum": 10}]}, 5),
    ({"type": "integer", "not": {"minimum": 1}}, 0),
    ({"x-kubernetes-preserve-unknown-fields": True, "not": {"minimum": 1}}, None),
    ({"type": "object", "additionalProperties": {"nullable": True}, "required": ["a"]}, {"a": None}),
    ({"type": "string", "format": "date-time"}, "2026-01-02T03:04:05Z"),
    ({"type": "string", "format": "date-time"}, "2026-01-02T03:04:05.123+09:00"),
    ({"type": "string", "format": "unheard-of"}, "anything"),
    (
        {
            "type": "array",
            "items": {"type": "object", "properties": {"n": {"type": "string"}}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["n"],
        },
        [{"n": "a"}, {"n": "b"}],
    ),
]


@pytest.mark.parametrize(("schema", "value"), PASSES)
def test_a_value_that_fits_passes(schema, value) -> None:
    assert validate(value, parse_schema(schema), under=("x",)) == ()


TYPE = "x in body must be of type"

TYPELESS = {"x-kubernetes-preserve-unknown-fields": True, "format": "ipv4"}

FAILS: list[tuple[dict[str, Any], Any, str, str]] = [
    ({"type": "string"}, 3, "KUB101", f'x: Invalid value: "integer": {TYPE} string: "integer"'),
    ({"type": "string"}, None, "KUB101", f'x: Invalid value: "null": {TYPE} string: "null"'),
    ({"type": "string"}, True, "KUB101", f'x: Invalid value: "boolean": {TYPE} string: "boolean"'),
    ({"type": "integer"}, "3", "KUB101", f'x: Invalid value: "string": {TYPE} integer: "string"'),
    ({"type": "integer"}, 1.5, "KUB101", f'x: Invalid value: "number": {TYPE} integer: "number"'),
    ({"type": "integer"}, True, "KUB101", f'x: Invalid value: "boolean": {TYPE} integer: "boolean"'),
    ({"type": "object"}, [], "KUB101", f'x: Invalid value: "array": {TYPE} object: "array"'),
    ({"type": "array", "items": {}}, {}, "KUB101", f'x: Invalid value: "object": {TYPE} array: "object"'),
    (INT_OR_STRING, True, "KUB101", f'x: Invalid value: "boolean": {TYPE} integer,string: "boolean"'),
    (
        {"type": "string", "minLength": 2},
        "a",
        "KUB105",
        'x: Invalid value: "a": x in body should be at least 2 chars long',
    ),
    ({"type": "string", "maxLength": 2}, "abc", "KUB105", "x: Too long: may not be more than 2 bytes"),
    ({"type": "string", "maxLength": 1}, "abc", "KUB105", "x: Too long: may not be more than 1 byte"),
    (
        {"type": "string", "pattern": "^b"},
        "ab",
        "KUB104",
        "x: Invalid value: \"ab\": x in body should match '^b'",
    ),
    (
        {"type": "string", "enum": ["a", "b"]},
        "c",
        "KUB103",
        'x: Unsupported value: "c": supported values: "a", "b"',
    ),
    ({"type": "integer", "enum": [1, 2]}, 3, "KUB103", 'x: Unsupported value: 3: supported values: "1", "2"'),
    (
        {"type": "integer", "maximum": 3},
        4,
        "KUB105",
        "x: Invalid value: 4: x in body should be less than or equal to 3",
    ),
    (
        {"type": "integer", "maximum": 3, "exclusiveMaximum": True},
        3,
        "KUB105",
        "x: Invalid value: 3: x in body should be less than 3",
    ),
    (
        {"type": "integer", "minimum": 3},
        2,
        "KUB105",
        "x: Invalid value: 2: x in body should be greater than or equal to 3",
    ),
    (
        {"type": "number", "minimum": 0.5, "exclusiveMinimum": True},
        0.5,
        "KUB105",
        "x: Invalid value: 0.5: x in body should be greater than 0.5",
    ),
    (
        {"type": "integer", "multipleOf": 2},
        3,
        "KUB105",
        "x: Invalid value: 3: x in body should be a multiple of 2",
    ),
    (
        {"type": "integer", "format": "int32"},
        2**31,
        "KUB105",
        "x: Invalid value: 2147483648: x in body must be of type int32: the value is out of range",
    ),
    (
        {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        [1],
        "KUB105",
        "x: Invalid value: 1: x in body should have at least 2 items",
    ),
    (
        {"type": "array", "items": {"type": "integer"}, "maxItems": 1},
        [1, 2],
        "KUB105",
        "x: Too many: 2: must have at most 1 item",
    ),
    (
        {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        [1, 1.0],
        "KUB106",
        'x: Invalid value: "": x in body shouldn\'t contain duplicates',
    ),
    (
        {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        ["a", "b", "a"],
        "KUB106",
        'x[2]: Duplicate value: "a"',
    ),
    (
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"n": {"type": "string"}, "p": {"type": "string", "default": "TCP"}},
            },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["n", "p"],
        },
        [{"n": "a"}, {"n": "a", "p": "TCP"}],
        "KUB106",
        'x[1]: Duplicate value: {"n":"a","p":"TCP"}',
    ),
    (
        {"type": "object", "additionalProperties": True, "minProperties": 1},
        {},
        "KUB105",
        "x: Invalid value: 0: x in body should have at least 1 properties",
    ),
    (
        {"type": "object", "additionalProperties": True, "maxProperties": 1},
        {"a": 1, "b": 2},
        "KUB105",
        "x: Too many: 2: must have at most 1 item",
    ),
    ({"type": "object", "required": ["a"]}, {}, "KUB102", "x.a: Required value"),
    ({"type": "object"}, {"a": 1}, "KUB100", 'unknown field "x.a"'),
    (
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"a/b": 1},
        "KUB100",
        'unknown field "x["a/b"]"',
    ),
    (
        {"type": "string", "format": "ipv4"},
        "a",
        "KUB104",
        'x: Invalid value: "a": x in body must be of type ipv4: "a"',
    ),
    (TYPELESS, 3, "KUB101", f'x: Invalid value: "integer": {TYPE} ipv4: "integer"'),
    (
        {"type": "integer", "not": {"minimum": 1}},
        1,
        "KUB107",
        'x: Invalid value: "": "x" must not validate the schema (not)',
    ),
    (
        {"type": "integer", "oneOf": [{"minimum": 1}, {"minimum": 2}]},
        3,
        "KUB107",
        'x: Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ),
]


@pytest.mark.parametrize(("schema", "value", "code", "message"), FAILS)
def test_a_value_that_does_not_fit_is_told_so(schema, value, code, message) -> None:
    (found,) = validate(value, parse_schema(schema), under=("x",))
    assert (found.code.id, found.message) == (code, message)


def test_of_several_alternatives_the_nearest_explains() -> None:
    schema = parse_schema(
        {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "anyOf": [{"required": ["a", "b"]}, {"required": ["a"]}],
        }
    )
    found = validate({}, schema, under=("x",))
    assert [d.message for d in found] == [
        'x: Invalid value: "": "x" must validate at least one schema (anyOf)',
        "x.a: Required value",
    ]


def test_a_pattern_that_is_none_is_told_apart() -> None:
    (found,) = validate("a", parse_schema({"type": "string", "pattern": "(?=a)"}), under=("x",))
    assert "but pattern is invalid" in found.message


def test_a_pattern_with_a_nested_repetition_takes_no_time() -> None:
    schema = parse_schema({"type": "string", "pattern": "^(a+)+$"})
    assert validate("a" * 50_000 + "b", schema, under=("x",))


FORMATS = {
    "bsonobjectid": (["507f1f77bcf86cd799439011"], ["507f"]),
    "byte": (["aGk=", "aGVsbG8h"], ["", "a", "aGk", "a===", "a b=", "aGk=\n"]),
    "cidr": (["10.0.0.1/8", "::1/128"], ["10.0.0.0", "10.0.0.0/33", "x/1", "10.0.0.0/ 8"]),
    "creditcard": (["4111 1111 1111 1111"], ["4111111111111112", "1"]),
    "date": (["2026-02-28"], ["2026-02-30", "20260228", "2026-W01-1"]),
    "datetime": (["2026-01-02T03:04:05Z", "2026-01-02t03:04:05.5z"], ["2026-01-02", "2026-13-02T03:04:05Z"]),
    "duration": (["1h30m", "1.5s", "-2ms", "3 days", "0"], ["1", "h", "1 parsec", ""]),
    "email": (["a@example.com"], ["a", "a@", "a b@c"]),
    "hexcolor": (["#fff", "00FF00"], ["#ff", "blue"]),
    "hostname": (["example.com", "a-b.c."], ["-a", "a..b", "", "a" * 64]),
    "ipv4": (["192.0.2.1"], ["192.0.2", "::1", "192.0.2.256"]),
    "ipv6": (["::1", "2001:db8::"], ["192.0.2.1", ":::", "fe80::1%eth0"]),
    "isbn": (["0321751043", "978-0321751041"], ["0321751044"]),
    "isbn10": (["0321751043"], ["978-0321751041"]),
    "isbn13": (["978-0321751041"], ["978-0321751042"]),
    "k8s-long-name": (["a.b-c"], ["A", "a..b", "a" * 254]),
    "k8s-short-name": (["a-b"], ["a.b", "-a"]),
    "mac": (["01:23:45:67:89:ab", "0123.4567.89ab"], ["01:23", "01-23:45:67:89:ab"]),
    "password": (["anything", ""], []),
    "rgbcolor": (["rgb(1, 2, 3)"], ["rgb(1,2)"]),
    "ssn": (["123-45-6789"], ["123-45-678"]),
    "uri": (["https://example.com/a", "/a"], ["a b", ""]),
    "uuid": (["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"], ["123e4567"]),
    "uuid3": (["123e4567-e89b-32d3-a456-426614174000"], ["123e4567-e89b-42d3-a456-426614174000"]),
    "uuid4": (["123e4567-e89b-42d3-a456-426614174000"], ["123e4567-e89b-42d3-0456-426614174000"]),
    "uuid5": (["123e4567-e89b-52d3-a456-426614174000"], ["123e4567-e89b-42d3-a456-426614174000"]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_takes_its_texts_and_no_others(name) -> None:
    schema = parse_schema({"type": "string", "format": name})
    good, bad = FORMATS[name]
    assert [text for text in good if validate(text, schema)] == []
    assert [text for text in bad if not validate(text, schema)] == []


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_is_slow_on_a_long_text(name) -> None:
    schema = parse_schema({"type": "string", "format": name})
    for text in (
        "1" * 100_000,
        "a" * 100_000,
        "1." * 50_000,
        "-" * 100_000,
        ("1" * 500 + " ") * 200,
        ":" * 100_000,
    ):
        validate(text, schema)
