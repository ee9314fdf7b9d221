"""Arithmetic, rounding, ranges, bits, and integers as text.

Integers stay exact where OPA 1.19 rounds them to 64 bits (``div`` that goes without remainder; ``abs``,
``ceil``, ``floor`` and ``round``), and ``ceil`` and ``floor`` are right for fractions between -1 and 0, where
OPA's are not.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from sekisho.lang.meter import Exhausted
from sekisho.rego import numbers
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.numbers import Num
from sekisho.rego.types import ANY, NUMBER, STRING, Array, Function, SetOf, Union
from sekisho.rego.values import Number, Set, Value, is_number

_LONG: Final = 4_096
"""Bits from which an integer operation is paid for by the size of its operands."""


def _pay(context: EvalContext, a: int, b: int) -> None:
    """Multiplication and division of long integers take time by the product of their lengths."""
    size = a.bit_length() * b.bit_length()
    if size > _LONG * _LONG:
        context.meter.charge(size >> 14)


def _pay_for_text(context: EvalContext, *values: Value) -> None:
    """Numbers with fraction or exponent are read from their text, and computed with by their exponents."""
    for value in values:
        if type(value) is Number:
            context.meter.charge(numbers.cost(value))


def _plus(context: EvalContext, a: Value, b: Value) -> Num:
    if type(a) is int and type(b) is int:
        return numbers.sized(a + b)
    _pay_for_text(context, a, b)
    return numbers.add(operands.number(a, 1), operands.number(b, 2))


def _minus(context: EvalContext, a: Value, b: Value) -> Value:
    if type(a) is int and type(b) is int:
        return numbers.sized(a - b)
    if type(a) is Set and type(b) is Set:
        return Set(a.keys - b.keys)
    if is_number(a) and is_number(b):
        _pay_for_text(context, a, b)
        return numbers.subtract(a, b)
    if not is_number(a) and type(a) is not Set:
        operands.wrong_type(1, a, "number", "set")
    return operands.wrong_type(2, b, "set" if is_number(b) else "number")


def _mul(context: EvalContext, a: Value, b: Value) -> Num:
    if type(a) is int and type(b) is int:
        _pay(context, a, b)
    else:
        _pay_for_text(context, a, b)
    return numbers.multiply(operands.number(a, 1), operands.number(b, 2))


def _div(context: EvalContext, a: Value, b: Value) -> Num:
    if type(a) is int and type(b) is int:
        _pay(context, a, b)
    else:
        _pay_for_text(context, a, b)
    left, right = operands.number(a, 1), operands.number(b, 2)
    if not right:
        raise BuiltinFault("divide by zero")
    return numbers.divide(left, right)


def _rem(context: EvalContext, a: Value, b: Value) -> int:
    left, right = numbers.whole(operands.number(a, 1)), numbers.whole(operands.number(b, 2))
    if left is None or right is None:
        raise BuiltinFault("modulo on floating-point number")
    if not right:
        raise BuiltinFault("modulo by zero")
    _pay(context, left, right)
    return numbers.remainder(left, right)


def _abs(value: Value) -> Num:
    return numbers.absolute(operands.number(value, 1))


def _ceil(value: Value) -> int:
    return numbers.ceiling(operands.number(value, 1))


def _floor(value: Value) -> int:
    return numbers.floor(operands.number(value, 1))


def _round(value: Value) -> int:
    return numbers.nearest(operands.number(value, 1))


# --- ranges and random numbers ----------


def _range(context: EvalContext, first: Value, last: Value) -> list[int]:
    return _from_to(context, operands.big_integer(first, 1), operands.big_integer(last, 2), 1)


def _range_step(context: EvalContext, first: Value, last: Value, step: Value) -> list[int]:
    start, stop = operands.big_integer(first, 1), operands.big_integer(last, 2)
    width = operands.big_integer(step, 3)
    if width <= 0:
        raise BuiltinFault("numbers.range_step: step must be a positive integer")
    return _from_to(context, start, stop, width)


def _from_to(context: EvalContext, first: int, last: int, step: int) -> list[int]:
    numbers_between = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    context.meter.build(abs(last - first) // step + 1)
    return list(numbers_between)


def _rand(context: EvalContext, name: Value, limit: Value) -> int:
    seed = operands.string(name, 1)
    bound = abs(operands.integer(limit, 2))
    if bound == 0:
        return 0
    place = ("rand.intn", seed, bound)
    if place not in context.cache:
        context.cache[place] = context.rng.randrange(bound)
    return int(context.cache[place])


# --- bits ------------------------


def _bits_and(a: Value, b: Value) -> int:
    return operands.big_integer(a, 1) & operands.big_integer(b, 2)


def _bits_or(a: Value, b: Value) -> int:
    return operands.big_integer(a, 1) | operands.big_integer(b, 2)


def _bits_xor(a: Value, b: Value) -> int:
    return operands.big_integer(a, 1) ^ operands.big_integer(b, 2)


def _bits_negate(a: Value) -> int:
    return ~operands.big_integer(a, 1)


def _bits_lsh(a: Value, b: Value) -> int:
    value, shift = operands.big_integer(a, 1), _shift(b)
    if value and value.bit_length() + shift > numbers.BITS:
        raise Exhausted(numbers.DIGITS)
    return value << shift if value else 0


def _bits_rsh(a: Value, b: Value) -> int:
    return operands.big_integer(a, 1) >> _shift(b)


def _shift(value: Value) -> int:
    shift = operands.big_integer(value, 2)
    if shift < 0:
        operands.fail(2, "must be an unsigned integer number but got a negative integer")
    return shift


# --- text ------------------------

_BASES: Final = {2: "b", 8: "o", 16: "x"}


def _format_int(context: EvalContext, value: Value, base: Value) -> str:
    whole = numbers.truncate(operands.number(value, 1))
    radix = operands.number(base, 2)
    if type(radix) is not int or radix not in {2, 8, 10, 16}:
        operands.fail(2, "must be one of {2, 8, 10, 16}")
    if radix != 10:
        return format(whole, _BASES[radix])
    if whole.bit_length() > _LONG:
        context.meter.charge(whole.bit_length() // 10)
        return format(Decimal(whole), "f")
    return str(whole)


_TWO: Final = Function((NUMBER, NUMBER), NUMBER)
_ONE: Final = Function((NUMBER,), NUMBER)
_NUMBER_OR_SET: Final = Union((NUMBER, SetOf(ANY)))
_EXACT: Final = "integers of over 64 bits stay exact; OPA rounds them to 64 bits"

row("plus", _TWO, _plus, infix="+", context=True)
row("minus", Function((_NUMBER_OR_SET, _NUMBER_OR_SET), _NUMBER_OR_SET), _minus, infix="-", context=True)
row("mul", _TWO, _mul, infix="*", context=True)
row("div", _TWO, _div, infix="/", context=True, note=_EXACT)
row("rem", _TWO, _rem, infix="%", context=True)
row("abs", _ONE, _abs, note=_EXACT)
row("ceil", _ONE, _ceil, note=f"{_EXACT}, and gives 1 for -0.5")
row("floor", _ONE, _floor, note=f"{_EXACT}, and gives 0 for -0.5")
row("round", _ONE, _round, note=_EXACT)
row("numbers.range", Function((NUMBER, NUMBER), Array(dynamic=NUMBER)), _range, context=True)
row(
    "numbers.range_step",
    Function((NUMBER, NUMBER, NUMBER), Array(dynamic=NUMBER)),
    _range_step,
    context=True,
)
row("rand.intn", Function((STRING, NUMBER), NUMBER), _rand, context=True, deterministic=False)
row("bits.and", _TWO, _bits_and)
row("bits.or", _TWO, _bits_or)
row("bits.xor", _TWO, _bits_xor)
row("bits.negate", _ONE, _bits_negate)
row("bits.lsh", _TWO, _bits_lsh)
row("bits.rsh", _TWO, _bits_rsh)
row("format_int", Function((NUMBER, NUMBER), STRING), _format_int, context=True)
