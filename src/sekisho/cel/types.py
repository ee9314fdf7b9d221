"""Types of CEL: what the checker infers, and what ``type(x)`` gives.

One class serves for both, as in cel-go: a type of the checker has parameters (``list(int)``), a type as a
value has none (``list``), and values of it compare by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final


class Kind(Enum):
    """The kinds of types. ``PARAM`` stands for any type, the same in all of one signature."""

    DYN = "dyn"
    ANY = "any"
    NULL = "null"
    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    DOUBLE = "double"
    STRING = "string"
    BYTES = "bytes"
    DURATION = "duration"
    TIMESTAMP = "timestamp"
    LIST = "list"
    MAP = "map"
    STRUCT = "struct"
    OPAQUE = "opaque"
    WRAPPER = "wrapper"
    TYPE = "type"
    PARAM = "param"
    ERROR = "error"


@dataclass(frozen=True, slots=True, eq=False)
class CelType:
    """A type. ``name`` is what it is called at run time (``list``, ``net.IP``, ``google.protobuf.Duration``).

    ``params``: the element of a list, the key and value of a map, the parameters of an opaque type, the type
    of a type, the primitive type of a wrapper. Equality is of names alone, as between type values; ``same``
    compares the parameters too.
    """

    kind: Kind
    name: str
    params: tuple[CelType, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CelType) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        """The type as cel-go's messages write it."""
        shown = _SHOWN.get(self.kind, self.name)
        if not self.params:
            return shown
        return f"{shown}({', '.join(map(str, self.params))})"

    def same(self, other: CelType) -> bool:
        """Whether both are one type, parameters included."""
        return (
            self.kind is other.kind
            and self.name == other.name
            and len(self.params) == len(other.params)
            and all(a.same(b) for a, b in zip(self.params, other.params, strict=True))
        )


_SHOWN: Final = {
    Kind.ANY: "any",
    Kind.NULL: "null",
    Kind.DURATION: "duration",
    Kind.TIMESTAMP: "timestamp",
    Kind.ERROR: "!error!",
    Kind.WRAPPER: "wrapper",
}

DYN: Final = CelType(Kind.DYN, "dyn")
ANY: Final = CelType(Kind.ANY, "google.protobuf.Any")
NULL: Final = CelType(Kind.NULL, "null_type")
BOOL: Final = CelType(Kind.BOOL, "bool")
INT: Final = CelType(Kind.INT, "int")
UINT: Final = CelType(Kind.UINT, "uint")
DOUBLE: Final = CelType(Kind.DOUBLE, "double")
STRING: Final = CelType(Kind.STRING, "string")
BYTES: Final = CelType(Kind.BYTES, "bytes")
DURATION: Final = CelType(Kind.DURATION, "google.protobuf.Duration")
TIMESTAMP: Final = CelType(Kind.TIMESTAMP, "google.protobuf.Timestamp")
LIST: Final = CelType(Kind.LIST, "list")
MAP: Final = CelType(Kind.MAP, "map")
TYPE: Final = CelType(Kind.TYPE, "type")
ERROR: Final = CelType(Kind.ERROR, "!error!")
OPTIONAL: Final = CelType(Kind.OPAQUE, "optional_type")

LIST_OF_DYN: Final = CelType(Kind.LIST, "list", (DYN,))
MAP_OF_DYN: Final = CelType(Kind.MAP, "map", (DYN, DYN))


def list_of(element: CelType) -> CelType:
    """``list(element)``."""
    return CelType(Kind.LIST, "list", (element,))


def map_of(key: CelType, value: CelType) -> CelType:
    """``map(key, value)``."""
    return CelType(Kind.MAP, "map", (key, value))


def optional_of(value: CelType) -> CelType:
    """``optional_type(value)``."""
    return CelType(Kind.OPAQUE, "optional_type", (value,))


def type_of_type(type: CelType) -> CelType:
    """``type(type)``, the type of a type's name."""
    return CelType(Kind.TYPE, "type", (type,))


def wrapper_of(primitive: CelType) -> CelType:
    """``wrapper(primitive)``: the primitive type, or null."""
    return CelType(Kind.WRAPPER, primitive.name, (primitive,))


def opaque(name: str, *params: CelType) -> CelType:
    """A type of values that only functions look into, such as ``net.IP``."""
    return CelType(Kind.OPAQUE, name, params)


def param(name: str) -> CelType:
    """A type parameter of a signature."""
    return CelType(Kind.PARAM, name)


def struct(name: str) -> CelType:
    """A type with fields; ``Struct`` declares them."""
    return CelType(Kind.STRUCT, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a struct type.

    ``key`` is the key under which the value stands in the object itself, where that is not the field's name
    (Kubernetes writes ``x-y`` as ``x__dash__y``). ``read`` turns what stands there into a CEL value (a text
    into a timestamp); None where it is one already.
    """

    type: CelType
    key: str = ""
    read: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Struct:
    """The declaration of a struct type: its fields by name.

    ``build`` makes a value out of the fields of a literal ``Name{field: value}``; None where there are no
    literals of it. Values of struct types are JSON objects, read in place, unless ``build`` makes others;
    then ``result`` may say which type they have.
    """

    name: str
    fields: Mapping[str, Field] = field(default_factory=dict)
    build: Callable[[dict[str, Any]], Any] | None = None
    result: CelType | None = None

    @property
    def type(self) -> CelType:
        """The type that it declares."""
        return struct(self.name)
