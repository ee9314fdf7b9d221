"""How what stands in JSON is read as a CEL value where a schema gives it a format.

Each function is a reader of ``types.Field``, or makes one. A text that does not have its format is an error
of the evaluation that reads it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final

from sekisho.cel.errors import CelError
from sekisho.cel.kubernetes.schemas.lists import MapList, SetList
from sekisho.cel.values import NANOS, Duration, Timestamp
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import durations, gotime

Read = Callable[[Any], Any]


def without_nulls(raw: Any) -> Any:
    """An object with fields: a null is an absent field."""
    if not isinstance(raw, dict):
        raise CelError("invalid data, expected a map for the provided schema with type=object")
    if None in raw.values():
        return {key: value for key, value in raw.items() if value is not None}
    return raw


def each(read: Read) -> Read:
    """The reader of a list whose items are read by ``read``."""

    def read_list(raw: Any) -> Any:
        return list(map(read, _list(raw)))

    return read_list


def each_value(read: Read) -> Read:
    """The reader of a map whose values are read by ``read``."""

    def read_map(raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise CelError("invalid data, expected a map for the provided schema with type=object")
        return {key: read(value) for key, value in raw.items()}

    return read_map


def custom_list(keys: tuple[str, ...], read: Read | None) -> Read:
    """The reader of a set, or of a list whose items are known by ``keys``."""

    def read_custom(raw: Any) -> Any:
        items = _list(raw) if read is None else map(read, _list(raw))
        return MapList(items, keys) if keys else SetList(items)

    return read_custom


def double(raw: Any) -> Any:
    """A number; one that is written without a point is a double all the same."""
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise CelError(f"invalid data, expected float, got {type(raw).__name__}")
    return float(raw)


def bytes_of(raw: Any) -> Any:
    """The bytes of a text in base64."""
    try:
        return base64.b64decode(_text(raw), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CelError(f"Invalid byte formatted string {raw}: {error}") from None


_DATE: Final = "2006-01-02"
_MOMENTS: Final = ("2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05")
"""Layouts of Go; one without a zone is in UTC."""


def date(raw: Any) -> Any:
    """A day, as its first moment in UTC."""
    text = _text(raw)
    try:
        return Timestamp(gotime.parse(_DATE, text))
    except BuiltinFault as fault:
        raise CelError(f"Invalid date formatted string {text}: {fault}") from None


def moment(raw: Any) -> Any:
    """A moment as RFC 3339 writes it, or the same without a zone."""
    text = _text(raw)
    for layout in _MOMENTS:
        try:
            return Timestamp(gotime.parse(layout, text.upper()))
        except BuiltinFault as fault:
            problem = str(fault)
    raise CelError(f"Invalid date-time formatted string {text}: {problem}")


_WORDS: Final = {
    word: nanos
    for words, nanos in {
        "nano nanos nanosecond nanoseconds": 1,
        "us µs micro micros microsecond microseconds": 1_000,
        "milli millis millisecond milliseconds": 1_000_000,
        "sec secs second seconds": NANOS,
        "min mins minute minutes": 60 * NANOS,
        "hr hrs hour hours": 3_600 * NANOS,
        "d day days": 86_400 * NANOS,
        "w wk wks week weeks": 7 * 86_400 * NANOS,
    }.items()
    for word in words.split()
}
_IN_WORDS: Final = re.compile(r"([+-]?\d+)\s*([A-Za-zµ]+)")


def duration(raw: Any) -> Any:
    """A span of time as Go writes it (``1h30m``), or in words (``3 days``)."""
    text = _text(raw)
    try:
        return Duration(durations.parse(text))
    except BuiltinFault:
        found = _IN_WORDS.fullmatch(text.strip())
    if found is None or found[2].lower() not in _WORDS:
        raise CelError(f"Invalid duration {text}: unable to parse {text} as duration")
    return Duration(int(found[1]) * _WORDS[found[2].lower()])


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise CelError("invalid data, expected an array for the provided schema with type=array")
    return raw


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise CelError(f"invalid data, expected string, got {type(raw).__name__}")
    return raw
