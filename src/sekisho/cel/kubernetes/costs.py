"""What calls cost in Kubernetes: the figures of its cost estimator.

Facts from k8s.io/apiserver ``pkg/cel/library/cost.go``. The estimator knows functions by their names alone,
whichever overload runs; where it is silent, cel-go's figures hold. Figures of a library that tracks its
own costs (cel-go's lists and sets) come before these.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from sekisho.cel.compare import TRAVERSAL
from sekisho.cel.extensions.costs import NEW_LIST, matching, reading, size
from sekisho.cel.functions import Cost, Overload
from sekisho.cel.values import Value, value_of_key

CHECK: Final = 350_000
"""An authorization check: two of them in an expression, no more."""

_NEW_STRUCT: Final = 40
_REQUIREMENT: Final = 0.5
"""Requirements of a selector in each of its characters: ``k,`` is the shortest."""


def traversal(value: Value) -> int:
    """Units to visit all of a value."""
    match value:
        case str():
            return int(len(value.encode("utf-8", "surrogatepass")) * TRAVERSAL)
        case bytes():
            return int(len(value) * TRAVERSAL)
        case list() | tuple():
            return sum(map(traversal, value))
        case dict():
            return sum(traversal(value_of_key(key)) + traversal(item) for key, item in value.items())
        case _:
            return 1


def _traversed(value: Value, *_: Value) -> int:
    return traversal(value)


def _read(text: Value, *_: Value) -> int:
    return reading(size(text))


def read_twice(text: Value, *_: Value) -> int:
    """Of what reads a text and makes as much of it."""
    return math.ceil(size(text) * 2 * TRAVERSAL)


def _result_read_twice(*values: Value) -> int:
    return read_twice(values[-1])


def _matched(text: Value, pattern: Value, *_: Value) -> int:
    return matching(text, pattern)


def _selected(_: Value, selector: Value, __: Value) -> int:
    length = size(selector)
    requirements = math.ceil(length * _REQUIREMENT)
    return NEW_LIST + reading(length) + requirements * (NEW_LIST + _NEW_STRUCT)


NAMED: Final[Mapping[str, Cost]] = {
    "check": CHECK,
    **dict.fromkeys(("fieldSelector", "labelSelector"), _selected),
    **dict.fromkeys(
        ("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes"),
        _traversed,
    ),
    **dict.fromkeys(
        ("url", "lowerAscii", "upperAscii", "substring", "trim", "jsonpatch.escapeKey"),
        _read,
    ),
    **dict.fromkeys(("replace", "split"), read_twice),
    "join": _result_read_twice,
    **dict.fromkeys(("find", "findAll"), _matched),
    **dict.fromkeys(("cidr", "isIP", "isCIDR"), _read),
    "ip.isCanonical": read_twice,
    **dict.fromkeys(("quantity", "isQuantity", "semver", "isSemver"), _read),
}
"""Functions whose cost depends on their operands, or is more than one unit."""


def priced(rows: Iterable[Overload]) -> tuple[Overload, ...]:
    """Rows with the costs that the estimator knows for their functions; their own, where it knows none."""
    return tuple(replace(row, cost=NAMED.get(row.function, row.cost)) for row in rows)
