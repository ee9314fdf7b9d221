"""What takes a collection and gives one value: count, sum, product, max, min, sort, any, all."""

from __future__ import annotations

from typing import Final

from sekisho.rego import numbers
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.numbers import Num
from sekisho.rego.types import ANY, BOOLEAN, NUMBER, STRING, Array, Function, Object, SetOf, Union
from sekisho.rego.values import UNDEFINED, Number, Set, Value, is_number, order_key, sort_values


def _count(collection: Value) -> int:
    kind = type(collection)
    if kind is not str and kind is not list and kind is not dict and kind is not Set:
        operands.wrong_type(1, collection, "array", "object", "set", "string")
    return len(collection)


def _elements(collection: Value) -> list[Value]:
    if type(collection) is Set:
        return collection.sorted()
    if type(collection) is not list:
        operands.wrong_type(1, collection, "set", "array")
    return collection


def _check_numbers(context: EvalContext, collection: Value, elements: list[Value]) -> None:
    for element in elements:
        if not is_number(element):
            operands.wrong_element(1, collection, element, "number")
        if type(element) is Number:
            context.meter.charge(numbers.cost(element))


def _sum(context: EvalContext, collection: Value) -> Num:
    elements = _elements(collection)
    if set(map(type, elements)) <= {int}:
        return numbers.sized(sum(elements))
    _check_numbers(context, collection, elements)
    exact = _all_whole(elements)
    if exact is not None:
        return numbers.sized(sum(exact))
    return numbers.total(elements)


def _product(context: EvalContext, collection: Value) -> Num:
    elements = _elements(collection)
    _check_numbers(context, collection, elements)
    exact = _all_whole(elements)
    if exact is None:
        return numbers.product(elements)
    out: Num = 1
    for element in exact:
        context.meter.charge(1 + (int(out).bit_length() >> 6))
        out = numbers.multiply(out, element)
    return out


def _all_whole(elements: list[Value]) -> list[int] | None:
    out = []
    for element in elements:
        exact = numbers.whole(element)
        if exact is None:
            return None
        out.append(exact)
    return out


def _max(collection: Value) -> Value:
    elements = _elements(collection)
    if not elements:
        return UNDEFINED
    if type(collection) is Set:
        return elements[-1]
    kinds = set(map(type, elements))
    return max(elements) if kinds <= {int} or kinds <= {str} else max(elements, key=order_key)


def _min(collection: Value) -> Value:
    elements = _elements(collection)
    if not elements:
        return UNDEFINED
    if type(collection) is Set:
        return elements[0]
    kinds = set(map(type, elements))
    return min(elements) if kinds <= {int} or kinds <= {str} else min(elements, key=order_key)


def _sort(context: EvalContext, collection: Value) -> list[Value]:
    elements = _elements(collection)
    context.meter.build(len(elements))
    return list(elements) if type(collection) is Set else sort_values(elements)


def _all(collection: Value) -> bool:
    if type(collection) is not list and type(collection) is not Set:
        operands.wrong_type(1, collection, "array", "set")
    return all(element is True for element in collection)


def _any(collection: Value) -> bool:
    if type(collection) is not list and type(collection) is not Set:
        operands.wrong_type(1, collection, "array", "set")
    return any(element is True for element in collection)


_ARRAY_OR_SET: Final = Union((Array(dynamic=ANY), SetOf(ANY)))
_NUMBERS: Final = Union((Array(dynamic=NUMBER), SetOf(NUMBER)))

row(
    "count",
    Function((Union((STRING, Array(dynamic=ANY), Object(dynamic=(ANY, ANY)), SetOf(ANY))),), NUMBER),
    _count,
)
row("sum", Function((_NUMBERS,), NUMBER), _sum, context=True)
row("product", Function((_NUMBERS,), NUMBER), _product, context=True)
row("max", Function((_ARRAY_OR_SET,), ANY), _max)
row(
    "min",
    Function((_ARRAY_OR_SET,), ANY),
    _min,
    note="null is the least element of a set too; OPA passes it over",
)
row("sort", Function((_ARRAY_OR_SET,), Array(dynamic=ANY)), _sort, context=True)
row("all", Function((_ARRAY_OR_SET,), BOOLEAN), _all, deprecated=True)
row("any", Function((_ARRAY_OR_SET,), BOOLEAN), _any, deprecated=True)
