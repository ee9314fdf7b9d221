"""Well-known messages, whose literals give plain values: ``google.protobuf.Int64Value{value: 1}``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sekisho.cel.arithmetic import duration_of, int_of, timestamp_of, uint_of
from sekisho.cel.errors import CelError
from sekisho.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    LIST_OF_DYN,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    Field,
    Struct,
    map_of,
    wrapper_of,
)
from sekisho.cel.values import NANOS, UInt, Value

_PACKAGE: Final = "google.protobuf"
_STRUCT: Final = map_of(STRING, DYN)


def _wrapper(name: str, type: CelType, zero: Value, convert: Callable[[Any], Value]) -> Struct:
    def build(fields: dict[str, Value]) -> Value:
        return convert(fields.get("value", zero))

    return Struct(
        name=f"{_PACKAGE}.{name}",
        fields={"value": Field(type=type)},
        build=build,
        result=wrapper_of(type),
    )


def _same(value: Value) -> Value:
    return value


def _int32(value: int) -> int:
    if not -(1 << 31) <= value < 1 << 31:
        raise CelError("integer overflow")
    return value


def _uint32(value: int) -> UInt:
    if value >= 1 << 32:
        raise CelError("unsigned integer overflow")
    return UInt(value)


def _single(value: float) -> float:
    """A double, rounded to a float."""
    import struct

    try:
        [rounded] = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return float(rounded)


def _nanoseconds(fields: dict[str, Value]) -> int:
    return int(fields.get("seconds", 0)) * NANOS + int(fields.get("nanos", 0))


def _json(fields: dict[str, Value]) -> Value:
    """A ``Value``: its one field."""
    if len(fields) > 1:
        raise CelError("only one field of a oneof may be set")
    for name, value in fields.items():
        return None if name == "null_value" else value
    return None


MESSAGE_TYPES: Final[tuple[Struct, ...]] = (
    _wrapper("BoolValue", BOOL, False, _same),
    _wrapper("BytesValue", BYTES, b"", _same),
    _wrapper("DoubleValue", DOUBLE, 0.0, _same),
    _wrapper("FloatValue", DOUBLE, 0.0, _single),
    _wrapper("Int32Value", INT, 0, _int32),
    _wrapper("Int64Value", INT, 0, int_of),
    _wrapper("StringValue", STRING, "", _same),
    _wrapper("UInt32Value", UINT, 0, _uint32),
    _wrapper("UInt64Value", UINT, 0, uint_of),
    Struct(
        name="google.protobuf.Timestamp",
        fields={"seconds": Field(type=INT), "nanos": Field(type=INT)},
        build=lambda fields: timestamp_of(_nanoseconds(fields)),
        result=TIMESTAMP,
    ),
    Struct(
        name="google.protobuf.Duration",
        fields={"seconds": Field(type=INT), "nanos": Field(type=INT)},
        build=lambda fields: duration_of(_nanoseconds(fields)),
        result=DURATION,
    ),
    Struct(
        name="google.protobuf.Struct",
        fields={"fields": Field(type=_STRUCT)},
        build=lambda fields: fields.get("fields", {}),
        result=_STRUCT,
    ),
    Struct(
        name="google.protobuf.ListValue",
        fields={"values": Field(type=LIST_OF_DYN)},
        build=lambda fields: fields.get("values", []),
        result=LIST_OF_DYN,
    ),
    Struct(
        name="google.protobuf.Value",
        fields={
            "null_value": Field(type=DYN),
            "number_value": Field(type=DOUBLE),
            "string_value": Field(type=STRING),
            "bool_value": Field(type=BOOL),
            "struct_value": Field(type=_STRUCT),
            "list_value": Field(type=LIST_OF_DYN),
        },
        build=_json,
        result=DYN,
    ),
)

NULL_VALUE: Final = (("google.protobuf.NullValue.NULL_VALUE", INT, 0),)
