"""Sets: ``&``, ``|``, union, intersection, set_diff (``-`` is with the arithmetic)."""

from __future__ import annotations

from typing import Final

from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.types import ANY, Function, SetOf
from sekisho.rego.values import Set, Value


def _and(left: Value, right: Value) -> Set:
    return Set(operands.set_(left, 1).keys & operands.set_(right, 2).keys)


def _or(context: EvalContext, left: Value, right: Value) -> Set:
    a, b = operands.set_(left, 1).keys, operands.set_(right, 2).keys
    context.meter.build(len(a) + len(b))
    return Set(a | b)


def _difference(left: Value, right: Value) -> Set:
    return Set(operands.set_(left, 1).keys - operands.set_(right, 2).keys)


def _members(sets: Value) -> list[Set]:
    return [operands.set_(element, 1) for element in operands.set_(sets, 1)]


def _intersection(sets: Value) -> Set:
    members = _members(sets)
    return Set(set.intersection(*[member.keys for member in members])) if members else Set(set())


def _union(context: EvalContext, sets: Value) -> Set:
    members = _members(sets)
    context.meter.build(sum(map(len, members)))
    return Set(set().union(*[member.keys for member in members]))


_SET: Final = SetOf(ANY)

row("and", Function((_SET, _SET), _SET), _and, infix="&")
row("or", Function((_SET, _SET), _SET), _or, infix="|", context=True)
row("set_diff", Function((_SET, _SET), _SET), _difference, deprecated=True)
row("intersection", Function((SetOf(_SET),), _SET), _intersection)
row("union", Function((SetOf(_SET),), _SET), _union, context=True)
