"""The order of values as cel-go's lists see it: what has none among itself counts as equal."""

from __future__ import annotations

from typing import Final

from sekisho.cel.compare import NUMBERS, compare
from sekisho.cel.errors import CelError
from sekisho.cel.values import Duration, Timestamp, Value

_ORDERED: Final = NUMBERS | {str, bytes, bool, Duration, Timestamp}


def comparable(value: Value) -> bool:
    """Whether values of its type have an order."""
    return type(value) in _ORDERED


def order(left: Value, right: Value) -> int:
    """-1, 0 or 1; 0 where the two have no order, such as NaN or values of several types."""
    try:
        return compare(left, right)
    except CelError:
        return 0
