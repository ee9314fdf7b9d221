"""What Go's decoder says of a body that is no object of its kind (encoding/json, apimachinery)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.diag import Path
from sekisho.kube.quantity import FORM_TEXT
from sekisho.kube.schema import Schema
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang.gotext import quote

SHOWN: Final = 30
"""Bytes of a body that cannot be read that a message shows."""

_NAMES: Final[Mapping[str, str]] = {"string": "string", "boolean": "bool", "number": "float64"}
_INTEGERS: Final[Mapping[str, str]] = {"int32": "int32", "int64": "int64"}


def syntax_text(body: bytes) -> str:
    """Why a body is no JSON."""
    from sekisho.rego.jsontext import unmarshal

    first = body.lstrip(b" \t\r\n")[:1]
    if not first:
        return "unexpected end of JSON input"
    if first > b"\x7f":  # Go looks at bytes, one at a time
        return f"invalid character '{quote(chr(first[0]))[1:-1]}' looking for beginning of value"
    try:
        unmarshal(body.decode("utf-8", "replace"))
    except BuiltinFault as fault:
        why = str(fault).removeprefix("error: ")
        return why.replace("unexpected EOF", "unexpected end of JSON input")
    return "unexpected end of JSON input"


def summary(body: bytes) -> str:
    """A body as messages show it: JSON as text, all else in hexadecimal."""
    if not body:
        return "<empty>"
    rest = " ..." if len(body) > SHOWN else ""
    return (body[:SHOWN].decode("utf-8", "replace") if body[:1] == b"{" else body[:SHOWN].hex()) + rest


def kind_of(value: Any) -> str:
    """What JSON calls a value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, Mapping) else "number"


def type_text(schema: Schema) -> str:
    """The Go type of a place, as far as its schema tells."""
    node = schema.resolved()
    if node.name:
        *_, version, name = node.name.split(".")
        return f"{version}.{name}"
    if node.type == "array" and node.items is not None:
        return f"[]{type_text(node.items)}"
    if node.type == "object":
        return (
            f"map[string]{type_text(node.additional)}"
            if node.additional is not None
            else "map[string]interface {}"
        )
    if node.type == "integer":
        return _INTEGERS.get(node.format, "int64")
    return _NAMES.get(node.type, node.type or "interface {}")


def mismatch_text(value: Any, path: Path, schema: Schema) -> str:
    """Why a part of a value does not go into its field: ``path`` leads to it from the root."""
    node: Schema | None = schema.resolved()
    struct, fields = "", []
    for step in path:
        if node is None:
            break
        if isinstance(step, str) and node.name:
            struct = node.name.rpartition(".")[2]
            fields.append(step)
        child = node.items if isinstance(step, int) else node.properties.get(step, node.additional)
        node = child.resolved() if child is not None else None
        value = _part(value, step)
    wanted = type_text(node) if node is not None else "interface {}"
    field = f"{struct}.{'.'.join(fields)}"
    return f"json: cannot unmarshal {kind_of(value)} into Go struct field {field} of type {wanted}"


def go_kind(value: Any) -> str:
    """The reflect.Kind of a decoded value."""
    if isinstance(value, Mapping):
        return "map"
    if isinstance(value, bool):
        return "bool"
    names = {list: "slice", str: "string", int: "int64", float: "float64"}
    return names.get(type(value), "ptr")


_TYPES: Final = {"map": "map[string]interface {}", "slice": "[]interface {}"}


def restore_text(value: Any, path: Path, schema: Schema) -> str:
    """Why a part of a value that is not read from JSON does not go into its field (runtime/converter.go)."""
    node: Schema | None = schema.resolved()
    for step in path:
        child = node.child(step) if node is not None else None
        node, value = child.resolved() if child is not None else None, _part(value, step)
    kind = go_kind(value)
    if node is not None and node.type == "array":
        return f"cannot restore slice from {kind}"
    if node is not None and node.properties:
        return f"cannot restore struct from: {kind}"
    if node is not None and node.type == "object":
        return f"cannot restore map from {kind}"
    wanted = type_text(node) if node is not None else "interface {}"
    return f"cannot convert {_TYPES.get(kind, kind)} to {wanted}"


def format_text(value: Any, path: Path, format: str) -> str:
    """Why a text is none of a type that reads itself; empty if that is no matter of decoding."""
    for step in path:
        value = _part(value, step)
    if format == "quantity":
        return FORM_TEXT
    if format != "base64" or not isinstance(value, str):
        return ""
    from sekisho.lang.golang.base64text import decode

    try:
        decode(value)
    except BuiltinFault as fault:
        return str(fault)
    return ""


def _part(value: Any, step: str | int) -> Any:
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return value.get(step) if isinstance(value, Mapping) else None
