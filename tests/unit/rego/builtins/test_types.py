"""is_*, type_name, to_number, cast_*."""

import pytest

from sekisho.lang.meter import Exhausted
from sekisho.rego.numbers import text
from sekisho.rego.values import Number, Set

VALUES = {
    "null": None,
    "boolean": True,
    "number": Number("1.5"),
    "string": "",
    "array": [],
    "object": {},
    "set": Set.of([]),
}


@pytest.mark.parametrize("kind", VALUES)
def test_each_value_has_one_type(call, kind):
    assert {name for name in VALUES if call(f"is_{name}", VALUES[kind])} == {kind}
    assert call("type_name", VALUES[kind]) == kind


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (None, "0"),
        (True, "1"),
        (False, "0"),
        (Number("1.50"), "1.50"),
        ("12", "12"),
        ("1.50", "1.50"),
        ("1e3", "1e3"),
        ("-0", "-0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1e-400", "1e-400"),
        ("+5", "5"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1_000", "1000"),
        ("0x1p4", "16"),
        ("0x.8p0", "0.5"),
        ("00.50e1", "0.50e1"),
    ],
)
def test_numbers(call, value, spelling):
    assert text(call("to_number", value)) == spelling


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", 'eval_builtin_error: strconv.ParseFloat: parsing "": invalid syntax'),
        (" 1", 'eval_builtin_error: strconv.ParseFloat: parsing " 1": invalid syntax'),
        ("0x10", 'eval_builtin_error: strconv.ParseFloat: parsing "0x10": invalid syntax'),
        ("1__0", 'eval_builtin_error: strconv.ParseFloat: parsing "1__0": invalid syntax'),
        ("١", 'eval_builtin_error: strconv.ParseFloat: parsing "١": invalid syntax'),
        ("1e400", 'eval_builtin_error: strconv.ParseFloat: parsing "1e400": value out of range'),
        ("9" * 400, f'eval_builtin_error: strconv.ParseFloat: parsing "{"9" * 400}": value out of range'),
        ("-Inf", "eval_type_error: operand 1 must be valid number string but got string"),
        ("nan", "eval_type_error: operand 1 must be valid number string but got string"),
        ([], "eval_type_error: operand 1 must be one of {null, boolean, number, string} but got array"),
    ],
)
def test_what_is_no_number(call, value, message):
    assert call("to_number", value) == message


def test_a_number_of_a_million_digits_is_refused(call):
    with pytest.raises(Exhausted):
        call("to_number", "1" * 1_000_000)


@pytest.mark.parametrize(
    ("name", "operand", "value"),
    [
        ("cast_array", Set.of([2, 1]), [1, 2]),
        ("cast_set", [1, 1], Set.of([1])),
        ("cast_string", "a", "a"),
        ("cast_boolean", 1, "eval_type_error: operand 1 must be boolean but got number"),
        ("cast_null", None, None),
        ("cast_object", [], "eval_type_error: operand 1 must be object but got array"),
        ("cast_array", "a", "eval_type_error: operand 1 must be one of {array, set} but got string"),
    ],
)
def test_casts(call, name, operand, value):
    assert call(name, operand) == value
