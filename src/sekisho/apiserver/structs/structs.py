"""What decoding a value into Go's structs and writing it again does to it.

The schema says what kind of value stands where; ``fields.json.gz`` (``tools/make_go_fields.py``) which fields
of a struct are written always and which are pointers. All else goes where it is zero: ``""``, ``0``,
``false``, and empty lists and maps.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from sekisho.apiserver.release import VERSION
from sekisho.kube.quantity import QuantityError, parse
from sekisho.kube.schema import ABSENT, Schema
from sekisho.kube.schema.builtin import OBJECT_META, builtin

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


def object_meta() -> Schema:
    """The schema of an object's metadata."""
    return builtin(VERSION).definition(OBJECT_META)


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


_EMPTY: Final = frozenset({("io.k8s.api.core.v1.LocalObjectReference", "name")})
"""Fields whose default is an empty text, which the published schemas began to say with 1.31."""


def default_of(struct: Schema, field: str) -> Any:
    """What a field is taken to be where it is absent, as the schema of the server says; None if nothing."""
    child = struct.properties.get(field)
    if child is None:
        return None
    if child.default is not ABSENT:
        return child.default
    if (struct.name, field) in _EMPTY:
        return ""
    facts = _structs().get(struct.name) if struct.name else None
    always = facts is not None and field in facts.always and field not in facts.pointers
    return _ZEROS.get(child.resolved().type) if always else None


def compact(value: Any, schema: Schema | None) -> Any:
    """The value without what Go would not write of it. The input is not changed; parts may be shared."""
    node = schema.resolved() if schema is not None else None
    if node is None:
        return value
    if isinstance(value, (dict, Mapping)):
        return _compact_map(value, node)
    if isinstance(value, list) and node.items is not None:
        return [compact(item, node.items) for item in value]
    return _canonical(value) if node.format == "quantity" else value


def _canonical(value: Any) -> Any:
    """A quantity as it is written; what is none stays for validation."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    try:
        return parse(str(value)).canonical()
    except QuantityError:
        return value


def _compact_map(value: Mapping[str, Any], node: Schema) -> dict[str, Any]:
    struct = _structs().get(node.name) if node.name else None
    if struct is None:
        inner = node.additional
        return {key: _of_map(item, inner) for key, item in value.items()} if inner else dict(value)
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


def _of_map(item: Any, schema: Schema) -> Any:
    """A value of a map: null is the zero of what the map holds."""
    return _ZEROS.get(schema.resolved().type) if item is None else compact(item, schema)


@lru_cache(maxsize=1024)
def _embeds(schema: Schema) -> bool:
    """Whether there are embedded objects in a custom resource's schema."""
    node = schema.resolved()
    inner = (*node.properties.values(), node.additional, node.items)
    return node.embedded or any(row is not None and row.target is None and _embeds(row) for row in inner)


def compact_metadata(value: Any, schema: Schema | None, *, root: bool = True) -> Any:
    """A custom resource whose metadata, and that of objects embedded in it, is as Go's struct holds it."""
    node = schema.resolved() if schema is not None else None
    if isinstance(value, list):
        inner = node.items if node is not None else None
        known = inner is not None and _embeds(inner)
        return [compact_metadata(item, inner, root=False) for item in value] if known else value
    if not isinstance(value, Mapping):
        return value
    out = dict(value)
    if (root or (node is not None and node.embedded)) and isinstance(out.get("metadata"), Mapping):
        out["metadata"] = compact(out["metadata"], object_meta())
    if node is None or not _embeds(node):
        return out
    for key, item in value.items():
        child = node.properties.get(key, node.additional)
        if child is not None and child.target is None and isinstance(item, Mapping | list):
            out[key] = compact_metadata(item, child, root=False)
    return out


def filled(value: Any, schema: Schema | None, *, stored: bool = False) -> Any:
    """The value with the zeros that Go writes always. The input is not changed; parts may be shared.

    ``stored``: as it comes back from where protobuf keeps it, which does not tell an empty list from none.
    """
    node = schema.resolved() if schema is not None else None
    if node is None or not isinstance(value, (dict, list, Mapping)):
        return value
    if isinstance(value, list):
        items = node.items
        return [filled(item, items, stored=stored) for item in value] if items is not None else value
    struct = _structs().get(node.name) if node.name else None
    if struct is None:
        inner = node.additional
        return {key: filled(item, inner, stored=stored) for key, item in value.items()} if inner else value
    out = {
        key: filled(item, node.properties.get(key), stored=stored) if isinstance(item, dict | list) else item
        for key, item in value.items()
        if not (stored and item == [] and key in struct.always)
    }
    for name in struct.always:
        if name not in out and name in node.properties:
            out[name] = None if name in struct.pointers else zero_of(node.properties[name])
    return out
