"""64-bit floating-point numbers in the forms of fmt's verbs (``%f`` and ``%e`` are Python's own)."""

from __future__ import annotations

import math

from sekisho.lang.golang.gofloat import shortest


def general(value: float, precision: int | None) -> str:
    """``%g``: with a precision as C has it, without one the shortest text that denotes the value."""
    return shortest(value) if precision is None else format(value, f".{max(precision, 1)}g")


def _exponent(letter: str, power: int) -> str:
    return f"{letter}{'-' if power < 0 else '+'}{abs(power):02d}"


def hexadecimal(value: float, precision: int | None) -> str:
    """``%x``: a mantissa of one hexadecimal digit before the point and a binary exponent."""
    sign = "-" if math.copysign(1, value) < 0 else ""
    mantissa, power = _parts(abs(value)) if value else (0, 0)
    places = 13
    if mantissa:
        shift = 53 - mantissa.bit_length()
        mantissa, power = mantissa << shift, power - shift + 52
    if precision is not None and precision < places:
        drop = 4 * (places - precision)
        rest, half = mantissa & ((1 << drop) - 1), 1 << (drop - 1)
        mantissa >>= drop
        mantissa += rest > half or (rest == half and mantissa & 1)
        if mantissa.bit_length() > 1 + 4 * precision:
            mantissa, power = mantissa >> 1, power + 1
        places = precision
    digits = f"{mantissa & ((1 << 4 * places) - 1):0{places}x}" if places else ""
    digits = digits.rstrip("0") if precision is None else digits.ljust(precision, "0")
    return f"{sign}0x{mantissa >> 4 * places}{'.' if digits else ''}{digits}{_exponent('p', power)}"


def powers(value: float) -> str:
    """``%b``: an integer times a power of two."""
    sign = "-" if math.copysign(1, value) < 0 else ""
    mantissa, power = _parts(abs(value))
    return f"{sign}{mantissa}p{'-' if power < 0 else '+'}{abs(power)}"


def _parts(value: float) -> tuple[int, int]:
    """The mantissa of 53 bits (fewer where it is denormal) and the exponent of its last bit."""
    power = max(math.frexp(value)[1] - 53, -1074) if value else -1074
    return int(math.ldexp(value, -power)), power


def sharpened(text: str, verb: str, precision: int | None) -> str:
    """What the flag # adds: a point always, and the zeros that %g drops."""
    digits = 0
    if verb in {"v", "g", "G", "x"}:
        digits = 6 if precision is None else precision
    sign, body = ("-", text[1:]) if text[0] == "-" else ("", text)
    cut = next(
        (i for i, char in enumerate(body) if char in "pP" or (char in "eE" and verb not in "xX")), None
    )
    tail = "" if cut is None else body[cut:]
    body = body[:cut]
    significant = body.replace(".", "").lstrip("0")
    digits -= len(significant)
    if "." not in body:
        digits -= body == "0"
        body += "."
    return sign + body + "0" * digits + tail
