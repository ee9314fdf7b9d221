"""Equality and order of values, across types as the specification says.

Equality never fails: values of types that do not mix are not equal. Order fails for them, and for NaN, as in
cel-go. Numbers of all three types compare as numbers.
"""

from __future__ import annotations

from math import ceil, isnan
from typing import Any, Final

from sekisho.cel.errors import CelError
from sekisho.cel.state import State
from sekisho.cel.values import (
    CustomList,
    Duration,
    OpaqueValue,
    Optional,
    Timestamp,
    UInt,
    Value,
    key_of,
)

NUMBERS: Final = frozenset({int, float, UInt})
PLAIN: Final = frozenset({str, bytes, bool, type(None), int, float, UInt, Timestamp, Duration})
LISTS: Final = frozenset({list, tuple})

_MISSING: Final = object()


def equal(state: State, a: Value, b: Value) -> bool:
    """``a == b``. Containers are paid for: they may share parts, and so be larger than they look."""
    kind, other = type(a), type(b)
    if kind in PLAIN:
        if kind is other:
            return bool(a == b)
        if kind in NUMBERS:
            return other in NUMBERS and _equal_numbers(a, b)
        return isinstance(b, OpaqueValue) and b.equals(a)
    state.meter.charge(1)
    if isinstance(a, dict):
        return isinstance(b, dict) and _equal_maps(state, a, b)
    if isinstance(a, list | tuple):
        return _equal_lists(state, a, b)
    if isinstance(a, Optional):
        return isinstance(b, Optional) and a.present is b.present and equal(state, a.value, b.value)
    if isinstance(a, OpaqueValue):
        return a.equals(b)
    return bool(a == b)  # types


def _equal_numbers(a: Any, b: Any) -> bool:
    """Two numbers of different types; an integer beside a double is taken as a double, as in cel-go."""
    if type(a) is float or type(b) is float:
        return float(a) == float(b)
    return bool(a == b)


def unequal(state: State, a: Value, b: Value) -> bool:
    """``a != b``."""
    return not equal(state, a, b)


def _equal_lists(state: State, a: Any, b: Value) -> bool:
    if not isinstance(b, list | tuple):
        return False
    if isinstance(a, CustomList):
        return a.equals(list(b))
    if isinstance(b, CustomList):
        return b.equals(list(a))
    if len(a) != len(b):
        return False
    state.meter.charge(len(a))
    return all(equal(state, x, y) for x, y in zip(a, b, strict=True))


def _equal_maps(state: State, a: dict[Any, Value], b: dict[Any, Value]) -> bool:
    if len(a) != len(b):
        return False
    state.meter.charge(len(a))
    for key, value in a.items():
        found = b.get(key, _MISSING)
        if found is _MISSING or not equal(state, value, found):
            return False
    return True


def contains(state: State, value: Value, collection: Value) -> bool:
    """``value in collection``."""
    kind = type(collection)
    if kind is dict:
        if type(value) is str:
            return value in collection
        key = key_of(value)
        return key is not None and key in collection
    if kind in LISTS or isinstance(collection, list):
        if type(value) is str:
            state.meter.charge(len(collection) >> 4)
            return value in collection
        state.meter.charge(len(collection))
        return any(equal(state, value, item) for item in collection)
    raise CelError("no such overload")


_ORDERED: Final = frozenset({int, float, UInt, str, bytes, bool, Timestamp, Duration})


def compare(a: Value, b: Value, operator: str = "") -> int:
    """Negative, zero or positive as ``a`` comes before, with or after ``b``. CelError if neither is so."""
    kind, other = type(a), type(b)
    if kind in NUMBERS and other in NUMBERS:
        if isnan(a) or isnan(b):
            raise CelError("NaN values cannot be ordered")
        if kind is not other and float in (kind, other):
            a, b = float(a), float(b)
        return bool(a > b) - bool(a < b)
    if kind is other:
        if kind is str or kind is bytes or kind is bool:
            return bool(a > b) - bool(a < b)
        if kind is Timestamp or kind is Duration:
            return bool(a.ns > b.ns) - bool(a.ns < b.ns)
    if operator and kind not in _ORDERED:
        raise CelError(f"no such overload: _{operator}_")
    raise CelError("no such overload")


def less(a: Value, b: Value) -> bool:
    """``a < b``."""
    return compare(a, b, "<") < 0


def less_equal(a: Value, b: Value) -> bool:
    """``a <= b``."""
    return compare(a, b, "<=") <= 0


def greater(a: Value, b: Value) -> bool:
    """``a > b``."""
    return compare(a, b, ">") > 0


def greater_equal(a: Value, b: Value) -> bool:
    """``a >= b``."""
    return compare(a, b, ">=") >= 0


# --- cost -------------------------------------------------------------------------------------------------

TRAVERSAL: Final = 0.1
"""Cost of a character of a text that is gone through (cel-go's StringTraversalCostFactor)."""

PATTERN: Final = 0.25
"""Cost of a character of a pattern, for each unit of cost of the text (RegexStringLengthCostFactor)."""


_UNITS: Final = tuple(ceil(length * TRAVERSAL) for length in range(1_000))


def units(length: int) -> int:
    """What it costs to go through a text of this length."""
    return _UNITS[length] if length < 1_000 else ceil(length * TRAVERSAL)


def size_of(value: Value) -> int:
    """The size that costs are counted with: of texts and containers; all else is 1."""
    kind = type(value)
    if kind is str or kind is dict or kind is list or kind is bytes or kind is tuple:
        return len(value)
    if isinstance(value, Optional) and value.present:
        return size_of(value.value)
    if isinstance(value, list | dict):
        return len(value)
    return 1


def equal_cost(a: Value, b: Value) -> int:
    """What ``a == b`` and comparisons of texts cost."""
    return 1 if isinstance(a, OpaqueValue) else units(min(size_of(a), size_of(b)))
