"""The sets library of cel-go: lists as sets. Facts from cel-go's ``ext/sets.go``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sekisho.cel.compare import contains
from sekisho.cel.extensions import costs
from sekisho.cel.functions import Overload
from sekisho.cel.library import Library
from sekisho.cel.state import State
from sekisho.cel.types import BOOL, list_of, param
from sekisho.cel.values import Value


def _contains(state: State, items: Sequence[Value], part: Sequence[Value]) -> bool:
    return all(contains(state, item, items) for item in part)


def _equivalent(state: State, left: Sequence[Value], right: Sequence[Value]) -> bool:
    return _contains(state, left, right) and _contains(state, right, left)


def _intersects(state: State, left: Sequence[Value], right: Sequence[Value]) -> bool:
    return any(contains(state, item, right) for item in left)


_LIST: Final = list_of(param("T"))

SETS: Final = Library(
    name="cel.lib.ext.sets",
    overloads=(
        Overload(
            id="list_sets_contains_list",
            function="sets.contains",
            params=(_LIST, _LIST),
            result=BOOL,
            call=_contains,
            cost=costs.crossed(1),
            context=True,
            note="whether the first list has all items of the second",
        ),
        Overload(
            id="list_sets_equivalent_list",
            function="sets.equivalent",
            params=(_LIST, _LIST),
            result=BOOL,
            call=_equivalent,
            cost=costs.crossed(2),
            context=True,
            note="whether each list has all items of the other",
        ),
        Overload(
            id="list_sets_intersects_list",
            function="sets.intersects",
            params=(_LIST, _LIST),
            result=BOOL,
            call=_intersects,
            cost=costs.crossed(1),
            context=True,
            note="whether the lists have an item in common",
        ),
    ),
)
