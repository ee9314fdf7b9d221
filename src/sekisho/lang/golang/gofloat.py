"""64-bit floats as Go prints them."""

from __future__ import annotations

import struct
from decimal import Decimal


def shortest(value: float, *, bits: int = 64) -> str:
    """The shortest text that reads back as the same number (strconv's format ``g``, precision -1).

    ``bits``: 32 rounds to a 32-bit float first. An exponent is used below 1e-4 and from 1e6 on.
    """
    digits, exponent, sign = _digits(value, bits)
    if not -4 <= exponent < 6:
        return sign + _scientific(digits, exponent)
    return sign + _positional(digits, exponent)


def positional(value: float) -> str:
    """The shortest text without an exponent (strconv's format ``f``, precision -1)."""
    digits, exponent, sign = _digits(value, 64)
    return sign + _positional(digits, exponent)


def json(value: float) -> str:
    """As encoding/json prints it: an exponent below 1e-6 and from 1e21 on."""
    digits, exponent, sign = _digits(value, 64)
    if -6 <= exponent < 21 or digits == "0":
        return sign + _positional(digits, exponent)
    text = _scientific(digits, exponent)
    return sign + (text[:-2] + text[-1] if text[-4:-1] == "e-0" else text)


def _digits(value: float, bits: int) -> tuple[str, int, str]:
    """Digits without trailing zeros, the decimal exponent of the first, and the sign."""
    text = _single(value) if bits == 32 else repr(value)
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    joined = "".join(map(str, digits))
    point = len(joined) + exponent
    bare = joined.lstrip("0")
    point -= len(joined) - len(bare)
    bare = bare.rstrip("0") or "0"
    return bare, point - 1 if bare != "0" else 0, "-" if sign else ""


def _single(value: float) -> str:
    """The shortest text of the nearest 32-bit float."""
    [rounded] = struct.unpack("f", struct.pack("f", value))
    for precision in range(1, 10):
        text = f"{rounded:.{precision}g}"
        if struct.pack("f", float(text)) == struct.pack("f", rounded):
            return text
    return repr(rounded)


def _positional(digits: str, exponent: int) -> str:
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{digits}"
    if len(digits) <= exponent + 1:
        return digits + "0" * (exponent + 1 - len(digits))
    return f"{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def _scientific(digits: str, exponent: int) -> str:
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
