"""What decoding a value into Go's structs and writing it again does to it.

The schema says what kind of value stands where; ``fields.json.gz`` (``tools/make_go_fields.py``) which fields
of a struct are written always and which are pointers. All else goes where it is zero: ``""``, ``0``,
``false``, and empty lists and maps.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from sekisho.kube.schema import Schema

_FILE: Final = Path(__file__).parent / "data" / "fields.json.gz"


class _Struct(NamedTuple):
    """The fields that are always written, and those that are pointers."""

    always: tuple[str, ...]
    pointers: frozenset[str]


_NO_STRUCT: Final = _Struct((), frozenset())

_ZEROS: Final[Mapping[str, Any]] = {"string": "", "integer": 0, "number": 0, "boolean": False}

_WRITTEN: Final[Mapping[str, Any]] = {"quantity": "0", "date-time": None, "micro-time": None, "base64": None}
"""The zeros of types that write themselves, by the format that their schema has."""


@cache
def _structs() -> Mapping[str, _Struct]:
    rows = orjson.loads(gzip.decompress(_FILE.read_bytes()))
    return {name: _Struct(tuple(always), frozenset(pointers)) for name, (always, pointers) in rows.items()}


def zero_of(schema: Schema) -> Any:
    """The zero value of a place as Go writes it: of a struct what is always written."""
    node = schema.resolved()
    if node.int_or_string:
        return 0
    if node.format in _WRITTEN:
        return _WRITTEN[node.format]
    if node.name in _structs():
        return _zero_struct(node)
    return _ZEROS.get(node.type)


def _zero_struct(node: Schema) -> dict[str, Any]:
    struct = _structs()[node.name]
    return {
        name: None if name in struct.pointers else zero_of(node.properties[name])
        for name in struct.always
        if name in node.properties
    }


def compact(value: Any, schema: Schema | None) -> Any:
    """The value without what Go would not write of it. The input is not changed; parts may be shared."""
    node = schema.resolved() if schema is not None else None
    if node is None:
        return value
    if isinstance(value, Mapping):
        return _compact_map(value, node)
    if isinstance(value, list) and node.items is not None:
        return [compact(item, node.items) for item in value]
    return value


def _compact_map(value: Mapping[str, Any], node: Schema) -> dict[str, Any]:
    struct = _structs().get(node.name) if node.name else None
    if struct is None:
        inner = node.additional
        return {key: compact(item, inner) for key, item in value.items()} if inner else dict(value)
    out: dict[str, Any] = {}
    for key, item in value.items():
        child = node.properties.get(key)
        if child is None:
            out[key] = item
            continue
        if item is None or (not item and key not in struct.pointers and key not in struct.always):
            continue
        out[key] = compact(item, child)
    return out


def filled(value: Any, schema: Schema | None) -> Any:
    """The value with the zeros that Go writes always. The input is not changed; parts may be shared."""
    node = schema.resolved() if schema is not None else None
    if node is None:
        return value
    if isinstance(value, list):
        return [filled(item, node.items) for item in value] if node.items is not None else value
    if not isinstance(value, Mapping):
        return value
    struct = _structs().get(node.name) if node.name else None
    if struct is None:
        inner = node.additional
        return {key: filled(item, inner) for key, item in value.items()} if inner else value
    out = {
        key: filled(item, node.properties[key])
        if isinstance(item, dict | list) and key in node.properties
        else item
        for key, item in value.items()
    }
    for name in struct.always:
        if name not in out and name in node.properties:
            out[name] = None if name in struct.pointers else zero_of(node.properties[name])
    return out
