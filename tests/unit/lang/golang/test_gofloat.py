"""Floats as Go prints them."""

import pytest

from sekisho.lang.golang import gofloat


@pytest.mark.parametrize(
    ("value", "shortest", "json"),
    [
        (0.0, "0", "0"),
        (-0.0, "-0", "-0"),
        (1.0, "1", "1"),
        (1.5, "1.5", "1.5"),
        (100000.0, "100000", "100000"),
        (1000000.5, "1.0000005e+06", "1000000.5"),
        (1e20, "1e+20", "100000000000000000000"),
        (1e21, "1e+21", "1e+21"),
        (0.0001, "0.0001", "0.0001"),
        (0.00001, "1e-05", "0.00001"),
        (-1.5e-9, "-1.5e-09", "-1.5e-9"),
        (1e-10, "1e-10", "1e-10"),
        (5e-324, "5e-324", "5e-324"),
        (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
    ],
)
def test_texts(value, shortest, json):
    assert gofloat.shortest(value) == shortest
    assert gofloat.json(value) == json


def test_single_precision():
    assert gofloat.shortest(1.1, bits=32) == "1.1"
    assert gofloat.shortest(16777217.0, bits=32) == "1.6777216e+07"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e21, "1" + "0" * 21), (1e-7, "0.0000001"), (-1.5, "-1.5"), (0.0, "0"), (100.0, "100")],
)
def test_without_an_exponent(value: float, text: str) -> None:
    assert gofloat.positional(value) == text
