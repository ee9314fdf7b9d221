"""Expected texts are what k8s.io/apimachinery v0.36.2 prints for the same input."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sekisho.diag import DiagnosticError
from sekisho.kube.quantity import (
    FORM_TEXT,
    NUMBER_TEXT,
    SUFFIX_TEXT,
    Format,
    Quantity,
    QuantityError,
    load,
    parse,
)


@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("0", 0, "0"),
        ("-0", 0, "0"),
        ("0Ki", 0, "0"),
        ("0e5000", 0, "0"),
        (".", 0, "0"),
        ("+", 0, "0"),
        ("E", 0, "0"),
        ("1", 1, "1"),
        ("1.1", Fraction(11, 10), "1100m"),
        (".5", Fraction(1, 2), "500m"),
        ("1.", 1, "1."),
        ("+1", 1, "+1"),
        ("100n", Fraction(1, 10**7), "100n"),
        ("1000n", Fraction(1, 10**6), "1u"),
        ("500u", Fraction(1, 2000), "500u"),
        ("1500m", Fraction(3, 2), "1500m"),
        ("2000m", 2, "2"),
        ("1k", 1000, "1k"),
        ("1000k", 10**6, "1M"),
        ("1M", 10**6, "1M"),
        ("1G", 10**9, "1G"),
        ("1T", 10**12, "1T"),
        ("1P", 10**15, "1P"),
        ("1E", 10**18, "1E"),
        ("1Ki", 1024, "1Ki"),
        ("1Mi", 1024**2, "1Mi"),
        ("1Gi", 1024**3, "1Gi"),
        ("1Ti", 1024**4, "1Ti"),
        ("1Pi", 1024**5, "1Pi"),
        ("1Ei", 1024**6, "1Ei"),
        ("1.5Gi", 1536 * 1024**2, "1536Mi"),
        ("-1.5Gi", -1536 * 1024**2, "-1536Mi"),
        ("0.5Ki", 512, "512"),
        ("0.0001Ki", Fraction(1024, 10000), "102400u"),
        ("1024Ki", 1024**2, "1Mi"),
        ("1025.5Ki", 1050112, "1050112"),
        ("8Ei", 2**63 - 1, "9223372036854775807"),
        ("99999Ei", 2**63 - 1, "9223372036854775807"),
        ("1e3", 1000, "1e3"),
        ("1E3", 1000, "1E3"),
        ("1e+3", 1000, "1e+3"),
        ("12E5", 1200000, "1200e3"),
        ("100e-1", 10, "10"),
        ("1e-10", Fraction(1, 10**9), "1e-9"),
        ("1e-4000", Fraction(1, 10**9), "1e-9"),
        ("0.0000000001", Fraction(1, 10**9), "1n"),
        ("-0.0000000001", -Fraction(1, 10**9), "-1n"),
        ("1.500", Fraction(3, 2), "1.500"),
        ("01Ki", 1024, "01Ki"),
        ("1e30", 10**30, "1e30"),
    ],
)
def test_parsing_and_printing(text: str, value: int | Fraction, printed: str) -> None:
    quantity = parse(text)
    assert quantity.value == value
    assert str(quantity) == printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", FORM_TEXT),
        ("1_0", FORM_TEXT),
        ("0x1", FORM_TEXT),
        ("1.2.3", FORM_TEXT),
        (" 1", FORM_TEXT),
        ("1 ", FORM_TEXT),
        ("--1", SUFFIX_TEXT),
        ("١", FORM_TEXT),
        ("1\n", FORM_TEXT),
        ("1K", SUFFIX_TEXT),
        ("1mi", SUFFIX_TEXT),
        ("1e", SUFFIX_TEXT),
        ("1Mi1", SUFFIX_TEXT),
        ("1en5", SUFFIX_TEXT),
        ("1-3", SUFFIX_TEXT),
        ("512MB", FORM_TEXT),
        ("Ei", NUMBER_TEXT),
        ("-.Pi", NUMBER_TEXT),
        ("e-24", NUMBER_TEXT),
        ("9" * 257, "a quantity is limited to 256 characters (2^63 has 19 digits, and long integers cost)"),
        (
            "1e1001",
            "a quantity's exponent is limited to 1,000 powers of ten (10^1000 is more than any resource)",
        ),
    ],
)
def test_what_is_no_quantity(text: str, message: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_the_canonical_form_forgets_the_spelling() -> None:
    assert parse("01Ki").canonical() == "1Ki"
    assert parse("1.500").canonical() == "1500m"
    assert parse("1000E").canonical() == "1000E"
    assert (parse("8Ei") + parse("1")).canonical() == "8Ei"


def test_comparison_is_by_value() -> None:
    assert parse("1") == parse("1000m")
    assert hash(parse("1")) == hash(parse("1000m"))
    assert parse("1Ki") > parse("1k")
    assert parse("1k") < parse("1Ki")
    assert parse("1") >= parse("1000m") >= parse("999m")
    assert parse("999m") <= parse("1") <= parse("1e0")
    assert parse("1") != 1


def test_sums_keep_the_form_of_the_first_unless_it_is_zero() -> None:
    assert str(parse("1Gi") + parse("512Mi")) == "1536Mi"
    assert str(parse("500m") + parse("500m")) == "1"
    assert str(parse("0") + parse("1Gi")) == "1Gi"
    assert (parse("0") + parse("1Gi")).format is Format.BINARY_SI
    assert str(parse("1Gi") - parse("1Gi")) == "0"
    assert str(parse("0") - parse("1Ki")) == "-1Ki"
    assert str(-parse("1k")) == "-1k"
    assert bool(parse("1n"))
    assert not bool(parse("0"))


def test_a_small_binary_quantity_turns_decimal() -> None:
    assert parse("0.0001Ki").format is Format.DECIMAL_SI


@pytest.mark.parametrize(("value", "wanted"), [("1Gi", "1Gi"), (2, "2"), (0.5, "500m"), (" 1 ", "1")])
def test_quantities_come_from_json_values(value: object, wanted: str) -> None:
    assert str(load(value)) == wanted


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("512MB", f'Invalid value: "512MB": {FORM_TEXT}'),
        (True, 'Invalid value: "boolean": in body must be of type string: "boolean"'),
        (None, 'Invalid value: "null": in body must be of type string: "null"'),
    ],
)
def test_a_bad_json_value_is_a_diagnostic(value: object, message: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        load(value)
    assert caught.value.diagnostics[0].message == message
    assert caught.value.diagnostics[0].code.id == "KUB020"


def test_quantities_are_values() -> None:
    assert Quantity(nanos=10**9) == parse("1")


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("0", 0),
        ("1500m", -3),
        ("1.5", -1),
        ("2.0k", 2),
        ("1e30", 30),
        ("1Ki", 0),
        ("1.5Ki", None),
        ("7Ei", None),
        ("9223372036854775807", None),
        ("0.1n", None),
    ],
)
def test_how_kubernetes_keeps_it(text: str, scale: int | None) -> None:
    assert parse(text).scale == scale
