"""Values as Rego writes them: in messages, for ``%v``, in template strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sekisho.lang.golang.gotext import quote
from sekisho.lang.meter import Exhausted
from sekisho.rego.numbers import text as number_text
from sekisho.rego.values import Number, Set, Value, sorted_keys, unkey

if TYPE_CHECKING:
    from sekisho.lang.meter import Meter


def text(value: Value) -> str:
    """A value as a Rego term: strings quoted, all in Rego's order, ``set()`` if empty."""
    kind = type(value)
    if kind is str:
        return quote(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is list:
        return "[" + ", ".join(map(text, value)) + "]"
    if kind is Set:
        return "{" + ", ".join(map(text, value)) + "}" if len(value) else "set()"
    if kind is dict:
        return "{" + ", ".join(f"{text(unkey(k))}: {text(value[k])}" for k in sorted_keys(value)) + "}"
    return number_text(value)


def bare(value: Value) -> str:
    """A value as ``text`` has it, but a string as it is."""
    return value if type(value) is str else text(value)


def bounded(value: Value, meter: Meter, write: Callable[[Value], str] = text) -> str:
    """What ``write`` makes of a value; paid for before it is written.

    A value may hold one part many times: its text can be far longer than its memory is large.
    """
    kind = type(value)
    if kind is list or kind is dict or kind is Set:
        try:
            meter.text(_length(value, meter))
            return write(value)
        except RecursionError:
            raise Exhausted(meter.limits.depth) from None
    meter.text(_scalar(value, meter))
    return write(value)


def _scalar(value: Value, meter: Meter) -> int:
    """About how long a scalar's text is; pays for turning a long integer into decimal, which is quadratic."""
    kind = type(value)
    if kind is str:
        return len(value)
    if kind is int and value.bit_length() > 1_000:
        meter.charge(value.bit_length() // 10)
        return int(value.bit_length()) // 3
    return len(value.text) if kind is Number else 4


def _length(value: Any, meter: Meter) -> int:
    """About how long a value's text is."""
    meter.charge(1)
    parts: list[Any]
    if type(value) is dict:
        parts = [*map(unkey, value), *value.values()]
    elif type(value) is list:
        parts = value
    else:
        parts = list(value.unordered())
    total = 2 + 2 * len(parts)
    for part in parts:
        kind = type(part)
        if kind is list or kind is dict or kind is Set:
            total += _length(part, meter)
            if total > meter.limits.text.value:
                raise Exhausted(meter.limits.text)
        else:
            total += _scalar(part, meter)
    return total
