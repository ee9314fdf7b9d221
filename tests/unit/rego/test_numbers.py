"""Arithmetic on Rego numbers: exact integers, 64-bit binary fractions, and how results are spelled."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.lang.meter import Exhausted
from sekisho.rego import numbers
from sekisho.rego.values import Number


def num(text: str) -> int | Number:
    return int(text) if text.lstrip("-").isdigit() and text != "-0" else Number(text)


@pytest.mark.parametrize(
    ("a", "operation", "b", "result"),
    [
        ("0.1", numbers.add, "0.2", "0.3"),
        ("1e3", numbers.add, "1", "1001"),
        ("1.0", numbers.add, "1", "2"),
        ("9007199254740993", numbers.add, "1", "9007199254740994"),
        ("1e30", numbers.add, "1", "1000000000000000000000000000001"),
        ("1234567.25", numbers.add, "1", "1.23456825e+06"),
        ("123456789012345678901234567890.5", numbers.add, "1", "123456789012345678900000000000"),
        ("1", numbers.add, "1e-400", "1"),
        ("0.3", numbers.subtract, "0.1", "0.20000000000000000002"),
        ("0.5", numbers.subtract, "0.25", "0.25"),
        ("1.5", numbers.subtract, "1.5", "0"),
        ("0.00001", numbers.multiply, "1", "1e-05"),
        ("0.0001", numbers.multiply, "1", "0.0001"),
        ("0", numbers.multiply, "-1.5", "-0"),
        ("1.5", numbers.multiply, "2", "3"),
        ("1", numbers.divide, "3", "0.33333333333333333334"),
        ("100000000000000000000000", numbers.divide, "3", "33333333333333333334000"),
        ("10", numbers.divide, "2", "5"),
        ("1", numbers.divide, "0.5", "2"),
        ("-1", numbers.divide, "8", "-0.125"),
        ("123456789012345678901234567890", numbers.divide, "10", "12345678901234567890123456789"),
        ("0", numbers.divide, "-1.5", "-0"),
        ("1e-400", numbers.multiply, "1.5", "1.5e-400"),
        ("1e-3000", numbers.multiply, "1.5", "1.5e-3000"),
        ("1e-9000", numbers.multiply, "1.5", "1.4999999999999999999e-9000"),
        ("3", numbers.divide, "1e9000", "2.9999999999999999998e-9000"),
    ],
)
def test_operations(a, operation, b, result) -> None:
    assert numbers.text(operation(num(a), num(b))) == result


@pytest.mark.parametrize(
    ("value", "ceiling", "floor", "nearest"),
    [
        ("2.5", 3, 2, 3),
        ("-2.5", -2, -3, -3),
        ("-0.5", 0, -1, -1),
        ("0.5", 1, 0, 1),
        ("0.49999999999999999999", 1, 0, 0),
        ("7", 7, 7, 7),
        ("1e22", 10**22, 10**22, 10**22),
        ("-0", 0, 0, 0),
    ],
)
def test_rounding(value, ceiling, floor, nearest) -> None:
    number = num(value)
    assert (numbers.ceiling(number), numbers.floor(number), numbers.nearest(number)) == (
        ceiling,
        floor,
        nearest,
    )


@pytest.mark.parametrize(("a", "b", "result"), [(-1, 3, -1), (5, -3, 2), (-7, -2, -1), (7, 2, 1)])
def test_the_remainder_has_the_sign_of_the_dividend(a: int, b: int, result: int) -> None:
    assert numbers.remainder(a, b) == result


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.0", 1), ("1e3", 1000), ("12.50e1", 125), ("1.5", None), ("0.0", 0), ("-3e0", -3), ("1e-1", None)],
)
def test_whole(text: str, value: int | None) -> None:
    assert numbers.whole(Number(text)) == value


def test_a_float_of_the_caller_counts_as_it_prints() -> None:
    assert numbers.text(numbers.add(0.1, 0.2)) == "0.3"


@pytest.mark.parametrize("text", ["1e999999999", "1e10001", "-1e999999"])
def test_a_number_too_long_to_compute_with_is_refused(text: str) -> None:
    with pytest.raises(Exhausted):
        numbers.add(Number(text), 1)


def test_a_product_too_long_is_refused_before_it_is_built() -> None:
    with pytest.raises(Exhausted):
        numbers.multiply(10**6000, 10**6000)


def test_a_long_integer_has_its_digits() -> None:
    assert numbers.text(10**5000) == "1" + "0" * 5000
    assert numbers.whole(Number("1" + "2" * 5000)) == int("1" + "2" * 2500) * 10**2500 + int("2" * 2500)


# --- against plain fractions ---------------


def rounded(value: Fraction) -> Fraction:
    """The nearest number with a mantissa of 64 bits, ties to even: the definition, said differently."""
    if not value:
        return value
    exponent = value.numerator.bit_length() - value.denominator.bit_length() - 64
    while abs(value) / Fraction(2) ** exponent >= 2**64:
        exponent += 1
    while abs(value) / Fraction(2) ** exponent < 2**63:
        exponent -= 1
    return round(value / Fraction(2) ** exponent) * Fraction(2) ** exponent


decimals = st.builds(
    lambda m, e: Number(f"{m}e{e}"), st.integers(-(10**25), 10**25), st.integers(-40, 20)
).filter(lambda n: numbers.whole(n) is None)


@given(decimals, decimals)
def test_results_are_the_nearest_to_the_exact_ones(a: Number, b: Number) -> None:
    x, y = rounded(Fraction(a)), rounded(Fraction(b))
    for operation, exact in (
        (numbers.add, x + y),
        (numbers.subtract, x - y),
        (numbers.multiply, x * y),
        (numbers.divide, x / y),
    ):
        result = operation(a, b)
        assert rounded(Fraction(numbers.text(result))) == rounded(exact)


@given(decimals)
def test_what_is_printed_is_the_shortest_that_reads_back(a: Number) -> None:
    result = numbers.multiply(a, Number("1.5"))
    if type(result) is int:
        return
    value = rounded(Fraction(result))
    digits = len(Decimal(result).normalize().as_tuple().digits)
    for rounding in (ROUND_FLOOR, ROUND_CEILING):
        if digits > 1:
            shorter = Context(prec=digits - 1, rounding=rounding).plus(Decimal(result))
            assert rounded(Fraction(shorter)) != value
