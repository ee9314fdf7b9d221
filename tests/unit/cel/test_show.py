"""Values as CEL and as JSON."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sekisho.cel.show import as_json, literal, type_name
from sekisho.cel.types import INT
from sekisho.cel.values import NONE, TRUE_KEY, Duration, Optional, Timestamp, UInt


@pytest.mark.parametrize(
    ("value", "text", "json"),
    [
        (None, "null", None),
        (True, "true", True),
        (-5, "-5", -5),
        (UInt(5), "5u", 5),
        (1.5, "1.5", 1.5),
        (math.inf, 'double("Infinity")', "inf"),
        ('a"é', '"a\\"é"', 'a"é'),
        (b"a\xff\n", 'b"a\\xff\\n"', "Yf8K"),
        (Timestamp(0), 'timestamp("1970-01-01T00:00:00Z")', "1970-01-01T00:00:00Z"),
        (Duration(-1_500_000_000), 'duration("-1.5s")', "-1.5s"),
        (INT, "int", "int"),
        (Optional([1]), "optional.of([1])", [1]),
        (NONE, "optional.none()", None),
        ({"a": [1, {TRUE_KEY: "x"}], UInt(2): None}, '{"a": [1, {true: "x"}], 2u: null}', None),
    ],
)
def test_values(value: Any, text: str, json: Any) -> None:
    assert literal(value) == text
    if not isinstance(value, dict):
        assert as_json(value) == json


def test_keys_of_json_are_texts() -> None:
    assert as_json({1: 2, TRUE_KEY: 3, "a": 4}) == {"1": 2, "true": 3, "a": 4}


def test_long_values_are_cut() -> None:
    assert literal("x" * 1_000, 20) == '"' + "x" * 19 + "…"
    assert len(literal([[1] * 1_000] * 1_000, 50)) == 51


def test_deep_values_are_cut() -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    assert literal(deep).endswith("…")
    with pytest.raises(ValueError, match="nested too deeply"):
        as_json(deep)


def test_types_by_name() -> None:
    assert [type_name(v) for v in (None, 1, "a", [], {})] == ["null_type", "int", "string", "list", "map"]
