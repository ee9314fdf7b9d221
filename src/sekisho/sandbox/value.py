"""Frozen values without the price of ``dataclasses``.

That module costs more to import than an interpreter to start, and the start of a sandbox is what its users
wait for. ``value`` does for a class of annotated fields what ``dataclass(frozen=True, slots=True,
kw_only=True)`` does, and is that very decorator to a type checker.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True, kw_only_default=True)
    def value(cls: type[T]) -> type[T]:
        """A class whose objects are made from keywords, compare by their fields, and never change."""

    def replace(item: T, **changes: Any) -> T:
        """The same value with other fields."""
else:

    def value(cls):
        """A class whose objects are made from keywords, compare by their fields, and never change."""
        fields = tuple(cls.__annotations__)
        space = {name: item for name, item in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        defaults = {name: space.pop(name) for name in fields if name in space}
        made = type(cls.__name__, cls.__bases__, space | {"__slots__": fields} | _METHODS)
        made._fields, made._defaults = fields, defaults
        return made

    def replace(item, **changes):
        """The same value with other fields."""
        return type(item)(**{name: getattr(item, name) for name in item._fields} | changes)

    def _init(self, **given):
        items = self._defaults | given
        if items.keys() != set(self._fields):
            odd = items.keys() ^ set(self._fields)
            raise TypeError(f"{type(self).__name__}: missing or unknown: {', '.join(sorted(odd))}")
        for name in self._fields:
            object.__setattr__(self, name, items[name])

    def _frozen(self, name, _value):
        raise AttributeError(f"{type(self).__name__}.{name} cannot change")

    def _same(self, other):
        return type(other) is type(self) and all(
            getattr(self, name) == getattr(other, name) for name in self._fields
        )

    def _hash(self):
        return hash(tuple(getattr(self, name) for name in self._fields))

    def _repr(self):
        return (
            f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._fields)})"
        )

    _METHODS = {
        "__init__": _init,
        "__setattr__": _frozen,
        "__delattr__": lambda self, name: _frozen(self, name, None),
        "__eq__": _same,
        "__hash__": _hash,
        "__repr__": _repr,
    }

__all__ = ["replace", "value"]
