"""How rows are written, and what several families share: type parameters, costs."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, Final

from sekisho.cel.compare import PATTERN, equal_cost, size_of, units
from sekisho.cel.functions import Cost, Overload
from sekisho.cel.types import CelType, list_of, map_of, param
from sekisho.cel.values import Value

A: Final = param("A")
B: Final = param("B")
LIST_A: Final = list_of(A)
MAP_AB: Final = map_of(A, B)

Row = tuple[str, tuple[CelType, ...], CelType]
"""Id, parameters, result."""


def rows(
    function: str,
    call: Callable[..., Any],
    *signatures: Row,
    member: bool = False,
    context: bool = False,
    cost: Cost = 1,
) -> tuple[Overload, ...]:
    """Overloads of one function that share an implementation."""
    return tuple(
        Overload(
            id=id,
            function=function,
            params=params,
            result=result,
            call=call,
            member=member,
            context=context,
            cost=cost,
        )
        for id, params, result in signatures
    )


def first_cost(a: Value, *_: Value) -> int:
    """A text is gone through."""
    return units(size_of(a))


def second_cost(_: Value, b: Value, *__: Value) -> int:
    """The second text is gone through."""
    return units(size_of(b))


def both_cost(a: Value, b: Value, *_: Value) -> int:
    """Both texts are copied."""
    return units(size_of(a) + size_of(b))


def search_cost(a: Value, b: Value, *_: Value) -> int:
    """One text is looked for in another."""
    return units(size_of(a)) * units(size_of(b))


def match_cost(a: Value, b: Value, *_: Value) -> int:
    """A pattern is tried on a text."""
    return units(1 + size_of(a)) * ceil(size_of(b) * PATTERN)


def member_cost(_: Value, b: Value, *__: Value) -> int:
    """A list is gone through."""
    return size_of(b)


def order_cost(a: Value, b: Value, *_: Value) -> int:
    """Two texts are compared."""
    return equal_cost(a, b)
