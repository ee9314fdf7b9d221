"""The image of a program: its code, as data that a cache can keep, and its loading.

An image holds code objects and plain tables, nothing else, so that ``marshal`` can store it. What code uses
of the environment (functions, struct types, constants) is named in it, and looked up when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from types import CodeType
from typing import Any, Final

from sekisho.cel.dispatch import Dispatch
from sekisho.cel.environment import Environment
from sekisho.cel.functions import Overload
from sekisho.cel.runtime import GLOBALS
from sekisho.cel.state import State
from sekisho.cel.types import CelType, Kind
from sekisho.cel.values import UInt, Value

FORMAT: Final = 4
"""The number of the form of images and of the code in them: raise it with every change of either."""

Compiled = Callable[..., tuple[Value, int]]
Uses = tuple[tuple[str, tuple[Any, ...]], ...]
"""Names of globals, each with what stands there: a kind and what it needs, as ``_LOADERS`` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Compiled code; None where there is none, and the plain evaluator does everything."""

    code: CodeType | None
    variables: tuple[str, ...]
    uses: Uses
    type: tuple[Any, ...]

    @property
    def result(self) -> CelType:
        """The static type of the value."""
        return type_of_row(self.type)

    def row(self) -> tuple[Any, ...]:
        """The image as a tuple that ``marshal`` can store."""
        return tuple(getattr(self, field.name) for field in fields(self))

    @classmethod
    def of_row(cls, row: object) -> Image | None:
        """The image that this tuple holds; None if it is no such tuple."""
        names = [field.name for field in fields(cls)]
        if not isinstance(row, tuple) or len(row) != len(names):
            return None
        return cls(**dict(zip(names, row, strict=True)))


def row_of_type(type: CelType) -> tuple[Any, ...]:
    """A type as a tuple."""
    return (type.kind.value, type.name, tuple(map(row_of_type, type.params)))


def type_of_row(row: tuple[Any, ...]) -> CelType:
    """The type that ``row_of_type`` made the tuple of."""
    kind, name, params = row
    return CelType(Kind(kind), name, tuple(map(type_of_row, params)))


def load(image: Image, environment: Environment) -> Compiled | None:
    """The function of an image: it gets the state and the variables, and gives the value and the cost."""
    if image.code is None:
        return None
    scope: dict[str, Any] = {**GLOBALS, "__builtins__": {}}
    for name, use in image.uses:
        scope[name] = _LOADERS[use[0]](environment, *use[1:])
    exec(image.code, scope)  # noqa: S102 - generated from syntax trees; sees nothing but ``scope``
    found: Compiled = scope["run"]
    return found


def overload(environment: Environment, function: str, id: str) -> Overload:
    """A row of the environment's function table."""
    for row in environment.functions[function]:
        if row.id == id:
            return row
    raise AssertionError(f"no overload {id}")


def _call(environment: Environment, function: str, id: str) -> Any:
    return overload(environment, function, id).call


def _cost(environment: Environment, function: str, id: str) -> Any:
    return overload(environment, function, id).cost


def _dispatch(environment: Environment, function: str, ids: tuple[str, ...]) -> Any:
    return Dispatch(function, [overload(environment, function, id) for id in ids])


def _read(environment: Environment, struct: str, field: str) -> Any:
    return environment.all_structs[struct].fields[field].read


def _build(environment: Environment, struct: str) -> Any:
    return environment.all_structs[struct].build


def _named(environment: Environment, name: str) -> Any:
    """The value of a constant or type."""
    constant = environment.constants.get(name)
    return environment.type_names[name] if constant is None else constant[1]


def _value(_: Environment, value: Any) -> Any:
    return value


def _uint(_: Environment, value: int) -> Any:
    return UInt(value)


def _list(environment: Environment, *items: tuple[Any, ...]) -> Any:
    return tuple(written(environment, item) for item in items)


def _map(environment: Environment, *items: tuple[Any, ...]) -> Any:
    map_of: Any = GLOBALS["map_of"]
    return map_of(*(written(environment, item) for item in items))


def _converted(environment: Environment, function: str, ids: tuple[str, ...], item: tuple[Any, ...]) -> Any:
    """The value of a conversion of what is written."""
    value = written(environment, item)
    row = _dispatch(environment, function, ids).find([value])
    return row.call(State(), value) if row.context else row.call(value)


_LOADERS: Final[dict[str, Callable[..., Any]]] = {
    "call": _call,
    "cost": _cost,
    "dispatch": _dispatch,
    "read": _read,
    "build": _build,
    "named": _named,
    "value": _value,
    "uint": _uint,
    "list": _list,
    "map": _map,
    "converted": _converted,
}


def written(environment: Environment, use: tuple[Any, ...]) -> Any:
    """What a use of an image stands for."""
    return _LOADERS[use[0]](environment, *use[1:])
