"""``format`` as the CEL specification has it: the strings library from version 4 on.

Facts from cel-spec ``doc/extensions/strings.md`` and cel-go ``ext/formatting_v2.go``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.extensions import format_v1, templates
from sekisho.cel.extensions.templates import PRECISION, Refused, Verb
from sekisho.cel.state import State
from sekisho.cel.times import duration_text, timestamp_text
from sekisho.cel.types import CelType
from sekisho.cel.values import Duration, Timestamp, UInt, Value, type_of, value_of_key
from sekisho.lang.golang import gofloat

BOUND: Final = 100
"""The largest precision, from version 5 on."""

WRONG: Final = {
    **format_v1.WRONG,
    "d": "decimal clause can only be used on ints, uints, and doubles, was given ",
    "f": "fixed-point clause can only be used on ints, uints, and doubles, was given ",
    "e": "scientific clause can only be used on ints, uints, and doubles, was given ",
    "b": "only ints, uints, and bools can be formatted as binary, was given ",
    "x": "only ints, uints, bytes, and strings can be formatted as hex, was given ",
    "X": "only ints, uints, bytes, and strings can be formatted as hex, was given ",
    "o": "octal clause can only be used on ints and uints, was given ",
}


def _refused(verb: str, value: Value) -> Refused:
    return Refused(WRONG[verb] + type_of(value).name)


def _string(value: Value, _: int | None) -> str:
    return _text(value)


def _text(value: Value) -> str:
    match value:
        case None:
            return "null"
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return _double(value)
        case bytes():
            return value.decode("utf-8", "replace")
        case Timestamp():
            return timestamp_text(value)
        case Duration():
            return duration_text(value)
        case CelType():
            return value.name
        case list() | tuple():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            pairs = [(_text(value_of_key(key)), _text(item)) for key, item in value.items()]
            pairs.sort(key=lambda pair: pair[0])
            return f"{{{', '.join(f'{key}: {item}' for key, item in pairs)}}}"
        case _:
            raise _refused("s", value)


def _odd(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _double(number: float) -> str:
    return gofloat.positional(number) if math.isfinite(number) else _odd(number)


def _decimal(value: Value, _: int | None) -> str:
    if type(value) is int or type(value) is UInt:
        return str(int(value))
    if type(value) is float:
        return _double(value)
    raise _refused("d", value)


def _number(verb: str, value: Value) -> float:
    if type(value) in {int, UInt, float}:
        return float(value)
    raise _refused(verb, value)


def _fixed(value: Value, precision: int | None) -> str:
    number = _number("f", value)
    if not math.isfinite(number):
        return _odd(number)
    return f"{number:.{PRECISION if precision is None else precision}f}"


def _scientific(value: Value, precision: int | None) -> str:
    number = _number("e", value)
    if not math.isfinite(number):
        return _odd(number)
    return f"{number:.{PRECISION if precision is None else precision}e}"


def _with_v2_words(verb: str) -> Verb:
    """A verb of version 1 that differs only in its complaint."""
    plain = format_v1.VERBS[verb]

    def run(value: Value, precision: int | None) -> str:
        try:
            return plain(value, precision)
        except Refused:
            raise _refused(verb, value) from None

    return run


VERBS: Final[dict[str, Verb]] = {
    "s": _string,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    **{verb: _with_v2_words(verb) for verb in "bxXo"},
}


def format_text(state: State, template: str, values: Sequence[Value], limit: int = 0) -> str:
    """``template.format(values)``, in version 4."""
    try:
        return templates.render(state.meter, template, values, VERBS, limit)
    except RecursionError:
        raise CelError("error during formatting: a value is nested too deeply") from None


def format_bounded(state: State, template: str, values: Sequence[Value]) -> str:
    """``template.format(values)``, in version 5."""
    return format_text(state, template, values, BOUND)
