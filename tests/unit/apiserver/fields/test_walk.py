"""Paths, differences, merges and removals by the shape of values, and what does not fit a shape."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.apiserver.fields.merge import merge, remove, settled, with_named
from sekisho.apiserver.fields.sets import Fields, text
from sekisho.apiserver.fields.shape import DEDUCED, Shape, shape_of
from sekisho.apiserver.fields.walk import Unfit, check, compare, fields_of
from sekisho.kube.schema import parse_schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "number": {"type": "integer"},
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "list": {"type": "array", "items": {"type": "string"}},
        "map": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k", "n"],
            "items": {
                "type": "object",
                "properties": {
                    "k": {"type": "string"},
                    "n": {"type": "integer", "default": 7},
                    "v": {"type": "string"},
                },
            },
        },
        "atom": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "x-kubernetes-map-type": "atomic",
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
"""One field of each kind."""


def text_paths(fields: Fields) -> list[str]:
    return sorted(map(text, fields))


@pytest.fixture(scope="module")
def shape() -> Shape:
    return shape_of(parse_schema(SCHEMA))


PATHS = [
    pytest.param({"text": "x", "number": None}, ".number .text", id="scalars"),
    pytest.param({"set": ["a", "b"]}, '.set[="a"] .set[="b"]', id="a set"),
    pytest.param({"list": ["a"], "atom": {"a": "1"}}, ".atom .list", id="atomic ones"),
    pytest.param(
        {"map": [{"k": "a", "v": "1"}]},
        '.map[k="a",n=7] .map[k="a",n=7].k .map[k="a",n=7].v',
        id="a map list, with the default of a key",
    ),
    pytest.param({"labels": {"a": "1"}}, ".labels.a", id="a map"),
    pytest.param({"labels": {}}, ".labels", id="an empty map"),
    pytest.param({"free": {"a": {"b": 1}, "c": [1]}}, ".free.a .free.a.b .free.c", id="what no schema names"),
    pytest.param({"set": ["a", "a"]}, '.set[="a"]', id="items that are there twice"),
]


@pytest.mark.parametrize(("value", "wanted"), PATHS)
def test_the_paths_of_a_value(value: Any, wanted: str, shape: Shape) -> None:
    assert text_paths(fields_of(value, shape)) == wanted.split()


CHANGES = [
    pytest.param({"text": "a"}, {"text": "b"}, "", ".text", "", id="scalar"),
    pytest.param({}, {"labels": {"a": "1"}}, ".labels .labels.a", "", "", id="a new map, with what is in it"),
    pytest.param({"labels": {"a": "1"}}, {}, "", "", ".labels .labels.a", id="a map goes"),
    pytest.param({"labels": None}, {"labels": {"a": "1"}}, ".labels.a", "", "", id="null takes any form"),
    pytest.param({"list": ["a"]}, {"list": ["b"]}, "", ".list", "", id="atomic list"),
    pytest.param({"atom": {}}, {"atom": {"a": "1"}}, "", ".atom", "", id="atomic map"),
    pytest.param({"set": ["a", "b"]}, {"set": ["b", "c"]}, '.set[="c"]', "", '.set[="a"]', id="set"),
    pytest.param(
        {"map": [{"k": "a", "v": "1"}]},
        {"map": [{"k": "a", "n": 7, "v": "2"}]},
        '.map[k="a",n=7].n',
        '.map[k="a",n=7].v',
        "",
        id="map list",
    ),
    pytest.param({"set": ["a"]}, {"set": ["a", "a"]}, '.set[="a"]', "", '.set[="a"]', id="now twice"),
    pytest.param({"set": ["a", "a"]}, {"set": ["a"]}, '.set[="a"]', "", '.set[="a"]', id="twice no longer"),
    pytest.param(
        {"free": {"a": "x"}}, {"free": {"a": {"b": 1}}}, ".free.a.b", ".free.a", "", id="another kind"
    ),
    pytest.param({"number": 1}, {"number": 1.0}, "", "", "", id="one number in two forms"),
    pytest.param({"free": {"a": 1}}, {"free": {"a": True}}, "", ".free.a", "", id="a boolean is no number"),
]


@pytest.mark.parametrize(("old", "new", "added", "modified", "removed"), CHANGES)
def test_what_a_change_does(
    old: Any, new: Any, added: str, modified: str, removed: str, shape: Shape
) -> None:
    found = compare(old, new, shape)
    wanted = (added.split(), modified.split(), removed.split())
    assert tuple(text_paths(row) for row in found) == wanted


MERGES = [
    pytest.param({"text": "a", "number": 1}, {"text": "b"}, {"text": "b", "number": 1}, id="fields"),
    pytest.param({"labels": {"a": "1"}}, {"labels": None}, {"labels": {"a": "1"}}, id="null over a map"),
    pytest.param({"set": ["a", "b", "c"]}, {"set": ["c", "x", "a"]}, {"set": ["b", "c", "x", "a"]}, id="set"),
    pytest.param({"set": ["a"]}, {"set": ["x", "a"]}, {"set": ["x", "a"]}, id="a new item before"),
    pytest.param({"list": ["a"]}, {"list": ["b"]}, {"list": ["b"]}, id="atomic list"),
    pytest.param(
        {"map": [{"k": "a", "v": "1"}, {"k": "b"}]},
        {"map": [{"k": "b", "v": "2"}]},
        {"map": [{"k": "a", "v": "1"}, {"k": "b", "v": "2"}]},
        id="map list",
    ),
]


@pytest.mark.parametrize(("live", "config", "wanted"), MERGES)
def test_laying_a_configuration_over_a_value(live: Any, config: Any, wanted: Any, shape: Shape) -> None:
    assert merge(live, config, shape) == wanted


def test_what_becomes_empty_by_a_removal_becomes_null(shape: Shape) -> None:
    value = {"labels": {"a": "1"}, "set": ["a"], "text": "x"}
    gone = frozenset({("f:labels", "f:a"), ("f:set", 'v:"a"')})
    assert remove(value, gone, shape) == {"labels": None, "set": None, "text": "x"}


def test_named_fields_on_the_way_belong_to_a_set(shape: Shape) -> None:
    path = ("f:map", 'k:{"k":"a","n":7}', "f:v")
    assert with_named(frozenset({path}), shape) == {("f:map",), path}


def test_what_has_become_atomic_is_owned_as_a_whole(shape: Shape) -> None:
    fields = frozenset({("f:atom", "f:a"), ("f:labels", "f:a"), ("f:list", 'v:"a"')})
    assert settled(fields, shape) == {("f:atom",), ("f:labels", "f:a"), ("f:list",)}
    assert settled(frozenset({("f:x", "f:y")}), DEDUCED) == {("f:x", "f:y")}


UNFIT = [
    pytest.param({"nope": 1}, ".nope: field not declared in schema", id="unknown"),
    pytest.param({"number": "x"}, ".number: expected numeric (int or float), got string", id="number"),
    pytest.param({"labels": []}, ".labels: expected map, got &{[]}", id="map"),
    pytest.param({"set": {}}, ".set: expected list, got &{map[]}", id="list"),
    pytest.param({"set": ["a", "a"]}, '.set: duplicate entries for key [="a"]', id="twice"),
    pytest.param(
        {"set": [None]}, ".set: element 0: associative list without keys has an element that's an", id="null"
    ),
    pytest.param(
        {"map": [{"n": 1}]},
        '.map: element 0: associative list with keys has an element that omits key field "k"',
        id="no key",
    ),
    pytest.param({"text": 5}, ".text: expected string, got &value.valueUnstructured{Value:5}", id="text"),
]


@pytest.mark.parametrize(("value", "wanted"), UNFIT)
def test_what_does_not_fit(value: Any, wanted: str, shape: Shape) -> None:
    with pytest.raises(Unfit) as raised:
        check(value, shape)
    assert str(raised.value).startswith(wanted)


def test_all_places_are_listed(shape: Shape) -> None:
    with pytest.raises(Unfit) as raised:
        check({"number": "x", "labels": 1}, shape)
    assert str(raised.value).splitlines()[0] == "errors:"
    assert len(str(raised.value).splitlines()) == 3
