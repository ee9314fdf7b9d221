"""The lists library of cel-go, versions 0 to 3. Facts from cel-go's ``ext/lists.go``.

Version 1 brought flatten, 2 all but slice and flatten, 3 costs. Kubernetes has version 3, from 1.34 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cmp_to_key
from typing import Final

from sekisho.cel.compare import equal
from sekisho.cel.errors import CelError
from sekisho.cel.extensions import costs
from sekisho.cel.extensions.order import comparable, order
from sekisho.cel.functions import Overload
from sekisho.cel.library import Expander, Library, Macro
from sekisho.cel.nodes import Bind, Call, Fold, FoldKind, Ident, Literal, Node
from sekisho.cel.state import State
from sekisho.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    LIST_OF_DYN,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    list_of,
    param,
)
from sekisho.cel.values import Value, type_of
from sekisho.diag import Limit

LATEST: Final = 3
"""The newest version."""

RANGE: Final = Limit("a list of lists.range", 1_000_000, "items", "cel-go makes none that is longer")

DEPTH: Final = Limit("nesting that flatten removes", 500, "levels", "it calls itself once a level")

ORDERED: Final[tuple[CelType, ...]] = (INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES)
"""The types of values that have an order."""

_SORTED_BY: Final = "@sortByAssociatedKeys"
_T: Final = param("T")
_LIST: Final = list_of(_T)


def _slice(items: Sequence[Value], start: int, end: int) -> Sequence[Value]:
    if start < 0 or end < 0:
        raise CelError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        reason = "start index must be less than or equal to end index"
        raise CelError(f"cannot slice({start}, {end}), {reason}")
    if len(items) < end:
        raise CelError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _flatten_once(state: State, items: Value) -> list[Value]:
    if not isinstance(items, list | tuple):
        raise CelError(f"no such overload: {type_of(items).name}.flatten()")
    return _flattened(state, items, 1)


def _flatten(state: State, items: Value, depth: int) -> list[Value]:
    if not isinstance(items, list | tuple):
        raise CelError(f"no such overload: {type_of(items).name}.flatten({type_of(depth).name})")
    if depth < 0:
        raise CelError("level must be non-negative")
    return _flattened(state, items, min(depth, DEPTH.value))


def _flattened(state: State, items: Sequence[Value], depth: int) -> list[Value]:
    state.meter.build(len(items))
    out: list[Value] = []
    for item in items:
        if depth and isinstance(item, list | tuple):
            out += _flattened(state, item, depth - 1)
        else:
            out.append(item)
    return out


def _range(state: State, count: int) -> list[Value]:
    if count < 0:
        raise CelError(f"lists.range: size must be non-negative, got {count}")
    if RANGE.exceeded_by(count):
        raise CelError(f"lists.range: size {count} exceeds maximum allowed ({RANGE.value})")
    state.meter.build(count)
    return list(range(count))


def _reverse(items: Sequence[Value]) -> Sequence[Value]:
    return items[::-1]


def _distinct(state: State, items: Sequence[Value]) -> list[Value]:
    """The first of each value. Texts and integers are looked up, the rest is compared with each."""
    out: list[Value] = []
    known: set[Value] = set()
    others: list[Value] = []
    for item in items:
        if type(item) is str or type(item) is int:
            state.meter.charge(1 + len(others))
            if item in known or any(equal(state, item, other) for other in others):
                continue
            known.add(item)
        else:
            state.meter.charge(1 + len(out))
            if any(equal(state, item, other) for other in out):
                continue
            others.append(item)
        out.append(item)
    return out


def _sort(state: State, items: Sequence[Value]) -> Sequence[Value]:
    return _sort_by(state, items, items)


def _sort_by(state: State, items: Sequence[Value], keys: Sequence[Value]) -> Sequence[Value]:
    """Sorted by keys, equal ones in their order (cel-go's sort keeps no order among more than twelve)."""
    if len(items) != len(keys):
        raise CelError(
            f"{_SORTED_BY}() expected a list of the same size as the associated keys list, but got "
            f"{len(items)} and {len(keys)} elements respectively"
        )
    if not items:
        return items
    if not comparable(keys[0]):
        raise CelError("list elements must be comparable")
    kind = type(keys[0])
    if any(type(key) is not kind for key in keys):
        raise CelError("list elements must have the same type")
    state.meter.build(len(items))
    state.meter.charge(len(items) * len(items).bit_length())
    key = None if kind in (int, str, bytes, bool) else cmp_to_key(order)
    if items is keys:
        return sorted(items, key=key)
    places = range(len(items))
    by = sorted(places, key=keys.__getitem__ if key is None else lambda place: key(keys[place]))
    return [items[place] for place in by]


# --- the macro --------------------------------------------------------------------------------------------


def _expand_sort_by(
    expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]
) -> Node | None:
    """``l.sortBy(e, key)`` sorts by the list ``l.map(e, key)``; ``l`` is evaluated once."""
    assert target is not None, "the macro is a member"
    variable, key = args
    if isinstance(target, Literal):
        message = "sortBy can only be applied to a list, identifier, comprehension, call or select expression"
        return expander.error(message, target)
    if not isinstance(variable, Ident):
        return expander.error("argument is not an identifier", variable)
    name = expander.fresh("sortBy")

    def items() -> Node:
        return Ident(name=name, local=True, start=call.start, end=call.end, first=call.first)

    keys = Fold(
        kind=FoldKind.LIST,
        range=items(),
        variable=variable.name,
        result=key,
        start=call.start,
        end=call.end,
        first=call.first,
    )
    sorting = Call(
        function=_SORTED_BY,
        args=[items(), keys],
        member=True,
        start=call.start,
        end=call.end,
        first=call.first,
    )
    return Bind(variable=name, value=target, result=sorting, start=call.start, end=call.end, first=call.first)


