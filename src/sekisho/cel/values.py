"""How CEL values are Python values.

| CEL | Python |
| --- | --- |
| null, bool, double, string, bytes | None, bool, float, str, bytes |
| int | int from -2**63 to 2**63-1 |
| uint | ``UInt`` from 0 to 2**64-1 |
| list | list or tuple, read in place |
| map | dict, read in place; JSON objects as they are |
| timestamp, duration | ``Timestamp``, ``Duration`` |
| type | ``CelType`` |
| optional | ``Optional`` |
| quantities, addresses and the like | a class that derives from ``OpaqueValue`` |

Python says ``True == 1``, CEL does not: compare with ``compare.equal``. Keys of a map are str, int, UInt and
``BoolKey``; ``key_of`` makes a key of a value, ``value_of_key`` goes back.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from sekisho.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    LIST,
    MAP,
    NULL,
    OPTIONAL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    CelType,
)

Value: TypeAlias = Any
"""A CEL value, as the table above says."""

INT_MIN: Final = -(1 << 63)
INT_MAX: Final = (1 << 63) - 1
UINT_MAX: Final = (1 << 64) - 1

NANOS: Final = 1_000_000_000
"""Nanoseconds of a second."""

TIMESTAMP_MIN: Final = -62_135_596_800 * NANOS
"""0001-01-01T00:00:00Z, the earliest timestamp, in nanoseconds since 1970."""

TIMESTAMP_MAX: Final = 253_402_300_800 * NANOS - 1
"""9999-12-31T23:59:59.999999999Z, the latest."""


class UInt(int):
    """An unsigned integer of 64 bits. Arithmetic gives int: the runtime makes a UInt of it and checks it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


class Timestamp:
    """A moment, in nanoseconds since 1970 UTC."""

    __slots__ = ("ns",)
    ns: int

    def __init__(self, ns: int) -> None:
        object.__setattr__(self, "ns", ns)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timestamp) and self.ns == other.ns

    def __hash__(self) -> int:
        return hash((Timestamp, self.ns))

    def __repr__(self) -> str:
        return f"Timestamp({self.ns})"


class Duration:
    """A span of time, in nanoseconds, of 64 bits."""

    __slots__ = ("ns",)
    ns: int

    def __init__(self, ns: int) -> None:
        object.__setattr__(self, "ns", ns)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.ns == other.ns

    def __hash__(self) -> int:
        return hash((Duration, self.ns))

    def __repr__(self) -> str:
        return f"Duration({self.ns})"


class Optional:
    """An optional value; ``NONE`` is the one without."""

    __slots__ = ("_present", "_value")

    def __init__(self, value: Value, *, present: bool = True) -> None:
        self._value = value
        self._present = present

    @property
    def present(self) -> bool:
        """Whether there is a value."""
        return self._present

    @property
    def value(self) -> Value:
        """The value; None where there is none."""
        return self._value

    def __repr__(self) -> str:
        return f"optional.of({self._value!r})" if self._present else "optional.none()"


NONE: Final = Optional(None, present=False)
"""The optional without a value."""


class OpaqueValue:
    """A value of an extension's own type. Subclasses say which, and when two are equal."""

    __slots__ = ()

    cel_type: CelType
    """The type of all values of the class."""

    def equals(self, other: Value) -> bool:
        """Whether this equals another value of any type; identity, unless a subclass says more."""
        return self is other

    def has_field(self, name: str) -> bool:  # noqa: ARG002 - for subclasses
        """Whether ``has(this.name)``."""
        return False

    def get_field(self, name: str) -> Value:
        """``this.name``. Raises KeyError where there is no such field."""
        raise KeyError(name)

    def __getitem__(self, name: str) -> Value:
        return self.get_field(name)


class CustomList(list[Any]):
    """A list with an equality or addition of its own, such as a set or a keyed list of Kubernetes."""

    def equals(self, other: list[Any]) -> bool:
        """Whether this equals another list."""
        raise AssertionError(other)

    def plus(self, other: list[Any]) -> list[Any]:
        """This and another list, merged."""
        raise AssertionError(other)


class BoolKey:
    """A boolean as the key of a map, where Python would take True for 1. There are two of it."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "true" if self.value else "false"


TRUE_KEY: Final = BoolKey(True)
FALSE_KEY: Final = BoolKey(False)


def key_of(value: Value) -> Any:
    """The key for a value, or None if it cannot be one. A double that is an integer finds that integer."""
    kind = type(value)
    if kind is str or kind is int or kind is UInt:
        return value
    if kind is bool:
        return TRUE_KEY if value else FALSE_KEY
    if kind is float and value.is_integer():
        return int(value)
    return None


def value_of_key(key: Any) -> Value:
    """The value that a key stands for."""
    return key.value if type(key) is BoolKey else key


_TYPES: Final[dict[type, CelType]] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    list: LIST,
    tuple: LIST,
    dict: MAP,
    Timestamp: TIMESTAMP,
    Duration: DURATION,
    CelType: TYPE,
    Optional: OPTIONAL,
}


def type_of(value: Value) -> CelType:
    """The type of a value, without parameters."""
    known = _TYPES.get(type(value))
    if known is not None:
        return known
    if isinstance(value, OpaqueValue):
        return value.cel_type
    if isinstance(value, list):
        return LIST
    if isinstance(value, dict):
        return MAP
    if isinstance(value, BoolKey):
        return BOOL
    raise AssertionError(f"{type(value).__name__} is no CEL value")
