"""Durations as Go reads them."""

import pytest

from sekisho.lang.golang.durations import nanoseconds
from sekisho.rego.faults import BuiltinFault


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1s", 10**9),
        ("1h2.5s", 3602500000000),
        ("-3ms", -3000000),
        (".5us", 500),
        ("2µs", 2000),
        ("17", 17),
        ("0", 0),
    ],
)
def test_values(text, value):
    assert nanoseconds(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("x", 'time: invalid duration "x"'),
        ("1.5", 'time: missing unit in duration "1.5"'),
        ("1q", 'time: unknown unit "q" in duration "1q"'),
        (".s", 'time: invalid duration ".s"'),
        ("9" * 30 + "h", 'time: invalid duration "' + "9" * 30 + 'h"'),
    ],
)
def test_refusals(text, message):
    with pytest.raises(BuiltinFault) as caught:
        nanoseconds(text)
    assert str(caught.value) == message
