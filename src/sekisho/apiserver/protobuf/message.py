"""Messages: from their bytes to the value that Go's JSON of the same struct would be.

Go writes every scalar that is no pointer, and every struct that is none, set or not; its JSON leaves out the
scalars that are zero and have omitempty. So a zero is dropped here, but for the fields that the facts say to
keep.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from sekisho.apiserver.protobuf.special import ABSENT, SPECIAL, Again
from sekisho.apiserver.protobuf.wire import BYTES, Malformed, Raw, double, fields, signed, text, varint
from sekisho.diag import Limit
from sekisho.kube.schema.store import store

DEPTH: Final = Limit("an object", 200, "levels", "deeper values overflow the stack of those who read them")
COUNT: Final = Limit(
    "an object", 250_000, "fields", "the largest object that is stored has a tenth, and each costs memory"
)

_FACTS: Final = Path(__file__).parent / "data" / "facts.json.gz"
_SCALARS: Final = ("string", "bytes", "bool", "int32", "int64", "double")


class Field(NamedTuple):
    """One field of a message. ``message`` is empty for a scalar, whose type is ``type``."""

    name: str
    type: str
    message: str
    repeated: bool
    map: bool
    keep: bool
    inline: bool


@cache
def _facts() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = orjson.loads(gzip.decompress(_FACTS.read_bytes()))
    return found


@cache
def fields_of(message: str) -> Mapping[int, Field]:
    """The fields of a message by number; empty for an unknown one."""
    facts = _facts().get(message, {})
    keep, inline = set(facts.get("keep", ())), set(facts.get("inline", ()))
    names = {int(number): name for number, name in facts.get("names", {}).items()}
    found = {}
    for name, (number, declared) in store().field_numbers(message).items():
        repeated, is_map = declared.endswith("*"), declared.startswith("map<")
        inner = declared.removeprefix("map<").removesuffix(">").partition(",")[2]
        type = inner if is_map else declared.rstrip("*")
        found[number] = Field(
            name=names.get(number, name),
            type=type,
            message="" if type in _SCALARS else _full(type, message),
            repeated=repeated,
            map=is_map,
            keep=number in keep,
            inline=number in inline,
        )
    return found


def _full(type: str, message: str) -> str:
    """The full name of a type, which may be one of the same package."""
    type = type.removeprefix(".")
    return type if "." in type else f"{message.rpartition('.')[0]}.{type}"


class Decoder:
    """Decodes one object, within the limits."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = COUNT.value

    def message(self, name: str, data: bytes, depth: int = 0) -> dict[str, Any]:
        """A message as an object. Raises Malformed."""
        if DEPTH.exceeded_by(depth):
            raise Malformed(str(DEPTH))
        known = fields_of(name)
        found: dict[str, Any] = {}
        for number, kind, raw in fields(data):
            self._left -= 1
            if self._left < 0:
                raise Malformed(str(COUNT))
            field = known.get(number)
            if field is None:
                continue
            try:
                self._put(found, field, kind, raw, depth)
            except Malformed as error:
                raise Malformed(f"{field.name}: {error}") from None
        return found

    def _put(self, found: dict[str, Any], field: Field, kind: int, raw: Raw, depth: int) -> None:
        if field.map:
            key, value = self._entry(field, _bytes(raw), depth)
            found.setdefault(field.name, {})[key] = value
        elif field.repeated:
            rows = found.setdefault(field.name, [])
            if kind == BYTES and not field.message and field.type not in ("string", "bytes"):
                rows.extend(_packed(field.type, _bytes(raw)))
            else:
                rows.append(self._value(field, raw, depth))
        elif field.inline:
            found.update(self._value(field, raw, depth))
        else:
            value = self._value(field, raw, depth)
            if value is ABSENT or (not field.keep and not field.message and not value):
                return
            if field.message and isinstance(value, dict) and isinstance(found.get(field.name), dict):
                value = {**found[field.name], **value}  # a message that comes twice is merged
            found[field.name] = value

    def _entry(self, field: Field, data: bytes, depth: int) -> tuple[str, Any]:
        """A key and its value, each of which may be missing."""
        key, value = "", None
        for number, _, raw in fields(data):
            if number == 1:
                key = text(_bytes(raw))
            elif number == 2:
                value = self._value(field, raw, depth)
        if value is None or value is ABSENT:
            value = self._value(
                field, b"" if field.message or field.type in ("string", "bytes") else 0, depth
            )
        return key, None if value is ABSENT else value

    def _value(self, field: Field, raw: Raw, depth: int) -> Any:
        if not field.message:
            return _scalar(field.type, raw)
        special = SPECIAL.get(field.message)
        if special is None:
            return self.message(field.message, _bytes(raw), depth + 1)
        return self._again(special(_bytes(raw)), depth)

    def _again(self, value: Any, depth: int) -> Any:
        if isinstance(value, Again):
            return self.message(value.message, value.data, depth + 1)
        if isinstance(value, list):
            self._left -= len(value)
            return [self._again(row, depth) for row in value]
        return value


def _bytes(raw: Raw) -> bytes:
    if not isinstance(raw, bytes):
        raise Malformed("bytes were expected")
    return raw


def _scalar(type: str, raw: Raw) -> Any:
    if type == "string":
        return text(_bytes(raw))
    if type == "bytes":
        return base64.b64encode(_bytes(raw)).decode()
    if type == "double":
        data = _bytes(raw)
        if len(data) != 8:
            raise Malformed("a number of eight bytes was expected")
        value = double(data)
        if value - value != 0:
            raise Malformed("a number is not finite")
        return value
    if not isinstance(raw, int):
        raise Malformed("a number was expected")
    return bool(raw) if type == "bool" else signed(raw, 32 if type == "int32" else 64)


def _packed(type: str, data: bytes) -> list[Any]:
    """Numbers without tags between them, as proto3 writes lists of them."""
    found, at = [], 0
    while at < len(data):
        if type == "double":
            value, at = _scalar(type, data[at : at + 8]), at + 8
        else:
            raw, at = varint(data, at)
            value = _scalar(type, raw)
        found.append(value)
    return found
