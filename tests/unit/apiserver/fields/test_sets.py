"""Field sets: FieldsV1, order, texts."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.apiserver.fields.sets import (
    Malformed,
    element_of_value,
    from_fields_v1,
    in_order,
    text,
    to_fields_v1,
    without_below,
)

ROUND_TRIPS: list[dict[str, Any]] = [
    {},
    {"f:a": {}},
    {"f:a": {".": {}, "f:b": {}}},
    {"f:l": {'k:{"name":"x"}': {".": {}, "f:name": {}}, 'k:{"port":80,"protocol":"TCP"}': {}}},
    {"f:s": {'v:"a"': {}, "v:1": {}, "v:true": {}}},
    {"f:i": {"i:0": {}, "i:2": {"f:x": {}}}},
]


@pytest.mark.parametrize("value", ROUND_TRIPS)
def test_a_set_is_written_as_it_was_read(value: dict[str, Any]) -> None:
    assert to_fields_v1(from_fields_v1(value)) == value


def test_elements_are_read_in_any_spelling_of_their_keys() -> None:
    assert from_fields_v1({"f:l": {'k:{"b": 1.0, "a":"x"}': {}}}) == {("f:l", 'k:{"a":"x","b":1}')}


def test_elements_of_unknown_kinds_are_left_out() -> None:
    assert from_fields_v1({"x:later": {}, "f:a": {}}) == {("f:a",)}


@pytest.mark.parametrize(
    "value", [{"f:a": 1}, {"a": {}}, {"fa": {}}, {"k:[": {}}, {"i:x": {}}, [], {"v:": {}}]
)
def test_malformed_sets_are_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        from_fields_v1(value)


def test_the_order_is_members_first_then_what_is_below() -> None:
    fields = from_fields_v1({"f:b": {"f:x": {}}, "f:c": {}, "f:a": {".": {}, "f:y": {}}})
    assert [text(path) for path in in_order(fields)] == [".a", ".c", ".a.y", ".b.x"]


def test_paths_as_messages_write_them() -> None:
    path = ("f:spec", 'k:{"name":"x","port":80}', "f:args", 'v:"a\\"b"', "i:3")
    assert text(path) == '.spec[name="x",port=80].args[="a\\"b"][3]'


def test_values_are_escaped_as_go_escapes_them() -> None:
    assert element_of_value("<&>") == 'v:"\\u003c\\u0026\\u003e"'


def test_what_is_below_goes_too() -> None:
    fields = frozenset({("a",), ("a", "b"), ("c",)})
    assert without_below(fields, frozenset({("a",)})) == {("c",)}
