"""Arithmetic on Rego numbers.

Integers are exact at any size up to ``DIGITS``. Where a fraction takes part, Rego computes in binary with a
mantissa of 64 bits, rounding to the nearest, ties to even, and prints the shortest decimal that denotes the
result (policy.md 2.2, 13): 0.1 + 0.2 is 0.3, and 1 / 3 is 0.33333333333333333334. Such a binary number is a
pair (m, e) here: m times 2 to the power of e, with at most 64 bits in m.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_05UP,
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
)
from typing import Final, TypeAlias

from sekisho.diag import Limit
from sekisho.lang.meter import Exhausted
from sekisho.rego.values import Number

Num: TypeAlias = int | Decimal | float
"""A Rego number, as ``values`` has it."""

DIGITS: Final = Limit("a number", 10_000, "digits", "arithmetic on longer ones would not stop at a deadline")
BITS: Final = DIGITS.value * 10 // 3
_DIGITS: Final = DIGITS.value

_MANTISSA: Final = 64
_SPARE: Final = 256
"""Bits of a power of five with a large exponent; 64 of them survive the rounding."""
_EXACT: Final = 2_000
"""The binary exponents up to which digits are worked out exactly."""
_KEPT: Final = 200
"""Digits of a literal that are read: more cannot move its 64-bit mantissa, only break a tie."""
_CUT: Final = Context(prec=_KEPT, rounding=ROUND_05UP, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Cuts a literal off so that it does not look like a tie when it was none."""
_LITERAL: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")

Binary: TypeAlias = tuple[int, int]


def text(value: Num) -> str:
    """A number as it was written, or as its computation printed it."""
    kind = type(value)
    if kind is int:
        try:
            return str(value)
        except ValueError:  # Python converts at most 4,300 digits at once
            return format(Decimal(value), "f")
    if isinstance(value, Number):
        return value.text
    return repr(value) if kind is float else str(value)


def whole(value: Num) -> int | None:
    """The integer that this number is; None when it has a fraction.

    Raises Exhausted for one of more than ``DIGITS`` digits.
    """
    if type(value) is int:
        return value
    exact = Decimal(value)
    if exact.adjusted() >= _DIGITS and exact:
        raise Exhausted(DIGITS)
    if exact.adjusted() < 0:
        return None if exact else 0
    sign, before, after, power = _split(text(value))
    digits = (before + after).rstrip("0")
    exponent = power - len(after) + len(before) + len(after) - len(digits)
    if exponent < 0:
        return None
    scale: int = 10**exponent
    out = _digits(digits) * scale
    return -out if sign == "-" else out


def _digits(text: str) -> int:
    """The integer of these digits; Python converts at most 4,300 at once."""
    if len(text) <= 4_000:
        return int(text or "0")
    half = len(text) // 2
    scale: int = 10**half
    return _digits(text[:-half]) * scale + _digits(text[-half:])


def cost(value: Number) -> int:
    """The steps that it takes to read a number from its text and to compute with it."""
    return (len(value.text) + min(abs(value.adjusted()), _DIGITS)) >> 3


def sized(value: int) -> int:
    """The same integer. Raises Exhausted when it is longer than ``DIGITS``."""
    if value.bit_length() > BITS:
        raise Exhausted(DIGITS)
    return value


def truncate(value: Num) -> int:
    """A number without its fraction."""
    if type(value) is int:
        return value
    exact = Decimal(value)
    if exact.adjusted() >= _DIGITS and exact:
        raise Exhausted(DIGITS)
    return int(exact) if exact.adjusted() >= 0 else 0


# --- the four operations, and what rounds -------


def add(a: Num, b: Num) -> Num:
    """A + b."""
    x, y = whole(a), whole(b)
    if x is not None and y is not None:
        return sized(x + y)
    return _number(_sum(binary(a), binary(b)))


def subtract(a: Num, b: Num) -> Num:
    """A - b."""
    x, y = whole(a), whole(b)
    if x is not None and y is not None:
        return sized(x - y)
    m, e = binary(b)
    return _number(_sum(binary(a), (-m, e)))


def total(values: Iterable[Num]) -> Num:
    """The sum of numbers of which some are fractions, rounded at each step."""
    out = 0, 0
    for value in values:
        out = _sum(out, binary(value))
    return _number(out)


