"""Comparison, membership, and the two forms of binding, which the compiler replaces by code."""

from __future__ import annotations

from typing import Final

from sekisho.rego.builtins.table import row
from sekisho.rego.types import ANY, BOOLEAN, Function
from sekisho.rego.values import UNDEFINED, Set, Value, compare, equal, key

_TWO: Final = Function((ANY, ANY), BOOLEAN)


def _neq(a: Value, b: Value) -> bool:
    return not equal(a, b)


def _lt(a: Value, b: Value) -> bool:
    return compare(a, b) < 0


def _lte(a: Value, b: Value) -> bool:
    return compare(a, b) <= 0


def _gt(a: Value, b: Value) -> bool:
    return compare(a, b) > 0


def _gte(a: Value, b: Value) -> bool:
    return compare(a, b) >= 0


def _member(value: Value, collection: Value) -> bool:
    """``value in collection``: an element of a set, a value of an array or object."""
    kind = type(collection)
    if kind is Set:
        return key(value) in collection.keys
    if kind is dict:
        collection = collection.values()
    elif kind is not list:
        return False
    if type(value) is str:  # equal to nothing but a string
        return value in collection
    return any(equal(value, item) for item in collection)


def _member_with_key(name: Value, value: Value, collection: Value) -> bool:
    """``name, value in collection``."""
    kind = type(collection)
    if kind is Set:
        return key(name) in collection.keys and equal(name, value)
    found = UNDEFINED
    if kind is dict:
        found = collection.get(key(name), UNDEFINED)
    elif kind is list and type(name) is int and 0 <= name < len(collection):
        found = collection[name]
    return found is not UNDEFINED and equal(value, found)


row("eq", _TWO, equal, infix="=")
row("assign", _TWO, equal, infix=":=")
row("equal", _TWO, equal, infix="==")
row("neq", _TWO, _neq, infix="!=")
row("lt", _TWO, _lt, infix="<")
row("lte", _TWO, _lte, infix="<=")
row("gt", _TWO, _gt, infix=">")
row("gte", _TWO, _gte, infix=">=")
row("internal.member_2", _TWO, _member, infix="in")
row("internal.member_3", Function((ANY, ANY, ANY), BOOLEAN), _member_with_key, infix="in")
