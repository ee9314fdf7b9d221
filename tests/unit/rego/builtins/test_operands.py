"""Operand checks and their texts (checked against opa 1.19)."""

import pytest

from sekisho.rego.builtins import operands
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Number, Set


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (operands.string, 1, "operand 2 must be string but got number"),
        (operands.number, True, "operand 2 must be number but got boolean"),
        (operands.integer, Number("1.5"), "operand 2 must be integer number but got floating-point number"),
        (operands.integer, Number("1.0"), "operand 2 must be integer number but got floating-point number"),
        (operands.integer, 2**63, "operand 2 must be integer number but got floating-point number"),
        (operands.big_integer, "x", "operand 2 must be integer but got string"),
        (
            operands.big_integer,
            Number("1.5"),
            "operand 2 must be integer number but got floating-point number",
        ),
        (operands.array, {}, "operand 2 must be array but got object"),
        (operands.object_, Set.of([]), "operand 2 must be object but got set"),
        (operands.set_, None, "operand 2 must be set but got null"),
        (operands.strings, "x", "operand 2 must be one of {array, set} but got string"),
        (operands.strings, ["a", 1], "operand 2 must be array of strings but got array containing number"),
    ],
)
def test_refusals(check: object, value: object, message: str) -> None:
    with pytest.raises(BuiltinFault) as caught:
        check(value, 2)
    assert str(caught.value) == message
    assert caught.value.kind == "eval_type_error"


def test_accepted_operands_come_back() -> None:
    assert operands.big_integer(Number("1e3"), 1) == 1000
    assert operands.integer(7, 1) == 7
    assert operands.strings(Set.of(["b", "a"]), 1) == ["a", "b"]
