"""What calls cost at run time: the figures of cel-go's extension libraries, and the pieces of others.

A unit is about the work of one call. To read a text costs a tenth of a unit a character.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

from sekisho.cel.compare import PATTERN, TRAVERSAL, size_of
from sekisho.cel.functions import Cost
from sekisho.cel.values import OpaqueValue, Value

NEW_LIST: Final = 10
"""Units of a new list."""

CALL: Final = 1
"""Units of a call."""


def size(value: Value) -> int:
    """The size of a value as costs see it; values of an extension's own type may have one."""
    if isinstance(value, OpaqueValue):
        return int(getattr(value, "size", 1))
    return size_of(value)


def reading(characters: float) -> int:
    """Units to read this many characters."""
    return math.ceil(characters * TRAVERSAL)


def matching(text: Value, pattern: Value) -> int:
    """Units to match a pattern, whose length stands for the size of its automaton."""
    return reading(1.0 + size(text)) * math.ceil(size(pattern) * PATTERN)


def alone(cost: Callable[..., int]) -> Cost:
    """A cost that holds where the checker finds just this overload; a call that may be several costs one.

    Overloads that share one function for their cost have it in common, so each of these is a function anew.
    """
    return partial(cost)


# --- strings, from version 5 ------------------------------------------------------------------------------


def char_at(text: Value, *_: Value) -> int:
    """Of charAt."""
    return CALL + reading(size(text)) + 1


def transformed(text: Value, *rest: Value) -> int:
    """Of what makes a text of a text: the last argument is the result."""
    return CALL + reading(size(text)) + size(rest[-1])


def searched(text: Value, part: Value, *_: Value) -> int:
    """Of indexOf and lastIndexOf."""
    return CALL + reading(size(text) * size(part))


def replaced(text: Value, old: Value, *rest: Value) -> int:
    """Of replace."""
    return CALL + reading((size(text) or 1) * (size(old) or 1)) + size(rest[-1])


def split(text: Value, *rest: Value) -> int:
    """Of split."""
    return CALL + reading(size(text) + 1) + size(rest[-1]) + NEW_LIST


def joined(texts: Value, *rest: Value) -> int:
    """Of join."""
    return CALL + reading(size(texts) + 1) + size(rest[-1])


def quoted(text: Value, *_: Value) -> int:
    """Of quote and format."""
    return reading(size(text))


# --- lists, from version 3 --------------------------------------------------------------------------------


def listed(*values: Value) -> int:
    """Of what makes a list, by the length of the result."""
    return CALL + NEW_LIST + size(values[-1])


def flattened(items: Value, *rest: Value) -> int:
    """Of flatten, by the depth."""
    depth = float(rest[0]) if len(rest) == 2 else 1.0
    return CALL + NEW_LIST + int(size(items) * (depth if depth >= 0 else 1.0))


def compared(items: Value, *_: Value) -> int:
    """Of sort and distinct, which compare each with each at worst."""
    count = size(items)
    factor = 2.0 + (TRAVERSAL if count and isinstance(items[0], str | bytes) else 0.0)
    return CALL + NEW_LIST + int(count * count * factor)


def compared_by(_: Value, keys: Value, *__: Value) -> int:
    """Of sortBy: what its keys cost."""
    return compared(keys)


# --- sets -------------------------------------------------------------------------------------------------


def crossed(factor: int) -> Cost:
    """Of what compares each item of a list with each of another, this many times."""

    def cost(left: Value, right: Value, _: Value) -> int:
        return CALL + size(left) * size(right) * factor

    return cost


# --- patterns ---------------------------------------------------------------------------------------------


def _searched(text: Value, pattern: Value) -> float:
    return (size(text) + 1) * TRAVERSAL * ((size(pattern) + 1) * PATTERN)


def extracted(text: Value, pattern: Value, _: Value) -> int:
    """Of regex.extract, whose result counts as one."""
    return math.ceil(CALL + _searched(text, pattern) + 1)


def all_extracted(text: Value, pattern: Value, result: Value) -> int:
    """Of regex.extractAll."""
    return math.ceil(CALL + _searched(text, pattern) + size(result) + NEW_LIST)


def pattern_replaced(text: Value, pattern: Value, *rest: Value) -> int:
    """Of regex.replace."""
    return int(CALL + _searched(text, pattern) + size(rest[-1]))