def multiply(a: Num, b: Num) -> Num:
    """A * b."""
    x, y = whole(a), whole(b)
    if x is not None and y is not None:
        if x.bit_length() + y.bit_length() > BITS:
            raise Exhausted(DIGITS)
        return x * y
    (m, e), (n, f) = binary(a), binary(b)
    if not m or not n:
        return _zero(_negative(a) != _negative(b))
    return _number(_rounded(m * n, e + f))


def product(values: Sequence[Num]) -> Num:
    """The product of numbers of which some are fractions, rounded at each step."""
    out = 1, 0
    for value in values:
        m, e = binary(value)
        out = _rounded(out[0] * m, out[1] + e)
    return _number(out) if out[0] else _zero(sum(map(_negative, values)) % 2 == 1)


def divide(a: Num, b: Num) -> Num:
    """A / b; exact where integers divide evenly. ``b`` is not zero."""
    x, y = whole(a), whole(b)
    if x is not None and y is not None and x % y == 0:
        return x // y
    (m, e), (n, f) = binary(a), binary(b)
    if not m:
        return _zero(_negative(a) != _negative(b))
    shift = max(0, _MANTISSA + 2 + n.bit_length() - m.bit_length())
    quotient, rest = divmod(abs(m) << shift, abs(n))
    out, exponent = _rounded(quotient, e - f - shift, sticky=rest != 0)
    return _number((out if (m < 0) == (n < 0) else -out, exponent))


def remainder(a: int, b: int) -> int:
    """The remainder of a division that rounds to zero: it has the sign of ``a``. ``b`` is not zero."""
    out = abs(a) % abs(b)
    return -out if a < 0 else out


def absolute(value: Num) -> Num:
    """The absolute value."""
    exact = whole(value)
    if exact is not None:
        return abs(exact)
    m, e = binary(value)
    return _number((abs(m), e))


def ceiling(value: Num) -> int:
    """The least integer that is not less."""
    return _integral(value, ROUND_CEILING)


def floor(value: Num) -> int:
    """The greatest integer that is not greater."""
    return _integral(value, ROUND_FLOOR)


def nearest(value: Num) -> int:
    """The nearest integer; halves go away from zero."""
    return _integral(value, ROUND_HALF_UP)


def _integral(value: Num, rounding: str) -> int:
    if type(value) is int:
        return value
    exact = Decimal(value)
    if exact.adjusted() >= _DIGITS and exact:
        raise Exhausted(DIGITS)
    return int(exact.to_integral_value(rounding))


def _negative(value: Num) -> bool:
    return Decimal(value).is_signed()


def _zero(negative: bool) -> Num:
    return Number("-0") if negative else 0


# --- binary numbers ---------


def binary(value: Num) -> Binary:
    """A number, rounded to a mantissa of 64 bits."""
    if type(value) is int:
        return _rounded(value, 0)
    written = text(value)
    if len(written) > 2 * _KEPT:
        written = str(_CUT.plus(Decimal(value)))
    sign, before, after, power = _split(written)
    digits = (before + after).lstrip("0")
    if not digits:
        return 0, 0
    exponent = power - len(after)
    if exponent + len(digits) > _DIGITS:
        raise Exhausted(DIGITS)
    m, e = _scaled(int(digits), exponent)
    return (-m if sign == "-" else m), e


def _split(literal: str) -> tuple[str, str, str, int]:
    found = _LITERAL.fullmatch(literal)
    assert found, literal
    sign, before, after, power = found.groups()
    if power and len(power) > 12:
        power = power[:12]  # as good as infinite
    return sign, before, after or "", int(power or 0)


def _scaled(mantissa: int, exponent: int) -> Binary:
    """``mantissa`` times 10 to the power of ``exponent``."""
    power, shift = _five(abs(exponent))
    if exponent >= 0:
        return _rounded((mantissa << _MANTISSA) * power, exponent + shift - _MANTISSA)
    extra = _MANTISSA * 2 + power.bit_length()
    quotient, rest = divmod(mantissa << extra, power)
    return _rounded(quotient, exponent - shift - extra, sticky=rest != 0)


def _five(n: int) -> Binary:
    """5 to the power of n: exact up to 5**1000, then with ``_SPARE`` bits."""
    if n <= 1000:
        return 5**n, 0
    m, e = 1, 0
    base, shift = 5, 0
    while n:
        if n & 1:
            m, e = _rounded(m * base, e + shift, _SPARE)
        base, shift = _rounded(base * base, shift * 2, _SPARE)
        n >>= 1
    return m, e


