"""Values as Rego writes them."""

import pytest

from sekisho.lang.golang.gotext import from_octets, to_octets
from sekisho.lang.meter import Exhausted, Limits, Meter
from sekisho.rego import text
from sekisho.rego.values import Number, Set


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (Number("1.50"), "1.50"),
        (Number("1e3"), "1e3"),
        ('a"b\n', '"a\\"b\\n"'),
        ("日本", '"日本"'),
        ("\u200b\x7f\U000e0001", '"\\u200b\\x7f\\U000e0001"'),
        ([], "[]"),
        ({}, "{}"),
        (Set.of([]), "set()"),
        (Set.of([2, "a", None, 1]), '{null, 1, 2, "a"}'),
        ({"b": [1], "a": {"c": Set.of([1])}}, '{"a": {"c": {1}}, "b": [1]}'),
    ],
)
def test_terms(value, written) -> None:
    assert text.text(value) == written


def test_a_string_alone_is_bare() -> None:
    assert (text.bare("a"), text.bare(["a"])) == ("a", '["a"]')


def test_bytes_that_are_no_text_come_back() -> None:
    held = from_octets(b"\xff\x00\xc3\xa9")
    assert len(held) == 3
    assert to_octets(held) == b"\xff\x00\xc3\xa9"
    assert text.text(held) == '"\\xff\\x00é"'


def test_half_a_surrogate_pair_is_a_replacement_character() -> None:
    assert to_octets("\ud83d") == b"\xef\xbf\xbd"


def test_a_value_that_holds_another_too_often_is_not_written() -> None:
    value: list[object] = ["x"]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(Exhausted):
        text.bounded(value, Meter(Limits(seconds=0.2)))


def test_a_value_too_deep_is_not_written() -> None:
    value: list[object] = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(Exhausted):
        text.bounded(value, Meter(Limits()))
