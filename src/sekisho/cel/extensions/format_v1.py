"""``format`` as it was before version 4 of the strings library, which Kubernetes has.

Numbers with a point are written for readers of English: in groups of three, powers of ten with raised
digits. ``%e`` always has six digits; what is written as its precision is the width, as in cel-go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.extensions import templates
from sekisho.cel.extensions.templates import PRECISION, Refused, Verb
from sekisho.cel.standard.conversions import double_to_text
from sekisho.cel.state import State
from sekisho.cel.times import duration_text, timestamp_text
from sekisho.cel.types import CelType
from sekisho.cel.values import BoolKey, Duration, Timestamp, UInt, Value, type_of, value_of_key
from sekisho.lang.golang.gotext import quote

_RAISED: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_WORDS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

WRONG: Final = {
    "s": (
        "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, "
        "durations, and timestamps, was given "
    ),
    "d": "decimal clause can only be used on integers, was given ",
    "f": "fixed-point clause can only be used on doubles, was given ",
    "e": "scientific clause can only be used on doubles, was given ",
    "b": "only integers and bools can be formatted as binary, was given ",
    "x": "only integers, byte buffers, and strings can be formatted as hex, was given ",
    "X": "only integers, byte buffers, and strings can be formatted as hex, was given ",
    "o": "octal clause can only be used on integers, was given ",
}
"""What a verb says of a type that it does not take; the type's name follows."""


def refused(verb: str, value: Value) -> Refused:
    """A verb does not take the value."""
    return Refused(WRONG[verb] + type_of(value).name)


# --- the verbs --------------------------------------------------------------------------------------------


def _string(value: Value, _: int | None) -> str:
    return _text(value)


def _text(value: Value) -> str:
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is list or kind is tuple or isinstance(value, list):
        return f"[{', '.join(map(_element, value))}]"
    if isinstance(value, dict):
        return _map(value)
    if kind is bytes:
        return _utf8(value)
    if kind is float:
        return double_to_text(value)
    written = _plain(value)
    if written is None:
        raise refused("s", value)
    return written


def _plain(value: Value) -> str | None:
    """The text of what is written alike alone and in a list; None for other values."""
    if value is None:
        return "null"
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case Timestamp():
            return timestamp_text(value)
        case Duration():
            return duration_text(value)
        case CelType():
            return str(value)
        case _:
            return None


def _utf8(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        reason = "invalid UTF-8 in bytes, cannot convert to string"
        raise Refused(f'could not convert argument "{reason}" to string') from None


def _element(value: Value) -> str:
    """A value within a list or a map."""
    match value:
        case str():
            return quote(value)
        case bytes():
            return f"b{quote(_utf8(value))}"
        case float():
            if math.isfinite(value):
                return f"{value:.{PRECISION}f}"
            return f'"{double_to_text(value)}"'
        case Timestamp():
            return f"timestamp({quote(timestamp_text(value))})"
        case Duration():
            return f"duration({quote(duration_text(value))})"
        case list() | tuple() | dict():
            return _text(value)
    written = _plain(value)
    if written is None:
        raise Refused(f"no formatting function for {type_of(value).name}")
    return written


def _map(value: dict[Value, Value]) -> str:
    pairs = []
    for key, item in value.items():
        plain = value_of_key(key)
        if not isinstance(key, str | int | BoolKey):
            raise Refused(f"no formatting function for map key of type {type_of(plain).name}")
        pairs.append((_element(plain), _element(item)))
    pairs.sort(key=lambda pair: pair[0])
    return f"{{{', '.join(f'{key}:{item}' for key, item in pairs)}}}"


def _decimal(value: Value, _: int | None) -> str:
    if type(value) is int or type(value) is UInt:
        return str(int(value))
    raise refused("d", value)


def _number(verb: str, value: Value) -> float:
    if type(value) is str and value in _WORDS:
        return _WORDS[value]
    if type(value) is not float:
        raise refused(verb, value)
    return value


def _fixed(value: Value, precision: int | None) -> str:
    number = _number("f", value)
    if not math.isfinite(number):
        return _odd(number)
    return f"{number or 0.0:,.{PRECISION if precision is None else precision}f}"


def _scientific(value: Value, width: int | None) -> str:
    number = _number("e", value)
    if math.isfinite(number):
        mantissa, _, power = f"{number or 0.0:.{PRECISION}e}".partition("e")
        text = f"{mantissa}×10{power.lstrip('+').translate(_RAISED)}"
    else:
        text = _odd(number)
    return text.rjust(PRECISION if width is None else width)


def _odd(number: float) -> str:
    return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"


def _binary(value: Value, _: int | None) -> str:
    if type(value) is bool:
        return "1" if value else "0"
    if type(value) is int or type(value) is UInt:
        return f"{int(value):b}"
    raise refused("b", value)


def _hex(value: Value, _: int | None) -> str:
    match value:
        case str():
            return value.encode().hex()
        case bytes():
            return value.hex()
        case int() if type(value) is not bool:
            return f"{int(value):x}"
    raise refused("x", value)


def _upper_hex(value: Value, _: int | None) -> str:
    return _hex(value, None).upper()


def _octal(value: Value, _: int | None) -> str:
    if type(value) is int or type(value) is UInt:
        return f"{int(value):o}"
    raise refused("o", value)


VERBS: Final[dict[str, Verb]] = {
    "s": _string,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "x": _hex,
    "X": _upper_hex,
    "o": _octal,
}


def format_text(state: State, template: str, values: Sequence[Value]) -> str:
    """``template.format(values)``."""
    try:
        return templates.render(state.meter, template, values, VERBS)
    except RecursionError:
        raise CelError("error during formatting: a value is nested too deeply") from None
