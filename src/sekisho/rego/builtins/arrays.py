"""array.*."""

from __future__ import annotations

from typing import Final

from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.types import ANY, NUMBER, Array, Function
from sekisho.rego.values import Value


def _concat(context: EvalContext, left: Value, right: Value) -> list[Value]:
    a, b = operands.array(left, 1), operands.array(right, 2)
    context.meter.build(len(a) + len(b))
    return a + b


def _flatten(context: EvalContext, array: Value) -> list[Value]:
    out: list[Value] = []
    for item in operands.array(array, 1):
        if type(item) is list:
            context.meter.build(len(item))
            out += item
        else:
            out.append(item)
    return out


def _slice(array: Value, start: Value, stop: Value) -> list[Value]:
    items = operands.array(array, 1)
    first, end = operands.integer(start, 2), operands.integer(stop, 3)
    return items[max(first, 0) : max(end, 0)]


def _reverse(array: Value) -> list[Value]:
    return operands.array(array, 1)[::-1]


_ARRAY: Final = Array(dynamic=ANY)

row("array.concat", Function((_ARRAY, _ARRAY), _ARRAY), _concat, context=True)
row("array.flatten", Function((_ARRAY,), _ARRAY), _flatten, context=True)
row("array.slice", Function((_ARRAY, NUMBER, NUMBER), _ARRAY), _slice)
row("array.reverse", Function((_ARRAY,), _ARRAY), _reverse)
