"""Operators, rounding, ranges, bits (expectations are what opa 1.19 gives, but where the rows say otherwise)."""

import pytest

from sekisho.lang.meter import Exhausted
from sekisho.rego.values import Number, Set

N = Number


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("plus", [2**64, 1], 2**64 + 1),
        ("plus", ["a", 1], "eval_type_error: operand 1 must be number but got string"),
        ("plus", [1, None], "eval_type_error: operand 2 must be number but got null"),
        ("minus", [1, 2], -1),
        ("minus", [Set.of([1, 2]), Set.of([2])], Set.of([1])),
        ("minus", ["a", 1], "eval_type_error: operand 1 must be one of {number, set} but got string"),
        ("minus", [1, "a"], "eval_type_error: operand 2 must be number but got string"),
        ("minus", [Set.of([]), 1], "eval_type_error: operand 2 must be set but got number"),
        ("minus", [Set.of([]), "a"], "eval_type_error: operand 2 must be number but got string"),
        ("mul", [N("1.5"), 2], 3),
        ("div", [1, 0], "eval_builtin_error: divide by zero"),
        ("div", [1, N("0.0")], "eval_builtin_error: divide by zero"),
        ("div", [2**65, 2], 2**64),
        ("rem", [-1, 3], -1),
        ("rem", [N("6.0"), 4], 2),
        ("rem", [N("1.5"), 1], "eval_builtin_error: modulo on floating-point number"),
        ("rem", [1, 0], "eval_builtin_error: modulo by zero"),
        ("abs", [-(10**30)], 10**30),
        ("abs", [N("-1.50")], N("1.5")),
        ("ceil", [N("-0.5")], 0),
        ("floor", [N("-0.5")], -1),
        ("round", [N("-2.5")], -3),
        ("round", ["x"], "eval_type_error: operand 1 must be number but got string"),
        ("numbers.range", [1, 3], [1, 2, 3]),
        ("numbers.range", [3, 1], [3, 2, 1]),
        ("numbers.range", [N("1.0"), 1], [1]),
        ("numbers.range", ["a", 1], "eval_type_error: operand 1 must be integer but got string"),
        (
            "numbers.range",
            [1, N("1.5")],
            "eval_type_error: operand 2 must be integer number but got floating-point number",
        ),
        ("numbers.range_step", [1, 10, 3], [1, 4, 7, 10]),
        ("numbers.range_step", [10, 1, 4], [10, 6, 2]),
        (
            "numbers.range_step",
            [1, 2, 0],
            "eval_builtin_error: numbers.range_step: step must be a positive integer",
        ),
        ("bits.and", [N("1e3"), 1023], 1000),
        ("bits.or", [5, 2], 7),
        ("bits.xor", [5, 1], 4),
        ("bits.negate", [5], -6),
        ("bits.lsh", [1, 100], 2**100),
        ("bits.lsh", [0, 10**9], 0),
        ("bits.rsh", [-5, 1], -3),
        (
            "bits.rsh",
            [1, -1],
            "eval_type_error: operand 2 must be an unsigned integer number but got a negative integer",
        ),
        ("format_int", [N("-15.9"), 16], "-f"),
        ("format_int", [10**30, 10], str(10**30)),
        ("format_int", [5, 2], "101"),
        ("format_int", [5, 3], "eval_type_error: operand 2 must be one of {2, 8, 10, 16}"),
        ("rand.intn", ["x", 0], 0),
    ],
)
def test_values(call, name, operands, value):
    assert call(name, *operands) == value


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("numbers.range", [1, 10**12]),
        ("bits.lsh", [1, 10**9]),
        ("mul", [10**9000, 10**9000]),
        ("product", [[10**19] * 100_000]),
        ("plus", [N("1e100000"), 1]),
        ("ceil", [N("1e999999999")]),
    ],
)
def test_what_would_never_end_is_stopped(call, name, operands):
    with pytest.raises(Exhausted):
        call(name, *operands)


def test_random_numbers_are_the_same_within_a_query(call, context):
    query = context()
    first = [call("rand.intn", name, 10**9, context=query) for name in "abcab"]
    assert first[:2] == first[3:]
    assert len(set(first)) == 3
    assert call("rand.intn", "a", -(10**9), context=query) == first[0]
