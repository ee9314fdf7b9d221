"""Operand checks of built-ins, in OPA's words, which programs match on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NoReturn

from sekisho.rego import numbers
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Set, Value, is_number, type_name


def refuse(message: str) -> NoReturn:
    """Refuse the operands together."""
    raise BuiltinFault(message, kind="eval_type_error")


def fail(position: int, message: str) -> NoReturn:
    """Refuse operand ``position`` (counted from 1)."""
    raise BuiltinFault(f"operand {position} {message}", kind="eval_type_error")


def wrong_type(position: int, got: Value, *expected: str) -> NoReturn:
    """Refuse an operand of the wrong type."""
    if len(expected) == 1:
        fail(position, f"must be {expected[0]} but got {type_name(got)}")
    fail(position, f"must be one of {{{', '.join(expected)}}} but got {type_name(got)}")


def wrong_element(position: int, composite: Value, got: Value, *expected: str) -> NoReturn:
    """Refuse an operand that contains an element of the wrong type."""
    whole = type_name(composite)
    if len(expected) == 1:
        fail(position, f"must be {whole} of {expected[0]}s but got {whole} containing {type_name(got)}")
    names = ", ".join(expected)
    fail(position, f"must be {whole} of (any of) {{{names}}} but got {whole} containing {type_name(got)}")


def string(value: Value, position: int) -> str:
    """A string operand."""
    if type(value) is not str:
        wrong_type(position, value, "string")
    return value


def number(value: Value, position: int) -> int | Decimal | float:
    """A number operand, as it is."""
    if not is_number(value):
        wrong_type(position, value, "number")
    return value  # type: ignore[no-any-return]


def integer(value: Value, position: int) -> int:
    """An operand that is written as an integer of 64 bits; 1.0 is none."""
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    if not is_number(value):
        wrong_type(position, value, "number")
    fail(position, "must be integer number but got floating-point number")


def big_integer(value: Value, position: int) -> int:
    """An operand that is an integer of any size; 1.0 and 1e3 are integers too."""
    if type(value) is int:
        return value
    if not is_number(value):
        wrong_type(position, value, "integer")
    exact = numbers.whole(value)
    if exact is None:
        fail(position, "must be integer number but got floating-point number")
    return exact


def array(value: Value, position: int) -> list[Value]:
    """An array operand."""
    if type(value) is not list:
        wrong_type(position, value, "array")
    return value


def object_(value: Value, position: int) -> dict[Any, Value]:
    """An object operand."""
    if type(value) is not dict:
        wrong_type(position, value, "object")
    return value


def set_(value: Value, position: int) -> Set:
    """A set operand."""
    if type(value) is not Set:
        wrong_type(position, value, "set")
    return value


def check_strings(*values: Value) -> None:
    """Refuse the first of these operands that is no string."""
    for position, value in enumerate(values, 1):
        if type(value) is not str:
            wrong_type(position, value, "string")


def strings(value: Value, position: int) -> list[str]:
    """An array or set of strings, as a list in order."""
    if type(value) is not list and type(value) is not Set:
        wrong_type(position, value, "array", "set")
    for element in value:
        if type(element) is not str:
            wrong_element(position, value, element, "string")
    return list(value)
