"""Rego values as plain Python.

========  =====================================================================================
Rego      Python
========  =====================================================================================
null      ``None``
boolean   ``bool`` (never equal to a number, although Python says ``True == 1``)
number    ``int``; ``Number`` (an exact decimal) for what is written with a point or exponent;
          ``float`` only where the caller's own JSON brought one in
string    ``str``
array     ``list``
object    ``dict``: keys are ``str``, or the ``key`` of any other value
set       ``Set``
========  =====================================================================================

JSON documents are therefore Rego values as they are: input and data are used in place, never copied and
never changed. Values that Python cannot hash, or hashes wrongly, stand in sets and as object keys in the form
that ``key`` gives them; ``unkey`` is its inverse. Order: null < false < true < numbers < strings < arrays <
objects < sets (policy.md 2.2, 12).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from sekisho.lang.meter import Meter

Value: TypeAlias = Any
"""A Rego value, as the table above has it. Checked by the functions below, not by the type checker."""


class Undefined:
    """The type of ``UNDEFINED``, the outcome of an expression that has no value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()


class Number(Decimal):
    """An exact number that is not a plain integer literal. ``text`` is the spelling it was written with."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Number:
        """The number that this decimal literal denotes.

        Raises ValueError when its exponent has more than 18 digits.
        """
        try:
            self = super().__new__(cls, text)
        except InvalidOperation:
            raise ValueError(f"number too big: {text}") from None
        self.text = text
        return self


class _Guard(threading.local):
    """Stops the walks through values in this module when the evaluation that they serve must stop.

    A value may hold another one a million million times (``x := [y, y]``, forty times over), so that
    comparing it, or making its key, would never end. ``meter`` is that of the thread's evaluation; ``walked``
    counts what was looked at since it was last charged.
    """

    meter: Meter | None = None
    walked: int = 0

    def charge(self) -> None:
        """Charge what was walked."""
        walked, self.walked = self.walked, 0
        if self.meter is not None:
            self.meter.charge(walked)


GUARD: Final = _Guard()

_STRIDE: Final = 50_000
"""What is walked between two charges: some five milliseconds."""


class Key:
    """The hashable form of a value that Python cannot hash, or would take for another one."""

    __slots__ = ("_form", "_hash", "value")

    def __init__(self, value: Value, form: tuple[object, ...]) -> None:
        self.value = value
        self._form = form
        self._hash = hash(form)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not Key or self._hash != other._hash:
            return False
        _walk(len(self._form))
        return self._form == other._form

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Key({self.value!r})"


_TRUE: Final = Key(True, ("true",))
_FALSE: Final = Key(False, ("false",))


def _walk(length: int) -> None:
    GUARD.walked += length
    if GUARD.walked > _STRIDE:
        GUARD.charge()


def key(value: Value) -> Any:
    """The form in which a value stands in a ``Set`` or as the key of an object."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is Number or kind is Decimal:
        return value
    if kind is float:
        return int(value) if value.is_integer() else Number(repr(value))
    if kind is list:
        _walk(len(value))
        return Key(value, ("array", *map(key, value)))
    if kind is Set:
        return Key(value, ("set", frozenset(value.keys)))
    if kind is dict:
        _walk(len(value))
        return Key(value, ("object", frozenset(zip(value, map(key, value.values()), strict=True))))
    raise AssertionError(f"{kind.__name__} is not a Rego value")


def unkey(form: Any) -> Value:
    """The value whose ``key`` this is."""
    return form.value if type(form) is Key else form


class Set:
    """A Rego set. ``keys`` is the set of the elements' keys; iteration is in Rego's order.

    Keys of arrays and objects cost more than most uses of a set do. So elements may be given as ``pending``,
    where equal ones may stand several times; their keys are made when somebody needs them.
    """

    __slots__ = ("_keys", "_loose", "_pending", "_sorted")

    def __init__(self, keys: set[Any], pending: list[Value] | None = None) -> None:
        self._keys = keys
        self._pending = pending
        self._loose: list[Value] | None = None
        self._sorted: list[Value] | None = None

    @classmethod
    def of(cls, values: Iterable[Value]) -> Set:
        """The set of these values."""
        return cls({key(value) for value in values})

    @property
    def keys(self) -> set[Any]:
        """The elements' keys."""
        if self._pending:
            self._loose = self.loose()
            self._keys.update(map(key, self._pending))
            self._pending = None
        return self._keys

    def __contains__(self, value: Value) -> bool:
        return key(value) in self.keys

    def get(self, value: Value, default: Value) -> Value:
        """What ``set[value]`` gives: the value itself if it is an element, as ``get`` of an object does."""
        return value if key(value) in self.keys else default

    def __iter__(self) -> Iterator[Value]:
        return iter(self.sorted())

    def __len__(self) -> int:
        if self._pending and (self._keys or len(self._pending) > 1):
            return len(self.keys)
        return len(self._keys) + len(self._pending or ())

    def __eq__(self, other: object) -> bool:
        return type(other) is Set and self.keys == other.keys

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Set({self.sorted()!r})"

    def unordered(self) -> Iterator[Value]:
        """The elements, each once, in no order: for where order cannot be seen."""
        return map(unkey, self.keys)

    def loose(self) -> list[Value]:
        """The elements, maybe some of them twice: for where neither order nor number can be seen.

        The list is the same in every process; it must be left unchanged.
        """
        if self._loose is not None:
            return self._loose
        if not self._pending or self._sorted is not None:
            return self.sorted()
        if not self._keys:
            return self._pending
        return [*sort_values([unkey(k) for k in self._keys]), *self._pending]

    def sorted(self) -> list[Value]:
        """The elements in Rego's order; computed once, to be left unchanged."""
        if self._sorted is None:
            if self._pending and not self._keys and len(self._pending) == 1:
                self._sorted = self._pending
            else:
                self._sorted = sort_values([unkey(k) for k in self.keys])
        return self._sorted


