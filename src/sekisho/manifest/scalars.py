"""What a YAML scalar means to Kubernetes.

Kubernetes reads YAML with sigs.k8s.io/yaml: go-yaml v2 gives Go values, these become JSON, which is read
again. Both steps leave traces that this module keeps: y and n are booleans, ``010`` is 8, ``22:22`` and
timestamps are strings, ``1e3`` is the integer 1000 (Go writes that float as ``1000``), ``.inf`` is an error,
integers end at 64 bits and go on as floats. The tests have a row for each form, as the original answers it.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any, Final

WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
"""Words with a meaning. What is not among them and does not begin like a number is a string."""

MAY_BE_NUMBER: Final = frozenset("+-.0123456789")

_POINT: Final = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGER: Final = re.compile(
    r"([-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|(?P<dec>0|[1-9][0-9]{0,19})|0[oO]?(?P<oct>[0-7]+))"
)
_SIGN_INSIDE: Final = re.compile(r"0b([-+][01]{1,63})")
_BASES: Final = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}

_INT64: Final = range(-(2**63), 2**63)
_UINT64: Final = range(2**64)
_EXACT: Final = 2.0**53
_WHOLE: Final = 1e21
"""Go writes floats below this without an exponent, so whole ones are read back as integers."""


def plain(text: str) -> Any:
    """The value of a plain scalar as go-yaml has it: str, int, float (perhaps not finite), bool or None."""
    if text in WORDS:
        return WORDS[text]
    return number(text) if text[0] in MAY_BE_NUMBER else text


def number(text: str) -> Any:
    """The number that a plain scalar denotes, or the text itself where it is none."""
    if text[0] == ".":
        return _float(text, text) if _POINT.fullmatch(text) else text
    digits = text.replace("_", "")
    if (found := _INTEGER.fullmatch(digits)) is not None:
        base = found.lastgroup or ""
        value = int(found[base], _BASES[base])
        if found[1] == "-":
            value = -value
        if value in _INT64 or (not found[1] and value in _UINT64):
            return value
    if _FLOAT.fullmatch(digits):
        return _float(digits, text)
    if (found := _SIGN_INSIDE.fullmatch(digits)) is not None:
        return int(found[1], 2)
    return text


def _float(digits: str, text: str) -> float | str:
    value = float(digits)
    return text if math.isinf(value) else value


def is_json(value: Any) -> bool:
    """Whether JSON has this scalar: all but infinities and NaN."""
    return type(value) is not float or math.isfinite(value)


def to_json(value: Any) -> Any:
    """A scalar as it is after its way through JSON: whole floats are integers."""
    if type(value) is not float or not value.is_integer() or abs(value) >= _WHOLE:
        return value
    if abs(value) < _EXACT:
        return int(value)
    # Go writes the shortest digits that give the float back, and zeros; these are read as an integer.
    digits, _, exponent = repr(value).partition("e")
    whole, _, fraction = digits.partition(".")
    shift = int(exponent or "0") - len(fraction)
    written = int(whole + fraction)
    written = written * 10**shift if shift >= 0 else written // 10**-shift
    return written if written in _INT64 else value


def to_key(value: Any) -> str | None:
    """A scalar as the key of an object; None where sigs.k8s.io/yaml refuses it."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value) if value in _INT64 else None
    return _float_key(value) if type(value) is float else None


def _float_key(value: float) -> str:
    """As Go's ``FormatFloat(value, 'g', -1, 32)``, and YAML's words for what is not finite."""
    single = _single(value)
    if math.isnan(single):
        return ".nan"
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    text = next(text for n in range(9) if _single(float(text := f"{single:.{n}e}")) == single)
    mantissa, _, power = text.partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "").rstrip("0") or "0"
    point = int(power)
    if not -4 <= point < 6:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{point:+03d}"
    if point < 0:
        return f"{sign}0.{'0' * (-point - 1)}{digits}"
    whole, rest = digits[: point + 1].ljust(point + 1, "0"), digits[point + 1 :]
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"


def _single(value: float) -> float:
    """The nearest single-precision float."""
    try:
        (single,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        return math.copysign(math.inf, value)
    return float(single)
