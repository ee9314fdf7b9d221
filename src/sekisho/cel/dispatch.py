"""Which overload a call uses, decided at run time by the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sekisho.cel.errors import CelError, no_such_overload
from sekisho.cel.functions import Overload
from sekisho.cel.state import State
from sekisho.cel.types import CelType, Kind
from sekisho.cel.values import Duration, OpaqueValue, Optional, Timestamp, UInt, Value

_CLASSES: Final[dict[Kind, tuple[type, ...]]] = {
    Kind.NULL: (type(None),),
    Kind.BOOL: (bool,),
    Kind.INT: (int,),
    Kind.UINT: (UInt,),
    Kind.DOUBLE: (float,),
    Kind.STRING: (str,),
    Kind.BYTES: (bytes,),
    Kind.DURATION: (Duration,),
    Kind.TIMESTAMP: (Timestamp,),
    Kind.TYPE: (CelType,),
}
_ANY: Final = frozenset({Kind.DYN, Kind.ANY, Kind.PARAM})

_BARE: Final = frozenset({"contains", "startsWith", "endsWith", "orValue", "or", "value", "hasValue"})
"""Functions whose error does not say which types they were given, as in cel-go."""

_GENERIC: Final = frozenset(
    {"_+_", "_-_", "_*_", "_/_", "_%_", "-_", "!_", "_<_", "_<=_", "_>_", "_>=_", "size"}
)
"""Functions whose overloads share an implementation that knows all types, and says what it does not take."""


def accepts(type_: CelType, class_: type) -> bool:
    """Whether a parameter of this type takes values of this class."""
    kind = type_.kind
    if kind in _ANY:
        return True
    classes = _CLASSES.get(kind)
    if classes is not None:
        return class_ in classes
    if kind is Kind.LIST:
        return issubclass(class_, list | tuple)
    if kind is Kind.MAP:
        return issubclass(class_, dict)
    if kind is Kind.WRAPPER:
        return class_ is type(None) or accepts(type_.params[0], class_)
    if class_ is Optional:
        return type_.name == "optional_type"
    if issubclass(class_, OpaqueValue):
        return class_.cel_type.name == type_.name
    return kind is Kind.STRUCT and issubclass(class_, dict)


class Dispatch:
    """A call of a function whose overload the values decide; it remembers what it found for their classes."""

    __slots__ = ("_found", "_generic", "_overloads", "function")

    def __init__(self, function: str, overloads: Sequence[Overload]) -> None:
        self.function = function
        self._overloads = overloads
        self._generic = overloads[0] if function in _GENERIC and overloads else None
        self._found: dict[tuple[type, ...], Overload | None] = {}

    def find(self, args: Sequence[Value]) -> Overload:
        """The first overload that takes these values. CelError if there is none."""
        if self._generic is not None and len(args) == len(self._generic.params):
            return self._generic
        classes = tuple(map(type, args))
        try:
            found = self._found[classes]
        except KeyError:
            found = self._found[classes] = self._search(classes)
        if found is None:
            raise self._refuse(args)
        return found

    def _refuse(self, args: Sequence[Value]) -> CelError:
        if self.function in _BARE:
            return CelError("no such overload")
        if self.function == "matches":
            return CelError("no such overload: matches")
        return no_such_overload(self.function, *args)

    def _search(self, classes: tuple[type, ...]) -> Overload | None:
        for overload in self._overloads:
            if len(overload.params) == len(classes) and all(map(accepts, overload.params, classes)):
                return overload
        return None


def call(state: State, dispatch: Dispatch, *args: Any) -> Value:
    """Call what the values decide."""
    overload = dispatch.find(args)
    return overload.call(state, *args) if overload.context else overload.call(*args)