class Bag:
    """Collects the elements of a set, each taken as it comes."""

    __slots__ = ("keys", "pending")

    def __init__(self) -> None:
        self.keys: set[Any] = set()
        self.pending: list[Value] = []

    def add(self, value: Value) -> None:
        """Take an element."""
        kind = type(value)
        if kind is str or kind is int:
            self.keys.add(value)
        elif kind is dict or kind is list:
            self.pending.append(value)
        else:
            self.keys.add(key(value))

    def extend(self, values: Iterable[Value]) -> None:
        """Take many elements, which may be of any kind."""
        self.pending.extend(values)

    def __len__(self) -> int:
        return len(self.keys) + len(self.pending)

    def set(self) -> Set:
        """The set of what was taken."""
        return Set(self.keys, self.pending)


_END: Final = -1  # below all ranks

_RANKS: Final = {
    type(None): 0,
    bool: 1,
    int: 2,
    Number: 2,
    Decimal: 2,
    float: 2,
    str: 3,
    list: 4,
    dict: 5,
    Set: 6,
}
NUMERIC: Final = frozenset({int, Number, Decimal, float})
"""The types of Rego numbers."""


def is_number(value: Value) -> bool:
    """Whether a value is a Rego number (a boolean is none)."""
    return type(value) in NUMERIC


def equal(a: Value, b: Value) -> bool:
    """Whether two values are the same Rego value."""
    if a is b:
        return True
    kind = type(a)
    if kind is not type(b):
        if kind in NUMERIC and type(b) in NUMERIC:
            return bool(key(a) == key(b))
        return False
    if kind is list:
        if len(a) != len(b):
            return False
        _walk(len(a))
        return all(map(equal, a, b))
    if kind is dict:
        if len(a) != len(b):
            return False
        _walk(len(a))
        for k, v in a.items():
            other = b.get(k, UNDEFINED)
            if other is UNDEFINED or not equal(v, other):
                return False
        return True
    return bool(a == b)


def compare(a: Value, b: Value) -> int:
    """Rego's total order: negative, zero or positive."""
    if a is b:
        return 0
    left, right = _RANKS[type(a)], _RANKS[type(b)]
    if left != right:
        return left - right
    if left in {1, 3}:
        return int(a > b) - int(a < b)
    if left == 2:
        a, b = key(a), key(b)
        return int(a > b) - int(a < b)
    if left == 4:
        return _compare_arrays(a, b)
    if left == 5:
        return _compare_objects(a, b)
    if left == 6:
        return _compare_arrays(a.sorted(), b.sorted())
    return 0


def _compare_arrays(a: list[Value], b: list[Value]) -> int:
    _walk(min(len(a), len(b)))
    for x, y in zip(a, b, strict=False):
        if order := compare(x, y):
            return order
    return len(a) - len(b)


def _compare_objects(a: dict[Any, Value], b: dict[Any, Value]) -> int:
    _walk(len(a) + len(b))
    left, right = sorted_keys(a), sorted_keys(b)
    for x, y in zip(left, right, strict=False):
        if order := compare(unkey(x), unkey(y)):
            return order
        if order := compare(a[x], b[y]):
            return order
    return len(left) - len(right)


def order_key(value: Value) -> tuple[Any, ...]:
    """What sorts natively as the value sorts in Rego.

    A scalar is its rank and itself; a collection its rank, its parts, and an end that is below all ranks.
    """
    out: list[Any] = []
    _flatten(value, out)
    return tuple(out)


def _flatten(value: Value, out: list[Any]) -> None:
    rank = _RANKS[type(value)]
    out.append(rank)
    if rank < 4:
        out.append(value)
        return
    _walk(len(value))
    if rank == 5:
        for k in sorted_keys(value):
            _flatten(unkey(k), out)
            _flatten(value[k], out)
    else:
        for item in value if rank == 4 else value.sorted():
            _flatten(item, out)
    out.append(_END)


def sort_values(values: list[Value]) -> list[Value]:
    """A new list in Rego's order."""
    kinds = set(map(type, values))
    if (len(kinds) == 1 and kinds <= {str, bool}) or kinds <= NUMERIC:
        return sorted(values)
    return sorted(values, key=order_key)


def sorted_keys(value: dict[Any, Value]) -> list[Any]:
    """An object's keys, in their ``key`` form, in Rego's order."""
    try:
        return sorted(value)
    except TypeError:
        return sorted(value, key=lambda k: order_key(unkey(k)))


def type_name(value: Value) -> str:
    """What ``type_name`` says of a value: null, boolean, number, string, array, object or set."""
    kind = type(value)
    return _NAMES[kind]


_NAMES: Final = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    Number: "number",
    Decimal: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    Set: "set",
}
