"""Operators: arithmetic, order, equality, logic, indices, membership, ``size``."""

from __future__ import annotations

from typing import Final

from sekisho.cel import arithmetic, compare
from sekisho.cel.access import index
from sekisho.cel.errors import CelError
from sekisho.cel.functions import Overload
from sekisho.cel.standard.rows import LIST_A, MAP_AB, A, B, both_cost, member_cost, order_cost, rows
from sekisho.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
)
from sekisho.cel.values import Value

_NUMERIC: Final = (("int64", INT), ("uint64", UINT), ("double", DOUBLE))


def _same(name: str, *types: tuple[str, CelType]) -> tuple[tuple[str, tuple[CelType, ...], CelType], ...]:
    """An operator on two values of one type, with a result of that type."""
    return tuple((f"{name}_{suffix}", (type, type), type) for suffix, type in types)


_ARITHMETIC: Final = (
    *rows("_+_", arithmetic.add, *_same("add", ("bytes", BYTES)), context=True, cost=both_cost),
    *rows(
        "_+_",
        arithmetic.add,
        *_same("add", ("double", DOUBLE), ("duration_duration", DURATION)),
        ("add_duration_timestamp", (DURATION, TIMESTAMP), TIMESTAMP),
        ("add_timestamp_duration", (TIMESTAMP, DURATION), TIMESTAMP),
        ("add_int64", (INT, INT), INT),
        ("add_list", (LIST_A, LIST_A), LIST_A),
        context=True,
    ),
    *rows("_+_", arithmetic.add, *_same("add", ("string", STRING)), context=True, cost=both_cost),
    *rows("_+_", arithmetic.add, *_same("add", ("uint64", UINT)), context=True),
    *rows(
        "_-_",
        arithmetic.subtract,
        *_same("subtract", *_NUMERIC, ("duration_duration", DURATION)),
        ("subtract_timestamp_duration", (TIMESTAMP, DURATION), TIMESTAMP),
        ("subtract_timestamp_timestamp", (TIMESTAMP, TIMESTAMP), DURATION),
    ),
    *rows("_*_", arithmetic.multiply, *_same("multiply", *_NUMERIC)),
    *rows("_/_", arithmetic.divide, *_same("divide", *_NUMERIC)),
    *rows("_%_", arithmetic.modulo, ("modulo_int64", (INT, INT), INT), ("modulo_uint64", (UINT, UINT), UINT)),
    *rows("-_", arithmetic.negate, ("negate_int64", (INT,), INT), ("negate_double", (DOUBLE,), DOUBLE)),
)

_ORDERS: Final = (
    ("_<_", "less", compare.less),
    ("_<=_", "less_equals", compare.less_equal),
    ("_>_", "greater", compare.greater),
    ("_>=_", "greater_equals", compare.greater_equal),
)
_MIXED: Final = (("int64", INT), ("double", DOUBLE), ("uint64", UINT))


def _order_rows() -> tuple[Overload, ...]:
    found: list[Overload] = []
    for function, stem, call in _ORDERS:
        plain = [(f"{stem}_{suffix}", (type, type), BOOL) for suffix, type in (("bool", BOOL), *_MIXED)]
        plain += [
            (f"{stem}_{a}_{b}", (left, right), BOOL)
            for a, left in _MIXED
            for b, right in _MIXED
            if left is not right
        ]
        plain += [(f"{stem}_timestamp", (TIMESTAMP, TIMESTAMP), BOOL)]
        plain += [(f"{stem}_duration", (DURATION, DURATION), BOOL)]
        texts = [
            (f"{stem}_{suffix}", (type, type), BOOL)
            for suffix, type in (("string", STRING), ("bytes", BYTES))
        ]
        found += rows(function, call, *plain)
        found += rows(function, call, *texts, cost=order_cost)
    return tuple(found)


def logical_not(value: Value) -> bool:
    """``!value``."""
    if value is True:
        return False
    if value is False:
        return True
    raise CelError("no such overload")


_SIZED: Final = frozenset({str, bytes, list, tuple, dict})


def size(value: Value) -> int:
    """Code points of a text, octets of bytes, elements of a list, entries of a map."""
    if type(value) in _SIZED or isinstance(value, list | dict):
        return len(value)
    raise CelError("no such overload: size")


_SIZES: Final = (("bytes", BYTES), ("list", LIST_A), ("map", MAP_AB), ("string", STRING))

_EQUALITY: Final = (
    *rows("_==_", compare.equal, ("equals", (A, A), BOOL), context=True, cost=order_cost),
    *rows("_!=_", compare.unequal, ("not_equals", (A, A), BOOL), context=True, cost=order_cost),
)


def _never(*_: Value) -> Value:
    raise AssertionError("control flow is compiled, not called")


_LOGIC: Final = (
    *rows("_?_:_", _never, ("conditional", (BOOL, A, A), A)),
    *rows("_&&_", _never, ("logical_and", (BOOL, BOOL), BOOL)),
    *rows("_||_", _never, ("logical_or", (BOOL, BOOL), BOOL)),
    *rows("!_", logical_not, ("logical_not", (BOOL,), BOOL)),
)

_COLLECTIONS: Final = (
    *rows("_[_]", index, ("index_list", (LIST_A, INT), A), ("index_map", (MAP_AB, A), B)),
    *rows("@in", compare.contains, ("in_list", (A, LIST_A), BOOL), context=True, cost=member_cost),
    *rows("@in", compare.contains, ("in_map", (A, MAP_AB), BOOL), context=True),
    *rows("size", size, *((f"size_{name}", (type,), INT) for name, type in _SIZES)),
    *rows("size", size, *((f"{name}_size", (type,), INT) for name, type in _SIZES), member=True),
)

OPERATORS: Final = (*_ARITHMETIC, *_order_rows(), *_EQUALITY, *_LOGIC, *_COLLECTIONS)
