"""Types and conversions: is_*, type_name, to_number, and the deprecated cast_*."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sekisho.lang.golang.gotext import quote
from sekisho.lang.meter import Exhausted
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.numbers import DIGITS, Num
from sekisho.rego.types import ANY, BOOLEAN, NULL, NUMBER, STRING, Array, Function, Object, SetOf, Type, Union
from sekisho.rego.values import Number, Set, Value, is_number, type_name


def _is(kind: type) -> Callable[[Value], bool]:
    def check(value: Value) -> bool:
        return type(value) is kind

    return check


def _is_null(value: Value) -> bool:
    return value is None


# --- to_number --------------------

_PLAIN: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""What is a number in JSON: it keeps its spelling."""
_DECIMAL: Final = re.compile(
    r"([+-]?)(?=\.?[0-9])([0-9]*(?:_[0-9]+)*)(?:\.((?:[0-9]+(?:_[0-9]+)*)?))?(?:[eE]([+-]?[0-9]+(?:_[0-9]+)*))?"
)
_HEXADECIMAL: Final = re.compile(
    r"([+-]?)0[xX]_?(?=\.?[0-9a-fA-F])([0-9a-fA-F]*(?:_[0-9a-fA-F]+)*)"
    r"(?:\.((?:[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)?))?[pP]([+-]?[0-9]+(?:_[0-9]+)*)"
)
_NOT_FINITE: Final = frozenset({"inf", "infinity", "nan"})


def _to_number(context: EvalContext, value: Value) -> Num:
    kind = type(value)
    if kind is str:
        context.meter.charge(len(value) >> 4)
        return _parsed(value)
    if is_number(value):
        return value  # type: ignore[no-any-return]
    if value is not None and kind is not bool:
        operands.wrong_type(1, value, "null", "boolean", "number", "string")
    return 1 if value else 0


def _parsed(text: str) -> Num:
    """A number that Go's strconv.ParseFloat takes; its value, however many digits it has."""
    if len(text) < 19 and text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0"):
        return int(text)
    if text.lstrip("+-").lower() in _NOT_FINITE:
        operands.wrong_type(1, text, "valid number string")
    if len(text) > DIGITS.value:
        raise Exhausted(DIGITS)
    found = _PLAIN.fullmatch(text)
    if found:
        return _in_range(text, text) if found[1] or found[2] else _integer(text)
    found = _DECIMAL.fullmatch(text)
    if found:
        sign, before, after, power = (part or "" for part in found.groups())
        return _number(text, sign, before.replace("_", ""), after.replace("_", ""), power.replace("_", ""))
    found = _HEXADECIMAL.fullmatch(text)
    if found:
        return _hexadecimal(text, *(part or "" for part in found.groups()[1:]))
    raise _fault(text, "invalid syntax")


def _fault(text: str, why: str) -> BuiltinFault:
    return BuiltinFault(f"strconv.ParseFloat: parsing {quote(text)}: {why}")


def _integer(text: str) -> Num:
    if len(text.lstrip("-")) > 308 and abs(float(text)) == float("inf"):
        raise _fault(text, "value out of range")
    return Number(text) if text == "-0" else int(text)


def _in_range(literal: str, text: str) -> Number:
    if abs(float(literal)) == float("inf"):
        raise _fault(text, "value out of range")
    return Number(literal)


def _number(text: str, sign: str, before: str, after: str, power: str) -> Num:
    """A number that JSON spells otherwise: +5, 007, .5, 5., 1_000."""
    minus = "-" if sign == "-" else ""
    literal = minus + (before.lstrip("0") or "0")
    if not after and not power:
        return _integer(literal)
    if after:
        literal += f".{after}"
    return _in_range(f"{literal}e{power}" if power else literal, text)


def _hexadecimal(text: str, before: str, after: str, power: str) -> Num:
    mantissa = int((before + after).replace("_", ""), 16)
    exponent = int(power.replace("_", "")[:6]) - 4 * len(after.replace("_", ""))
    if mantissa and mantissa.bit_length() + exponent > 1024:
        raise _fault(text, "value out of range")
    value = float.fromhex(text.replace("_", ""))
    return int(value) if value.is_integer() else Number(repr(value))


# --- casts ------------------------


def _cast(*kinds: type, names: tuple[str, ...]) -> Callable[[Value], Value]:
    def check(value: Value) -> Value:
        if type(value) not in kinds:
            operands.wrong_type(1, value, *names)
        return value

    return check


def _cast_array(value: Value) -> list[Value]:
    if type(value) is Set:
        return list(value)
    if type(value) is not list:
        operands.wrong_type(1, value, "array", "set")
    return value


def _cast_set(value: Value) -> Set:
    if type(value) is list:
        return Set.of(value)
    if type(value) is not Set:
        operands.wrong_type(1, value, "array", "set")
    return value


def _register() -> None:
    check = Function((ANY,), BOOLEAN)
    for name, kind in (("array", list), ("boolean", bool), ("object", dict), ("set", Set), ("string", str)):
        row(f"is_{name}", check, _is(kind))
    row("is_null", check, _is_null)
    row("is_number", check, is_number)
    row("type_name", Function((ANY,), STRING), type_name)
    row(
        "to_number",
        Function((Union((NULL, BOOLEAN, NUMBER, STRING)),), NUMBER),
        _to_number,
        context=True,
        note="+5, 007, .5 and 1_000 give numbers that JSON can spell",
    )
    casts: tuple[tuple[str, Type, Callable[[Value], Value]], ...] = (
        ("array", Array(dynamic=ANY), _cast_array),
        ("set", SetOf(ANY), _cast_set),
        ("string", STRING, _cast(str, names=("string",))),
        ("boolean", BOOLEAN, _cast(bool, names=("boolean",))),
        ("null", NULL, _cast(type(None), names=("null",))),
        ("object", Object(dynamic=(ANY, ANY)), _cast(dict, names=("object",))),
    )
    for name, result, function in casts:
        row(f"cast_{name}", Function((ANY,), result), function, deprecated=True)


_register()
