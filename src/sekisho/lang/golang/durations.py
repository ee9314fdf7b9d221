"""Durations such as 1h30m, in nanoseconds: Go's, and those with days, weeks and years, which Rego has."""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang.gotext import quote, quote_bytes

_UNITS: Final = MappingProxyType(
    {
        "ns": 1,
        "us": 1_000,
        "µs": 1_000,  # U+00B5, the micro sign
        "μs": 1_000,  # U+03BC, the Greek letter
        "ms": 1_000_000,
        "s": 1_000_000_000,
        "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    }
)
_HOURS: Final = MappingProxyType({"d": 24, "w": 7 * 24, "y": 365 * 24})
_EXTENDED: Final = re.compile("([+-]?)((?:[0-9.]+(?:ms|us|µs|ns|[a-z]))+)")
_SEGMENT: Final = re.compile("([0-9.]+)(ms|us|µs|ns|[a-z])")
_STEP: Final = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^.0-9]*)")
_HALF: Final = 1 << 63


class _Wrong(Exception):
    """What is wrong, in Go's words."""


def parse(text: str) -> int:
    """A duration. Raises BuiltinFault ``time: invalid duration "x"`` and the like."""
    if not any(unit in text for unit in _HOURS):
        try:
            return _go(text)
        except _Wrong as wrong:
            raise BuiltinFault(f"time: {wrong} {quote_bytes(text)}") from None
    try:
        return _go(_rewritten(text))
    except _Wrong as wrong:
        raise BuiltinFault(f"time: {wrong} {quote(text)}") from None


def nanoseconds(text: str) -> int:
    """A duration in Go's units, or a bare integer. Raises BuiltinFault as ``parse`` does."""
    bare = text[1:] if text[:1] in {"+", "-"} else text
    if bare.isascii() and bare.isdecimal() and len(bare) < 20:
        return int(text)
    try:
        return _go(text)
    except _Wrong as wrong:
        raise BuiltinFault(f"time: {wrong} {quote_bytes(text)}") from None


def _rewritten(text: str) -> str:
    """The same with days, weeks and years as hours."""
    found = _EXTENDED.fullmatch(text)
    if not found:
        raise _Wrong("invalid duration")
    out = [found[1]]
    for digits, unit in _SEGMENT.findall(found[2]):
        if unit in _HOURS:
            try:
                hours = float(digits) * _HOURS[unit]
            except ValueError:
                raise _Wrong("invalid duration") from None
            if hours > 1e15:
                raise _Wrong("invalid duration")
            out.append(f"{Decimal(repr(hours)).normalize():f}h")
        else:
            out.append(digits + unit)
    return "".join(out)


def _go(text: str) -> int:
    negative = text.startswith("-")
    rest = text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return 0
    if not rest:
        raise _Wrong("invalid duration")
    total = 0
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if not found or not (found[1] or found[3]):
            raise _Wrong("invalid duration")
        unit = found[4]
        if len(found[1].lstrip("0")) > 19 or int(found[1] or 0) > _HALF:
            raise _Wrong("invalid duration")
        if not unit:
            raise _Wrong("missing unit in duration")
        if unit not in _UNITS:
            raise _Wrong(f"unknown unit {quote_bytes(unit)} in duration")
        total += int(found[1] or 0) * _UNITS[unit] + _fraction(found[3] or "", _UNITS[unit])
        if total > _HALF:
            raise _Wrong("invalid duration")
        at = found.end()
    if negative:
        return -total
    if total >= _HALF:
        raise _Wrong("invalid duration")
    return total


def _fraction(digits: str, unit: int) -> int:
    """A fraction of a unit, as Go computes it: with 64-bit floats."""
    number, scale = 0, 1.0
    for digit in digits:
        if number > (_HALF - 1) // 10:
            break
        number = number * 10 + int(digit)
        scale *= 10
    return int(float(number) * (unit / scale))
