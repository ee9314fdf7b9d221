"""units.parse and units.parse_bytes: amounts with SI and binary suffixes, exact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from sekisho.diag import Limit
from sekisho.lang.meter import Exhausted
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.numbers import text as number_text
from sekisho.rego.types import NUMBER, STRING, Function
from sekisho.rego.values import Number, Value

AMOUNT: Final = Limit("an amount", 1_000, "digits", "nobody has more bytes")

_LETTERS: Final = "kmgtpe"
_EXPONENT_DIGITS: Final = 6
"""Digits of an exponent; OPA refuses more."""
_KEPT: Final = 1_000
"""Amounts that are remembered: policies ask for the same few again and again."""
_SHORT: Final = 40
"""Characters of an amount that may be remembered: longer ones are no amounts that people write."""
_PLACES: Final = 10
"""Decimal places of an amount that is not whole."""
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def _multiples(*, binary_suffix: tuple[str, ...], decimal_suffix: tuple[str, ...]) -> dict[str, Fraction]:
    out = {"": Fraction(1)}
    for power, letter in enumerate(_LETTERS, 1):
        out |= {letter + suffix: Fraction(1000**power) for suffix in decimal_suffix}
        out |= {letter + suffix: Fraction(1024**power) for suffix in binary_suffix}
    return out


_BYTES: Final = MappingProxyType(_multiples(binary_suffix=("i", "ib"), decimal_suffix=("", "b")))
_UNITS: Final = MappingProxyType(
    {
        spelling: factor
        for name, factor in _multiples(binary_suffix=("i",), decimal_suffix=("",)).items()
        for spelling in (name, name[:1].upper() + name[1:])
        if spelling != "m"
    }
    | {"m": Fraction(0.001)}  # OPA's thousandth is the nearest 64-bit number: 1000m prints as 1.0000000000
)


def _split(text: str) -> tuple[str, str] | None:
    """The number and the unit; None when the exponent is too long."""
    at = 0
    while at < len(text):
        char = text[at]
        if char in "eE":
            following = text[at + 1 : at + 2]
            if not following or not (_digit(following) or following in "+-"):
                break
            if following in "+-":
                at += 1
            end = at + 1
            while end < len(text) and _digit(text[end]):
                end += 1
            if end - at - 1 > _EXPONENT_DIGITS:
                return None
        elif not (_digit(char) or char in ".+-"):
            break
        at += 1
    return text[:at], text[at:]


def _digit(char: str) -> bool:
    return "0" <= char <= "9"


def _parse(text: str, name: str, amount: str, factors: Mapping[str, Fraction], unit_word: str) -> Fraction:
    def fault(why: str) -> BuiltinFault:
        return BuiltinFault(f"{name}: {why}")

    if " " in text:
        raise fault("spaces not allowed in resource strings")
    parts = _split(text)
    if parts is None:
        raise fault("exponent too large")
    number, unit = parts
    if not number:
        raise fault(f"no {amount} provided")
    known = unit if name == "units.parse_bytes" else unit[:1] + unit[1:].lower()
    if known not in factors:
        raise fault(f"{unit_word} {known} not recognized")
    if not _NUMBER.fullmatch(number):
        raise fault(f"could not parse {amount} to a number")
    exact = Number(number)
    if (exact and abs(exact.adjusted()) > AMOUNT.value) or len(number) > AMOUNT.value:
        raise Exhausted(AMOUNT)
    return Fraction(exact) * factors[known]


def _amount(text: str) -> Fraction:
    return _parse(text.replace('"', ""), "units.parse", "amount", _UNITS, "unit")


def _byte_amount(text: str) -> Fraction:
    lowered = text.lower().replace('"', "")
    return _parse(lowered, "units.parse_bytes", "byte amount", _BYTES, "byte unit")


_known_amount = lru_cache(maxsize=_KEPT)(_amount)
_known_byte_amount = lru_cache(maxsize=_KEPT)(_byte_amount)


def _units(text: Value) -> int | Number:
    operands.string(text, 1)
    value = (_known_amount if len(text) <= _SHORT else _amount)(text)
    if value.denominator == 1:
        return value.numerator
    scaled = value * 10**_PLACES
    whole = (abs(scaled.numerator) * 2 + scaled.denominator) // (scaled.denominator * 2)  # halves go up
    digits = number_text(whole).rjust(_PLACES + 1, "0")
    return Number(f"{'-' if value < 0 else ''}{digits[:-_PLACES]}.{digits[-_PLACES:]}")


def _parse_bytes(text: Value) -> int:
    operands.string(text, 1)
    value = (_known_byte_amount if len(text) <= _SHORT else _byte_amount)(text)
    whole = abs(value.numerator) // value.denominator
    return -whole if value < 0 else whole


row("units.parse", Function((STRING,), NUMBER), _units)
row(
    "units.parse_bytes",
    Function((STRING,), NUMBER),
    _parse_bytes,
    note="exact, where OPA computes with 64 bits",
)
