"""The one list of names that generated code may touch.

``GLOBALS``, and the constants and functions that a program uses, are all that its code can see: it runs with
empty ``__builtins__``, has no imports, and reaches attributes only of the values and the state given to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NoReturn

from sekisho.cel import arithmetic, compare
from sekisho.cel.access import has, index, optional_index, optional_select, select
from sekisho.cel.dispatch import call
from sekisho.cel.errors import CelError
from sekisho.cel.standard.operators import logical_not, size
from sekisho.cel.state import State
from sekisho.cel.values import (
    NONE,
    BoolKey,
    Optional,
    UInt,
    Value,
    key_of,
    type_of,
    value_of_key,
)


class Fallback(Exception):
    """Compiled code gives up: the plain evaluator says what the value is, or the error."""


def bool_of(value: Value) -> bool:
    """A boolean, or the error that it is none."""
    if value is True or value is False:
        return value
    raise CelError("no such overload")


_GO_NAMES: Final = {
    int: "types.Int",
    UInt: "types.Uint",
    float: "types.Double",
    bool: "types.Bool",
    str: "types.String",
    bytes: "types.Bytes",
    type(None): "types.Null",
}


def range_of(value: Value) -> Iterable[Value]:
    """What a fold with one variable runs through."""
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, dict):
        return keys_of(value)
    name = _GO_NAMES.get(type(value), type_of(value).name)
    raise CelError(f"got '{name}', expected iterable type")


def keys_of(value: dict[Any, Value]) -> Iterable[Value]:
    """The keys of a map as values."""
    if BoolKey in set(map(type, value)):
        return [value_of_key(key) for key in value]
    return value


def pairs_of(value: Value) -> Iterable[tuple[Value, Value]]:
    """What a fold with two variables runs through."""
    if isinstance(value, list | tuple):
        return enumerate(value)
    if isinstance(value, dict):
        return zip(keys_of(value), value.values(), strict=True)
    name = _GO_NAMES.get(type(value), type_of(value).name)
    raise CelError(f"unsupported comprehension range type: {name}")


def insert(target: dict[Any, Value], key: Value, value: Value) -> None:
    """Add an entry to a map that is built."""
    form = key_of(key)
    if form is None or type(key) is float:
        raise CelError(f"unsupported key type: {type_of(key).name}")
    if form in target:
        raise CelError(f"insert failed: key {key} already exists")
    target[form] = value


def insert_entry(target: dict[Any, Value], entries: Value) -> None:
    """Add all entries of a map to one that is built."""
    if not isinstance(entries, dict):
        raise CelError("no such overload")
    for key, value in entries.items():
        insert(target, value_of_key(key), value)


def map_of(*parts: Value) -> dict[Any, Value]:
    """A map of keys and values, in turn."""
    found: dict[Any, Value] = {}
    for at in range(0, len(parts), 2):
        insert(found, parts[at], parts[at + 1])
    return found


def optional_entry(value: Value) -> bool:
    """Whether an entry written with ``?`` is there."""
    if type(value) is not Optional:
        raise CelError("cannot initialize optional entry from non-optional value")
    return value.present


def overflow() -> NoReturn:
    """A result does not fit."""
    raise CelError("integer overflow")


def present(value: Value) -> bool:
    """Whether an optional has a value."""
    if type(value) is not Optional:
        raise CelError("no such overload")
    return value.present


def equal_paid(state: State, a: Value, b: Value) -> bool:
    """``a == b``, and its cost."""
    if type(a) is str and type(b) is str:
        state.cost += compare.units(min(len(a), len(b)))
        return a == b
    state.cost += compare.equal_cost(a, b)
    return compare.equal(state, a, b)


def built(state: State, values: list[Value] | dict[Any, Value]) -> None:
    """Pay for a collection that a loop has built."""
    state.meter.build(len(values))


GLOBALS: Final[dict[str, object]] = {
    "NONE": NONE,
    "Optional": Optional,
    "UInt": UInt,
    "add": arithmetic.add,
    "bool_of": bool_of,
    "built": built,
    "call": call,
    "contains": compare.contains,
    "dict": dict,
    "divide": arithmetic.divide,
    "equal": compare.equal,
    "equal_paid": equal_paid,
    "float": float,
    "greater": compare.greater,
    "greater_equal": compare.greater_equal,
    "has": has,
    "index": index,
    "insert": insert,
    "insert_entry": insert_entry,
    "int": int,
    "keys_of": keys_of,
    "len": len,
    "less": compare.less,
    "less_equal": compare.less_equal,
    "list": list,
    "logical_not": logical_not,
    "map_of": map_of,
    "modulo": arithmetic.modulo,
    "multiply": arithmetic.multiply,
    "negate": arithmetic.negate,
    "optional_entry": optional_entry,
    "optional_index": optional_index,
    "optional_select": optional_select,
    "overflow": overflow,
    "pairs_of": pairs_of,
    "present": present,
    "range_of": range_of,
    "select": select,
    "size": size,
    "str": str,
    "subtract": arithmetic.subtract,
    "type": type,
    "type_of": type_of,
    "units": compare.units,
}
