"""Lists with ``x-kubernetes-list-type``: sets and keyed lists, whose order means nothing to ``==``.

``+`` is a union for sets; for keyed lists it is a merge: items of the second list take the place of those
with the same keys, others are appended (apiserver pkg/cel/common).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sekisho.cel.compare import equal
from sekisho.cel.errors import CelError, no_such_overload
from sekisho.cel.state import State
from sekisho.cel.values import CustomList


class SetList(CustomList):
    """``x-kubernetes-list-type: set``. Its items are scalars."""

    def equals(self, other: list[Any]) -> bool:
        """Whether both have the same items."""
        if len(self) != len(other):
            return False
        own, seen = _keys(self), _keys(other)
        return own == seen

    def plus(self, other: list[Any]) -> list[Any]:
        """The items of both, those of this list first."""
        keys = _keys(self)
        merged = SetList(self)
        for item in other:
            key = _key(item)
            if key not in keys:
                keys.add(key)
                merged.append(item)
        return merged


class MapList(CustomList):
    """``x-kubernetes-list-type: map``: items are known by the values of ``keys``."""

    def __init__(self, items: Iterable[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def equals(self, other: list[Any]) -> bool:
        """Whether both have items of the same keys, each equal to the other's."""
        if len(self) != len(other):
            return False
        known = {self._key(item): item for item in self}
        seen: set[Any] = set()
        for item in other:
            key = self._key(item)
            if key not in known or not equal(State(), known[key], item):
                return False
            seen.add(key)
        return len(seen) == len(known)

    def plus(self, other: list[Any]) -> list[Any]:
        """This list with the other's items: in place of those with their keys, else at the end."""
        merged = list(self)
        places = {self._key(item): index for index, item in enumerate(merged)}
        for item in other:
            key = self._key(item)
            if key in places:
                merged[places[key]] = item
            else:
                places[key] = len(merged)
                merged.append(item)
        return MapList(merged, self.keys)

    def _key(self, item: Any) -> Any:
        if not isinstance(item, dict):
            raise no_such_overload()
        return tuple(_key(item.get(key)) for key in self.keys)


def _keys(items: Iterable[Any]) -> set[Any]:
    return {_key(item) for item in items}


def _key(item: Any) -> Any:
    """What tells scalars apart; True is not 1."""
    if isinstance(item, list | tuple | dict):
        raise CelError("listSet operations are only supported on lists of scalar values")
    return type(item), item
