"""Protobuf's wire format: a series of numbered fields, each a number or bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. 3 and 4 are groups, which nothing here uses."""

MAX_VARINT: Final = 10
"""Bytes of a number of 64 bits at seven bits a byte."""

Raw = int | bytes


class Malformed(ValueError):
    """The bytes are not what they should be."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a position, and the position behind it. Raises Malformed."""
    value = shift = 0
    for position in range(at, min(at + MAX_VARINT, len(data))):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + 1
        shift += 7
    raise Malformed("a number does not end")


def fields(data: bytes) -> Iterator[tuple[int, int, Raw]]:
    """The fields of a message: number, wire type, value. Raises Malformed."""
    at, end = 0, len(data)
    while at < end:
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise Malformed(f"there is no field number {number}")
        if kind == VARINT:
            value, at = varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, at = varint(data, at)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise Malformed(f"there is no wire type {kind}")
        if length > end - at:
            raise Malformed("a field is longer than what holds it")
        yield number, kind, data[at : at + length]
        at += length


def signed(value: int, bits: int) -> int:
    """A varint as a number with a sign, cut to its width as Go cuts it."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def double(data: bytes) -> float:
    """Eight bytes as a number."""
    found: float
    (found,) = struct.unpack("<d", data)
    return found


def text(data: bytes) -> str:
    """Bytes as text. Raises Malformed."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("a text is not UTF-8") from None
