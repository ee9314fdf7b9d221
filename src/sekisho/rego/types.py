"""The types of Rego terms, as the type checker and the signatures of built-ins use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sekisho.rego.values import Value


@dataclass(frozen=True, slots=True)
class Anything:
    """Anything."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not known yet: the type of what nothing has been said about. Only the type checker has it."""


@dataclass(frozen=True, slots=True)
class Null:
    """null."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Num:
    """A number."""


@dataclass(frozen=True, slots=True)
class String:
    """A string."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array: the types of its first elements, and of all further ones (None: there are none)."""

    static: tuple[Type, ...] = ()
    dynamic: Type | None = None


@dataclass(frozen=True, slots=True)
class Object:
    """Known properties (key value, type), and the key and value types of all others (None: no others)."""

    static: tuple[tuple[Value, Type], ...] = ()
    dynamic: tuple[Type, Type] | None = None


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set."""

    of: Type


@dataclass(frozen=True, slots=True)
class Union:
    """One of several types."""

    options: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """The type of a built-in or a function. ``result`` is None where it gives none (``print``)."""

    args: tuple[Type, ...]
    result: Type | None
    variadic: Type | None = None


Type: TypeAlias = (
    Anything | Unknown | Null | Boolean | Num | String | Array | Object | SetOf | Union | Function
)

ANY = Anything()
UNKNOWN = Unknown()
NULL = Null()
BOOLEAN = Boolean()
NUMBER = Num()
STRING = String()
