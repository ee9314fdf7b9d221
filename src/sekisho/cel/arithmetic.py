"""``+ - * / %`` and negation of values: 64 bits, checked; no mixing of types."""

from __future__ import annotations

import math
from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.state import State
from sekisho.cel.values import (
    INT_MAX,
    INT_MIN,
    TIMESTAMP_MAX,
    TIMESTAMP_MIN,
    UINT_MAX,
    CustomList,
    Duration,
    Timestamp,
    UInt,
    Value,
)

_ADDERS: Final = frozenset({int, float, UInt, str, bytes, list, tuple, Timestamp, Duration})
_NUMBERS: Final = frozenset({int, float, UInt, str})  # cel-go's texts have all operators, for its own reasons


def _refuse(operator: str, takers: frozenset[type], value: Value) -> CelError:
    """The error for operands that do not go together, in cel-go's two forms."""
    return CelError("no such overload" if type(value) in takers else f"no such overload: _{operator}_")


def int_of(value: int) -> int:
    """The integer, if it fits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("integer overflow")


def uint_of(value: int) -> UInt:
    """The unsigned integer, if it fits."""
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise CelError("unsigned integer overflow")


def duration_of(ns: int) -> Duration:
    """The duration, if it fits."""
    if INT_MIN <= ns <= INT_MAX:
        return Duration(ns)
    raise CelError("integer overflow")


def timestamp_of(ns: int) -> Timestamp:
    """The moment, if it is within the years 1 to 9999."""
    if TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        return Timestamp(ns)
    raise CelError("timestamp overflow")


def add(state: State, a: Value, b: Value) -> Value:
    """``a + b``."""
    kind, other = type(a), type(b)
    if kind is other:
        if kind is int:
            return int_of(a + b)
        if kind is str or kind is bytes:
            state.meter.text(len(a) + len(b))
            return a + b
        if kind is float:
            return a + b
        if kind is UInt:
            return uint_of(int(a) + int(b))
        if kind is Duration:
            return duration_of(a.ns + b.ns)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        state.meter.build(len(a) + len(b))
        return a.plus(list(b)) if isinstance(a, CustomList) else [*a, *b]
    if {kind, other} == {Timestamp, Duration}:
        return timestamp_of(a.ns + b.ns)
    raise _refuse("+", _ADDERS, a)


def subtract(a: Value, b: Value) -> Value:
    """``a - b``."""
    kind, other = type(a), type(b)
    if kind is other:
        if kind is int:
            return int_of(a - b)
        if kind is float:
            return a - b
        if kind is UInt:
            return uint_of(int(a) - int(b))
        if kind is Duration or kind is Timestamp:
            return duration_of(a.ns - b.ns)
    if kind is Timestamp and other is Duration:
        return timestamp_of(a.ns - b.ns)
    raise _refuse("-", _NUMBERS | {Timestamp, Duration}, a)


def multiply(a: Value, b: Value) -> Value:
    """``a * b``."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            return int_of(a * b)
        if kind is float:
            return a * b
        if kind is UInt:
            return uint_of(int(a) * int(b))
    raise _refuse("*", _NUMBERS, a)


def divide(a: Value, b: Value) -> Value:
    """``a / b``; integers are cut towards zero."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            if b == 0:
                raise CelError("division by zero")
            quotient = abs(a) // abs(b)
            return int_of(quotient if (a < 0) == (b < 0) else -quotient)
        if kind is float:
            return _float_divide(a, b)
        if kind is UInt:
            if b == 0:
                raise CelError("division by zero")
            return UInt(int(a) // int(b))
    raise _refuse("/", _NUMBERS, a)


def _float_divide(a: float, b: float) -> float:
    if b:
        try:
            return a / b
        except OverflowError:
            return math.inf if (a > 0) == (b > 0) else -math.inf
    if math.isnan(a) or a == 0:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def modulo(a: Value, b: Value) -> Value:
    """``a % b``, with the sign of ``a``."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            if b == 0:
                raise CelError("modulus by zero")
            if a == INT_MIN and b == -1:
                raise CelError("integer overflow")
            rest = abs(a) % abs(b)
            return rest if a >= 0 else -rest
        if kind is UInt:
            if b == 0:
                raise CelError("modulus by zero")
            return UInt(int(a) % int(b))
    raise _refuse("%", frozenset({int, UInt, str}), a)


def negate(a: Value) -> Value:
    """``-a``."""
    kind = type(a)
    if kind is int:
        return int_of(-a)
    if kind is float:
        return -a
    if kind is Duration:
        return duration_of(-a.ns)
    raise CelError("no such overload" if kind in (bool, str, UInt) else "no such overload: -_")
