"""Conversions between types, ``type`` and ``dyn``."""

from __future__ import annotations

import math
import re
from typing import Final

from sekisho.cel.arithmetic import int_of, timestamp_of, uint_of
from sekisho.cel.errors import CelError
from sekisho.cel.standard.rows import A, first_cost, rows
from sekisho.cel.times import duration_text, parse_duration, parse_timestamp, timestamp_text
from sekisho.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    type_of_type,
)
from sekisho.cel.values import NANOS, Duration, Timestamp, UInt, Value, type_of
from sekisho.lang.golang.gofloat import shortest

CONVERSIONS_OF_LITERALS: Final = frozenset(
    {"bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"}
)
"""Functions whose call with a written value is done once, and costs nothing."""

_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_UNSIGNED: Final = re.compile(r"[0-9]{1,40}", re.ASCII)
_DOUBLE: Final = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)", re.ASCII | re.IGNORECASE
)
_HEX_DOUBLE: Final = re.compile(r"[+-]?0x[0-9a-f]*\.?[0-9a-f]*p[+-]?[0-9]+", re.ASCII | re.IGNORECASE)


def _wrong(source: CelType, target: CelType) -> CelError:
    return CelError(f"type conversion error from '{source.name}' to '{target.name}'")


def _same(value: Value) -> Value:
    return value


def text_to_bool(text: str) -> bool:
    """``bool("true")``; Go's spellings."""
    if text not in _BOOLEANS:
        raise _wrong(STRING, BOOL)
    return _BOOLEANS[text]


def text_to_int(text: str) -> int:
    """``int("-1")``."""
    if not _INTEGER.fullmatch(text):
        raise _wrong(STRING, INT)
    try:
        return int_of(int(text))
    except CelError:
        raise _wrong(STRING, INT) from None


def text_to_uint(text: str) -> UInt:
    """``uint("1")``."""
    if not _UNSIGNED.fullmatch(text):
        raise _wrong(STRING, UINT)
    try:
        return uint_of(int(text))
    except CelError:
        raise _wrong(STRING, UINT) from None


def text_to_double(text: str) -> float:
    """``double("1.5")``."""
    if _HEX_DOUBLE.fullmatch(text):
        try:
            return float.fromhex(text)
        except (ValueError, OverflowError):
            raise _wrong(STRING, DOUBLE) from None
    if not _DOUBLE.fullmatch(text):
        raise _wrong(STRING, DOUBLE)
    value = float(text)
    if math.isinf(value) and "n" not in text.lower():
        raise _wrong(STRING, DOUBLE)
    return value


def double_to_int(value: float) -> int:
    """``int(1.9)``: the fraction is dropped."""
    # 2**63 is no int, and every double below it is at most 2**63 - 1024.
    if not -9223372036854775808.0 < value < 9223372036854775808.0:
        raise CelError("integer overflow")
    return int(value)


def double_to_uint(value: float) -> UInt:
    """``uint(1.9)``: the fraction is dropped."""
    if not 0.0 <= value < 18446744073709551616.0:
        raise CelError("unsigned integer overflow")
    return UInt(int(value))


def double_to_text(value: float) -> str:
    """``string(1.5)``, as Go's ``%g``."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else shortest(value)


def bytes_to_text(value: bytes) -> str:
    """``string(b'…')``: UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None


def int_to_timestamp(value: int) -> Timestamp:
    """``timestamp(1)``: seconds since 1970."""
    return timestamp_of(value * NANOS)


def timestamp_to_int(value: Timestamp) -> int:
    """``int(timestamp)``: seconds since 1970."""
    return value.ns // NANOS


def duration_to_int(value: Duration) -> int:
    """``int(duration)``: nanoseconds."""
    return value.ns


CONVERSIONS: Final = (
    *rows("type", type_of, ("type", (A,), type_of_type(A))),
    *rows("dyn", _same, ("to_dyn", (A,), DYN)),
    *rows("bool", _same, ("bool_to_bool", (BOOL,), BOOL)),
    *rows("bool", text_to_bool, ("string_to_bool", (STRING,), BOOL)),
    *rows("bytes", _same, ("bytes_to_bytes", (BYTES,), BYTES)),
    *rows("bytes", str.encode, ("string_to_bytes", (STRING,), BYTES), cost=first_cost),
    *rows("double", _same, ("double_to_double", (DOUBLE,), DOUBLE)),
    *rows("double", float, ("int64_to_double", (INT,), DOUBLE)),
    *rows("double", text_to_double, ("string_to_double", (STRING,), DOUBLE)),
    *rows("double", float, ("uint64_to_double", (UINT,), DOUBLE)),
    *rows("duration", _same, ("duration_to_duration", (DURATION,), DURATION)),
    *rows("duration", parse_duration, ("string_to_duration", (STRING,), DURATION)),
    *rows("int", _same, ("int64_to_int64", (INT,), INT)),
    *rows("int", double_to_int, ("double_to_int64", (DOUBLE,), INT)),
    *rows("int", duration_to_int, ("duration_to_int64", (DURATION,), INT)),
    *rows("int", text_to_int, ("string_to_int64", (STRING,), INT)),
    *rows("int", timestamp_to_int, ("timestamp_to_int64", (TIMESTAMP,), INT)),
    *rows("int", lambda value: int_of(int(value)), ("uint64_to_int64", (UINT,), INT)),
    *rows("string", _same, ("string_to_string", (STRING,), STRING)),
    *rows("string", lambda value: "true" if value else "false", ("bool_to_string", (BOOL,), STRING)),
    *rows("string", bytes_to_text, ("bytes_to_string", (BYTES,), STRING), cost=first_cost),
    *rows("string", double_to_text, ("double_to_string", (DOUBLE,), STRING)),
    *rows("string", duration_text, ("duration_to_string", (DURATION,), STRING)),
    *rows("string", int.__repr__, ("int64_to_string", (INT,), STRING)),
    *rows("string", timestamp_text, ("timestamp_to_string", (TIMESTAMP,), STRING)),
    *rows("string", int.__repr__, ("uint64_to_string", (UINT,), STRING)),
    *rows("timestamp", _same, ("timestamp_to_timestamp", (TIMESTAMP,), TIMESTAMP)),
    *rows("timestamp", int_to_timestamp, ("int64_to_timestamp", (INT,), TIMESTAMP)),
    *rows("timestamp", parse_timestamp, ("string_to_timestamp", (STRING,), TIMESTAMP)),
    *rows("uint", _same, ("uint64_to_uint64", (UINT,), UINT)),
    *rows("uint", double_to_uint, ("double_to_uint64", (DOUBLE,), UINT)),
    *rows("uint", uint_of, ("int64_to_uint64", (INT,), UINT)),
    *rows("uint", text_to_uint, ("string_to_uint64", (STRING,), UINT)),
)
