"""Values for people and for other programs: as CEL would write them, and as JSON."""

from __future__ import annotations

import base64
import json
import math
from typing import Any, Final

from sekisho.cel.times import duration_text, timestamp_text
from sekisho.cel.types import CelType
from sekisho.cel.values import (
    BoolKey,
    Duration,
    OpaqueValue,
    Optional,
    Timestamp,
    UInt,
    Value,
    type_of,
    value_of_key,
)

LONG: Final = 1_000_000
"""Characters of the longest text that is written of one value."""


class _Full(Exception):
    """No more is written."""


def literal(value: Value, most: int = LONG) -> str:
    """A value as CEL would write it, cut with ``…`` after ``most`` characters."""
    parts: list[str] = []
    try:
        _write(value, parts, [most])
    except (_Full, RecursionError):
        parts.append("…")
    return "".join(parts)


def _write(value: Value, parts: list[str], left: list[int]) -> None:
    if isinstance(value, dict):
        _put("{", parts, left)
        for at, (key, item) in enumerate(value.items()):
            _put(", " if at else "", parts, left)
            _write(value_of_key(key), parts, left)
            _put(": ", parts, left)
            _write(item, parts, left)
        _put("}", parts, left)
    elif isinstance(value, list | tuple):
        _put("[", parts, left)
        for at, item in enumerate(value):
            _put(", " if at else "", parts, left)
            _write(item, parts, left)
        _put("]", parts, left)
    elif isinstance(value, Optional) and value.present:
        _put("optional.of(", parts, left)
        _write(value.value, parts, left)
        _put(")", parts, left)
    else:
        _put(_scalar(value, left[0]), parts, left)


def _put(text: str, parts: list[str], left: list[int]) -> None:
    if len(text) > left[0]:
        parts.append(text[: left[0]])
        raise _Full
    left[0] -= len(text)
    parts.append(text)


def _scalar(value: Value, most: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, UInt):
        return f"{int(value)}u"
    if isinstance(value, str):
        return json.dumps(value[: most + 1], ensure_ascii=False)
    if isinstance(value, bytes):
        return f"b{json.dumps(value[: most + 1].decode('latin-1'))}".replace("\\u00", "\\x")
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, Timestamp):
        return f'timestamp("{timestamp_text(value)}")'
    if isinstance(value, Duration):
        return f'duration("{duration_text(value)}")'
    if isinstance(value, Optional):
        return "optional.none()"
    if isinstance(value, CelType):
        return value.name
    if isinstance(value, OpaqueValue):
        return f"{value.cel_type.name}({json.dumps(str(value), ensure_ascii=False)})"
    return repr(value)


def _double(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return f'double("{name}")'


def as_json(value: Value) -> Any:
    """A value as JSON: bytes in base64, times and types as texts, an absent optional as null.

    ValueError for one that is nested too deeply.
    """
    try:
        return _json(value)
    except RecursionError:
        raise ValueError("the value is nested too deeply for JSON") from None


def _json(value: Value) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {_name(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, Optional):
        return _json(value.value) if value.present else None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Timestamp):
        return timestamp_text(value)
    if isinstance(value, Duration):
        return duration_text(value)
    return value.name if isinstance(value, CelType) else str(value)


def _name(key: Any) -> str:
    return key if isinstance(key, str) else repr(key) if isinstance(key, BoolKey) else str(int(key))


def type_name(value: Value) -> str:
    """The type of a value, by its run-time name."""
    return type_of(value).name
