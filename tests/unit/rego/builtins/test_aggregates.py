"""count, sum, product, max, min, sort, any, all."""

import pytest

from sekisho.rego.values import UNDEFINED, Number, Set

N = Number


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("count", ["héé"], 3),
        ("count", [{"a": 1}], 1),
        ("count", [Set.of([1, N("1.0")])], 1),
        (
            "count",
            [1],
            "eval_type_error: operand 1 must be one of {array, object, set, string} but got number",
        ),
        ("sum", [[]], 0),
        ("sum", [[2**64, 1]], 2**64 + 1),
        ("sum", [[N("1.5"), N("1.5")]], 3),
        ("sum", [Set.of([1, N("1.0")])], 1),
        (
            "sum",
            [["a"]],
            "eval_type_error: operand 1 must be array of numbers but got array containing string",
        ),
        ("sum", ["a"], "eval_type_error: operand 1 must be one of {set, array} but got string"),
        ("product", [[]], 1),
        ("product", [[N("0.5"), 3]], N("1.5")),
        ("product", [[-1, N("0.0"), N("1.5")]], N("-0")),
        ("max", [[1, "a", None]], "a"),
        ("max", [[]], UNDEFINED),
        ("max", [Set.of([[1], [2]])], [2]),
        ("min", [[3, 1, 2]], 1),
        ("min", [Set.of([3, None])], None),
        ("min", [{}], "eval_type_error: operand 1 must be one of {set, array} but got object"),
        ("all", [[True, True]], True),
        ("all", [[True, 1]], False),
        ("any", [Set.of([1, True])], True),
        ("any", [[]], False),
    ],
)
def test_values(call, name, operands, value):
    assert call(name, *operands) == value


def test_sort_mixes_types_in_rego_s_order(call):
    mixed = [{"a": 1}, Set.of([1]), [1], "a", 2, N("1.5"), True, False, None, {}, [], Set.of([])]
    ordered = [None, False, True, N("1.5"), 2, "a", [], [1], {}, {"a": 1}, Set.of([]), Set.of([1])]
    assert call("sort", mixed) == ordered


def test_operands_stay_as_they_are(call):
    array = [2, 1]
    assert call("sort", array) == [1, 2]
    assert array == [2, 1]