# --- the rows ---------------------------------------------------------------------------------------------

_SLICE: Final = Overload(
    id="list_slice",
    function="slice",
    params=(_LIST, INT, INT),
    result=_LIST,
    call=_slice,
    member=True,
    cost=costs.listed,
    note="the items from a position to before another",
)

_FLATTEN: Final = (
    Overload(
        id="list_flatten",
        function="flatten",
        params=(list_of(_LIST),),
        result=_LIST,
        call=_flatten_once,
        member=True,
        cost=costs.flattened,
        context=True,
        note="the items of the lists within, one level",
    ),
    Overload(
        id="list_flatten_int",
        function="flatten",
        params=(LIST_OF_DYN, INT),
        result=LIST_OF_DYN,
        call=_flatten,
        member=True,
        cost=costs.flattened,
        context=True,
        note="so many levels",
    ),
)

_ROWS: Final = (
    *(
        Overload(
            id=f"list_{element.name}_sort",
            function="sort",
            params=(list_of(element),),
            result=list_of(element),
            call=_sort,
            member=True,
            cost=costs.alone(costs.compared),
            context=True,
            note="in ascending order",
        )
        for element in ORDERED
    ),
    *(
        Overload(
            id=f"list_{key.name}_sortByAssociatedKeys",
            function=_SORTED_BY,
            params=(_LIST, list_of(key)),
            result=_LIST,
            call=_sort_by,
            member=True,
            cost=costs.alone(costs.compared_by),
            context=True,
            note="what sortBy(e, key) becomes",
        )
        for key in ORDERED
    ),
    Overload(
        id="lists_range",
        function="lists.range",
        params=(INT,),
        result=list_of(INT),
        call=_range,
        cost=costs.listed,
        context=True,
        note="the integers from 0 on, so many",
    ),
    Overload(
        id="list_reverse",
        function="reverse",
        params=(_LIST,),
        result=_LIST,
        call=_reverse,
        member=True,
        cost=costs.listed,
        note="the items from the last to the first",
    ),
    Overload(
        id="list_distinct",
        function="distinct",
        params=(_LIST,),
        result=_LIST,
        call=_distinct,
        member=True,
        cost=costs.compared,
        context=True,
        note="the first of each value",
    ),
)

_SORT_BY: Final = Macro(name="sortBy", arguments=2, member=True, expand=_expand_sort_by)


def lists(version: int = LATEST) -> Library:
    """The library in a version."""
    rows = (
        _SLICE,
        *(_FLATTEN if version >= 1 else ()),
        *(_ROWS if version >= 2 else ()),
    )
    if version < 3:
        rows = tuple(replace(row, cost=1) for row in rows)
    macros = (_SORT_BY,) if version >= 2 else ()
    return Library(name="cel.lib.ext.lists", overloads=rows, macros=macros, version=version)
