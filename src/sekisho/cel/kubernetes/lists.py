"""Kubernetes' lists library: facts about a list as a whole. From 1.37 on (version 1), ``includes``.

Facts from k8s.io/apiserver ``pkg/cel/library/lists.go``. Values that have no order among themselves count
as equal, as there; the first one must be of a type that has an order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from sekisho.cel.compare import equal
from sekisho.cel.errors import CelError, no_such_overload, overflow
from sekisho.cel.extensions.lists import ORDERED
from sekisho.cel.extensions.order import comparable, order
from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.state import State
from sekisho.cel.types import BOOL, DOUBLE, DURATION, DYN, INT, TIMESTAMP, UINT, CelType, list_of, param
from sekisho.cel.values import INT_MAX, INT_MIN, UINT_MAX, Duration, UInt, Value

LATEST: Final = 1
"""The newest version."""

_ZEROS: Final[dict[CelType, Value]] = {INT: 0, UINT: UInt(0), DOUBLE: 0.0, DURATION: Duration(0)}
"""What can be added up, and the sum of nothing."""

_SUMMABLE: Final = frozenset(map(type, _ZEROS.values()))


def _ordered(name: str, items: Sequence[Value]) -> Iterator[Value]:
    """The items, each of which must be of a type that has an order."""
    for at, item in enumerate(items):
        if not comparable(item):
            raise no_such_overload() if at else no_such_overload(name, items)
        yield item


def _is_sorted(items: Sequence[Value]) -> bool:
    return all(order(left, right) <= 0 for left, right in pairwise(_ordered("isSorted", items)))


def _sum(element: CelType) -> Callable[[Sequence[Value]], Value]:
    """The sum of a list; of an empty one, the zero of the type that the checker knows."""
    zero = _ZEROS[element]
    return lambda items: _added(items) if items else zero


def _added(items: Sequence[Value]) -> Value:
    kind = type(items[0])
    if kind not in _SUMMABLE:
        raise no_such_overload("sum", items)
    if any(type(item) is not kind for item in items):
        raise no_such_overload()
    if kind is Duration:
        return Duration(_whole((item.ns for item in items), INT_MIN, INT_MAX, "integer"))
    if kind is UInt:
        return UInt(_whole(items, 0, UINT_MAX, "unsigned integer"))
    if kind is int:
        return _whole(items, INT_MIN, INT_MAX, "integer")
    total = 0.0
    for item in items:  # one after the other, not ``sum``, which corrects its rounding from Python 3.12 on
        total += item
    return total


def _whole(items: Iterable[int], least: int, greatest: int, what: str) -> int:
    total = 0
    for item in items:
        total += int(item)
        if not least <= total <= greatest:
            raise overflow(what)
    return total


def _best(name: str, worse: int) -> Callable[[Sequence[Value]], Value]:
    """The least or the greatest: another one takes over where comparing with it gives ``worse``."""

    def run(items: Sequence[Value]) -> Value:
        if not items:
            raise CelError(f"{name} called on empty list")
        rest = _ordered(name, items)
        best = next(rest)
        for item in rest:
            if order(best, item) == worse:
                best = item
        return best

    return run


def _index_of(state: State, items: Sequence[Value], wanted: Value) -> int:
    return next((at for at, item in enumerate(items) if equal(state, item, wanted)), -1)


def _last_index_of(state: State, items: Sequence[Value], wanted: Value) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if equal(state, items[at], wanted)), -1)


def _includes(state: State, target: Value, wanted: Value) -> bool:
    if isinstance(target, list | tuple):
        return any(equal(state, item, wanted) for item in target)
    return bool(equal(state, target, wanted))


_A: Final = param("A")
_SHORT: Final = {DURATION: "duration", TIMESTAMP: "timestamp"}


def _row(function: str, element: CelType, call: Callable[..., Value], note: str) -> Overload:
    """A row of ``function`` on lists of a type; it gives one of them, or a boolean."""
    name = _SHORT.get(element, element.name)
    asks = function == "isSorted"
    return Overload(
        id=f"list_{name}_is_sorted_bool" if asks else f"list_{name}_{function}_{name}",
        function=function,
        params=(list_of(element),),
        result=BOOL if asks else element,
        call=call,
        member=True,
        note=note,
    )


_ROWS: Final = (
    *(_row("isSorted", element, _is_sorted, "whether no item is less than the last") for element in ORDERED),
    *(_row("sum", element, _sum(element), "all items added up") for element in _ZEROS),
    *(_row("max", element, _best("max", -1), "the greatest item") for element in ORDERED),
    *(_row("min", element, _best("min", 1), "the least item") for element in ORDERED),
    Overload(
        id="list_a_index_of_int",
        function="indexOf",
        params=(list_of(_A), _A),
        result=INT,
        call=_index_of,
        member=True,
        context=True,
        note="the first place of a value, or -1",
    ),
    Overload(
        id="list_a_last_index_of_int",
        function="lastIndexOf",
        params=(list_of(_A), _A),
        result=INT,
        call=_last_index_of,
        member=True,
        context=True,
        note="the last place of a value, or -1",
    ),
)

_INCLUDES: Final = Overload(
    id="list_includes_dyn_dyn",
    function="includes",
    params=(DYN, DYN),
    result=BOOL,
    call=_includes,
    member=True,
    context=True,
    note="whether a list has a value; what is no list, whether it is equal",
)


def lists(version: int = LATEST) -> Library:
    """The library in a version."""
    rows = priced((*_ROWS, *((_INCLUDES,) if version >= 1 else ())))
    return Library(name="kubernetes.lists", overloads=rows, version=version)