def _rounded(m: int, e: int, bits: int = _MANTISSA, *, sticky: bool = False) -> Binary:
    """M times 2**e with at most ``bits`` bits, to the nearest, ties to even.

    ``sticky`` says that something smaller than m's last bit was cut off.
    """
    drop = m.bit_length() - bits
    if drop <= 0:
        return m, e
    size = abs(m)
    half = 1 << (drop - 1)
    rest = size & ((half << 1) - 1)
    size >>= drop
    if rest > half or (rest == half and (sticky or size & 1)):
        size += 1
    return (-size if m < 0 else size), e + drop


def _sum(x: Binary, y: Binary) -> Binary:
    (m, e), (n, f) = x, y
    if not m or not n:
        return x if m else y
    if e < f:
        (m, e), (n, f) = (n, f), (m, e)
    if e - f > _MANTISSA * 4:  # the smaller one is far below half of the greater one's last bit
        return m, e
    return _rounded((m << (e - f)) + n, f)


def _number(value: Binary) -> Num:
    """The Rego number that this prints as: an integer, or the shortest decimal that rounds back to it."""
    m, e = value
    if not m:
        return 0
    trailing = (m & -m).bit_length() - 1
    if e + trailing >= 0 and m.bit_length() + e <= _MANTISSA:
        return m << e if e >= 0 else m >> -e
    digits, point = _shortest(abs(m), e)
    sign = "-" if m < 0 else ""
    if e + trailing >= 0:
        scale: int = 10 ** (point - len(digits))
        return int(sign + digits) * scale
    if -4 < point <= 6:
        if point <= 0:
            return Number(f"{sign}0.{'0' * -point}{digits}")
        return Number(f"{sign}{digits[:point]}.{digits[point:]}")
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    power = point - 1
    return Number(f"{sign}{digits[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}")


def _shortest(m: int, e: int) -> tuple[str, int]:
    """The fewest decimal digits that denote m times 2**e, and where the point stands before them.

    A candidate lies between the neighbours' midpoints; these belong to the interval when m is even.
    """
    up = _MANTISSA - m.bit_length()
    m, e = m << up, e - up
    value, unit, tens = _comparable(2 * m, e - 1)
    half = value // (2 * m)  # half a unit of the mantissa's last place
    below, above = value - half, value + half
    inclusive = m % 2 == 0
    point = _magnitude(value, unit)
    for count in range(1, 30):
        place = point - count
        if place >= 0:
            top, low, high, step = value, below, above, unit * 10**place
        else:
            factor = 10**-place
            top, low, high, step = value * factor, below * factor, above * factor, unit
        down, rest = divmod(top, step)
        low -= down * step
        high -= (down + 1) * step
        fits_down = low < 0 or (inclusive and low == 0)
        fits_up = high > 0 or (inclusive and high == 0)
        if fits_down or fits_up:
            twice = rest * 2 - step
            raised = fits_up and (not fits_down or twice > 0 or (twice == 0 and down % 2 == 1))
            digits = str(down + 1 if raised else down)
            return digits.rstrip("0"), point + tens + len(digits) - count
    raise AssertionError(f"no decimal denotes {m} * 2**{e}")


def _comparable(m: int, e: int) -> tuple[int, int, int]:
    """M times 2**e as (value, unit, tens): value / unit * 10**tens, where m divides value.

    Exact near one; far from it good to some 190 bits, which decides all but the ties that cannot be there.
    """
    if abs(e) <= _EXACT:
        return (m << e, 1, 0) if e >= 0 else (m, 1 << -e, 0)
    if not -_DIGITS * 4 < e < _DIGITS * 4:
        raise Exhausted(DIGITS)
    tens = int(e * 0.30103)
    power, shift = _five(abs(tens))
    factor = (1 << (2 * _SPARE)) // power if tens > 0 else power
    scale = e - tens - shift - 2 * _SPARE if tens > 0 else e - tens + shift
    return (m * factor << scale, 1, tens) if scale >= 0 else (m * factor, 1 << -scale, tens)


def _magnitude(value: int, unit: int) -> int:
    """The number of decimal digits of value / unit before the point; zero or negative for a fraction."""
    guess = int((value.bit_length() - unit.bit_length()) * 0.30103)
    while _at_least(value, unit, guess):
        guess += 1
    while not _at_least(value, unit, guess - 1):
        guess -= 1
    return guess


def _at_least(value: int, unit: int, power: int) -> bool:
    """Whether value / unit >= 10**power."""
    scale: int = 10 ** abs(power)
    return value >= unit * scale if power >= 0 else value * scale >= unit
