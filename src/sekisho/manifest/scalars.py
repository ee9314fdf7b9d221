"""Plain scalars of YAML, as sigs.k8s.io/yaml (go-yaml v2, then JSON) reads them.

Differences from YAML 1.1 as PyYAML has it, each with a case in the tests: y and n are booleans, numbers
have no base 60, timestamps are strings, ``1e3`` is a number; a float that is whole becomes an integer on its
way through JSON.
"""

from __future__ import annotations

import math
import re
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

_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_INTEGER: Final = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z", re.ASCII
)
_UINT64: Final = 2**64

WHOLE: Final = 1e21
"""Go writes floats below this without an exponent, so whole ones are read back as integers."""


def plain(text: str) -> Any:
    """The value of a plain scalar; infinities and NaN as floats, for the caller to refuse."""
    if text in WORDS:
        return WORDS[text]
    if text[0] in MAY_BE_NUMBER:
        return number(text)
    return text


def number(text: str) -> Any:
    """The number that a plain scalar denotes, or the text itself where it is none."""
    if text[0] == ".":
        return float_value(text) if _FLOAT.match(text) else text
    digits = text.replace("_", "") if "_" in text else text
    found = _INTEGER.match(digits)
    if found is not None:
        sign, hexadecimal, binary, octal, decimal = found.groups()
        value = _magnitude(hexadecimal, binary, octal, decimal)
        value = -value if sign == "-" else value
        if -(2**63) <= value < (2**63 if sign else _UINT64):
            return value
    return float_value(digits) if _FLOAT.match(digits) else text


def _magnitude(hexadecimal: str | None, binary: str | None, octal: str | None, decimal: str | None) -> int:
    if hexadecimal is not None:
        return int(hexadecimal, 16)
    if binary is not None:
        return int(binary, 2)
    if octal is not None:
        return int(octal, 8)
    return int(decimal or "0")


def float_value(text: str) -> Any:
    """A float, or the integer that it is after a round trip through JSON; the text where it overflows."""
    value = float(text)
    if math.isinf(value):
        return text
    return int(value) if value.is_integer() and abs(value) < WHOLE else value
