"""Values: equality, order, keys, sets; and walks that must end."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sekisho.lang.meter import Exhausted, Limits, Meter
from sekisho.rego.values import (
    GUARD,
    Bag,
    Number,
    Set,
    compare,
    equal,
    key,
    sort_values,
    type_name,
    unkey,
)

ORDER: list[Any] = [
    None,
    False,
    True,
    -1,
    0,
    Number("0.5"),
    1,
    10**30,
    "",
    "a",
    "b",
    [],
    [1],
    [1, 2],
    [2],
    {},
    {"a": 1},
    {"a": 2},
    {"b": 0},
    Set(set()),
    Set.of([1]),
    Set.of(["x"]),
]


@pytest.mark.parametrize(("a", "b"), list(itertools.pairwise(ORDER)))
def test_order(a: Any, b: Any) -> None:
    assert compare(a, b) < 0 < compare(b, a)
    assert not equal(a, b)


@pytest.mark.parametrize("value", ORDER)
def test_a_key_gives_its_value_back(value: Any) -> None:
    assert equal(unkey(key(value)), value)
    assert key(value) == key(value)


def test_sorting_mixed_kinds() -> None:
    assert sort_values(list(reversed(ORDER))) == ORDER


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1, 1.0, True),
        (1, Number("1.00"), True),
        (0.1, Number("0.1"), True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": 1}, {"a": True}, False),
        ([Number("1.0")], [1], True),
        (Set.of([1]), Set.of([Number("1.0")]), True),
        (Set.of([1]), Set.of([True]), False),
        (Set.of([1]), [1], False),
    ],
)
def test_equality(a: Any, b: Any, same: bool) -> None:
    assert equal(a, b) is same
    assert (key(a) == key(b)) is same


def test_pending_elements_count_once() -> None:
    found = Set({1}, [{"a": 1}, [1], {"a": 1}])
    assert len(found) == 3
    assert list(found) == [1, [1], {"a": 1}]
    assert {"a": 1} in found
    assert found == Set.of([[1], 1, {"a": 1}])


def test_a_single_pending_element_needs_no_key() -> None:
    found = Set(set(), [{"a": 1}])
    assert (len(found), found.sorted()) == (1, [{"a": 1}])


def test_loose_elements_are_in_the_order_they_came() -> None:
    found = Set({"b", "a"}, [{"z": 1}, {"a": 1}, {"z": 1}])
    assert found.loose() == ["a", "b", {"z": 1}, {"a": 1}, {"z": 1}]
    assert len(found) == 4
    assert found.loose() == ["a", "b", {"z": 1}, {"a": 1}, {"z": 1}]


def test_get_is_membership() -> None:
    found = Set.of(["a", 1])
    assert (found.get("a", None), found.get("b", None), found.get(1, None)) == ("a", None, 1)


def test_a_bag_takes_anything() -> None:
    bag = Bag()
    for value in ("a", 1, True, None, [1], {"a": 1}, Number("1.5"), Set.of([1]), "a"):
        bag.add(value)
    bag.extend(["a", [1], 2])
    assert bag.set() == Set.of(["a", 1, True, None, [1], {"a": 1}, Number("1.5"), Set.of([1]), 2])


def test_type_names() -> None:
    values = (None, True, 1, Number("1.5"), "", [], {}, Set(set()))
    assert [type_name(value) for value in values] == [
        "null", "boolean", "number", "number", "string", "array", "object", "set",
    ]  # fmt: skip


@pytest.mark.parametrize("walk", [equal, compare, lambda a, b: key(a) == key(b)])
def test_a_walk_that_would_not_end_is_stopped(walk: Any) -> None:
    def doubled() -> Any:
        value: Any = [1]
        for _ in range(50):
            value = [value, value]
        return value

    GUARD.meter = Meter(Limits(seconds=0.2))
    try:
        with pytest.raises(Exhausted):
            walk(doubled(), doubled())
    finally:
        GUARD.meter = None
