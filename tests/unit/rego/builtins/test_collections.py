"""array.*, object.*, sets, comparison and membership."""

import pytest

from sekisho.lang.meter import Exhausted
from sekisho.rego.values import Key, Number, Set, key

N = Number
INTEGER = "must be integer number but got floating-point number"


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("array.concat", [[1], [2]], [1, 2]),
        ("array.concat", [[1], {}], "eval_type_error: operand 2 must be array but got object"),
        ("array.flatten", [[1, [2, [3]], []]], [1, 2, [3]]),
        ("array.reverse", [[1, 2]], [2, 1]),
        ("array.slice", [[1, 2, 3], 1, 2], [2]),
        ("array.slice", [[1, 2, 3], -5, 99], [1, 2, 3]),
        ("array.slice", [[1, 2, 3], 2, 1], []),
        ("array.slice", [[1], N("0.0"), 1], f"eval_type_error: operand 2 {INTEGER}"),
        ("object.get", [{"a": None}, "a", 1], None),
        ("object.get", [{"a": {"b": [7]}}, ["a", "b", 0], 1], 7),
        ("object.get", [{"a": 1}, ["a", "b"], 5], 5),
        ("object.get", [{"a": 1}, [], 5], {"a": 1}),
        ("object.get", [{1: "x"}, N("1.0"), 5], "x"),
        ("object.get", [[], "a", 1], "eval_type_error: operand 1 must be object but got array"),
        ("object.keys", [{"a": 1, 2: 1}], Set.of(["a", 2])),
        ("object.filter", [{"a": 1, "b": 2}, ["a", "c"]], {"a": 1}),
        ("object.filter", [{"a": 1}, {"a": 0}], {"a": 1}),
        ("object.remove", [{"a": 1, "b": 2}, Set.of(["a"])], {"b": 2}),
        (
            "object.remove",
            [{}, 1],
            "eval_type_error: operand 2 must be one of {object, set, array} but got number",
        ),
        (
            "object.union",
            [{"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {}}],
            {"a": {"b": 1, "d": 2}, "c": {}},
        ),
        ("object.union_n", [[{"a": {"b": 2}}, {"a": 4}, {"a": {"c": 3}}]], {"a": {"c": 3}}),
        ("object.union_n", [[]], {}),
        (
            "object.union_n",
            [[{}, 1]],
            "eval_type_error: operand 1 must be array of objects but got array containing number",
        ),
        ("object.subset", [{"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}], True),
        ("object.subset", [{"a": [1, 2, 3]}, {"a": [2, 3]}], True),
        ("object.subset", [[1, 1, 2], [1, 2]], True),
        ("object.subset", [[1, 2, 3], [1, 3]], False),
        ("object.subset", [[1, 2], Set.of([2])], True),
        ("object.subset", [[1, 1], Set.of([1, 2])], False),
        ("object.subset", [Set.of([1]), Set.of([])], True),
        (
            "object.subset",
            [Set.of([]), []],
            "eval_type_error: both arguments object.subset must be of the same type or array and set",
        ),
        ("and", [Set.of([1, 2]), Set.of([2, 3])], Set.of([2])),
        ("or", [Set.of([1]), Set.of([N("1.0"), 2])], Set.of([1, 2])),
        ("set_diff", [Set.of([1, 2]), Set.of([2])], Set.of([1])),
        ("union", [Set.of([Set.of([1]), Set.of([2])])], Set.of([1, 2])),
        ("intersection", [Set.of([Set.of([1, 2]), Set.of([2])])], Set.of([2])),
        ("intersection", [Set.of([])], Set.of([])),
        ("union", [Set.of([1])], "eval_type_error: operand 1 must be set but got number"),
        ("equal", [1, N("1.0")], True),
        ("equal", [1, True], False),
        ("neq", [[1], [N("1.0")]], False),
        ("lt", [2, "a"], True),
        ("gte", [Set.of([]), {"a": 1}], True),
        ("lte", [None, False], True),
        ("gt", [True, False], True),
        ("internal.member_2", [1, [N("1.0")]], True),
        ("internal.member_2", [True, [1]], False),
        ("internal.member_2", [1, {"a": 1}], True),
        ("internal.member_2", ["a", "abc"], False),
        ("internal.member_3", ["a", 1, {"a": 1}], True),
        ("internal.member_3", [0, "x", ["x"]], True),
        ("internal.member_3", [N("0.0"), "x", ["x"]], False),
        ("internal.member_3", [1, 1, Set.of([1])], True),
    ],
)
def test_values(call, name, operands, value):
    assert call(name, *operands) == value


def test_keys_of_any_type_are_found(call):
    assert call("object.get", {key([1]): "x"}, [[1]], 0) == "x"
    assert isinstance(next(iter({key([1]): "x"})), Key)


def test_merging_changes_no_operand(call):
    left, right = {"a": {"b": 1}}, {"a": {"c": 2}}
    call("object.union", left, right)
    call("object.union_n", [left, right])
    assert (left, right) == ({"a": {"b": 1}}, {"a": {"c": 2}})


def test_concatenating_again_and_again_is_stopped(call, context):
    query = context()
    array = [1] * 4_000_000
    call("array.concat", array, array, context=query)
    with pytest.raises(Exhausted):
        call("array.concat", array, array, context=query)
