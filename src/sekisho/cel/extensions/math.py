"""The math library of cel-go, versions 0 to 2. Facts from cel-go's ``ext/math.go``.

Version 1 brought rounding, signs and bits, 2 the square root. Kubernetes does not have it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from sekisho.cel.compare import compare
from sekisho.cel.errors import CelError, no_such_overload
from sekisho.cel.extensions.order import comparable
from sekisho.cel.functions import Overload
from sekisho.cel.library import Expander, Library, Macro
from sekisho.cel.nodes import Call, Ident, ListNode, Literal, MapNode, Node, StructNode
from sekisho.cel.standard.rows import Row
from sekisho.cel.types import BOOL, DOUBLE, DYN, INT, UINT, CelType, list_of
from sekisho.cel.values import INT_MAX, INT_MIN, UINT_MAX, UInt, Value

LATEST: Final = 2
"""The newest version."""

_NUMBERS: Final = (int, UInt, float)


# --- the least and the greatest ---------------------------------------------------------------------------


def _identity(value: Value) -> Value:
    return value


def _pick(name: str, wins: int) -> tuple[Callable[..., Value], Callable[..., Value]]:
    """Functions that pick one of two values, or one of a list: the later one, if it ``wins``."""

    def pair(first: Value, second: Value) -> Value:
        if not comparable(first):
            raise no_such_overload()
        try:
            return second if compare(first, second) == wins else first
        except CelError as error:
            raise CelError(f"{error.message}: {name}") from None

    def listed(items: Sequence[Value]) -> Value:
        if not items:
            raise CelError(f"{name}(list) argument must not be empty")
        best = items[0]
        if type(best) not in _NUMBERS:
            raise no_such_overload(name, items)
        for item in items[1:]:
            best = pair(best, item)
        return best

    return pair, listed


def _extreme(short: str, wins: int) -> list[Overload]:
    """The rows of ``math.@min`` or ``math.@max``."""
    function = f"math.@{short}"
    pair, listed = _pick(function, wins)
    kinds = (DOUBLE, INT, UINT)
    rows = [
        Overload(id=f"math_@{short}_{a.name}", function=function, params=(a,), result=a, call=_identity)
        for a in kinds
    ]
    rows += [
        Overload(
            id=f"math_@{short}_{a.name}_{b.name}",
            function=function,
            params=(a, b),
            result=a if a is b else DYN,
            call=pair,
        )
        for a in kinds
        for b in kinds
    ]
    rows += [
        Overload(
            id=f"math_@{short}_list_{a.name}",
            function=function,
            params=(list_of(a),),
            result=a,
            call=listed,
        )
        for a in kinds
    ]
    return rows


# --- rounding, signs, bits --------------------------------------------------------------------------------


def _rounding(function: Callable[[float], float]) -> Callable[[float], float]:
    """A function on numbers that leaves NaN and the infinities as they are."""

    def run(value: float) -> float:
        return math.copysign(float(function(value)), value) if math.isfinite(value) else value

    return run


def _half_away(value: float) -> float:
    """Rounded to the nearest whole number, halves away from zero."""
    whole = math.trunc(value)
    return whole + math.copysign(1, value) if abs(value - whole) >= 0.5 else whole


def _absolute(value: int) -> int:
    if value == INT_MIN:
        raise CelError("integer overflow")
    return abs(value)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _sign_of_double(value: float) -> float:
    return value if math.isnan(value) else float((value > 0) - (value < 0))


def _square_root(value: float) -> float:
    if math.isnan(value) or value < 0:
        return math.nan
    return math.sqrt(value)


def _wrapped(value: int) -> int:
    """The lowest 64 bits as a signed integer."""
    value &= UINT_MAX
    return value - (UINT_MAX + 1) if value > INT_MAX else value


def _shift(name: str, function: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def run(value: int, places: int) -> int:
        if places < 0:
            raise CelError(f"math.{name}() negative offset: {places}")
        return function(value & UINT_MAX, min(places, 64))

    return run


_LEFT: Final = _shift("bitShiftLeft", lambda value, places: value << places)
_RIGHT: Final = _shift("bitShiftRight", lambda value, places: value >> places)


def _int(function: Callable[..., int]) -> Callable[..., int]:
    return lambda *args: _wrapped(function(*args))


def _uint(function: Callable[..., int]) -> Callable[..., UInt]:
    return lambda *args: UInt(function(*args) & UINT_MAX)


def _is_finite(value: float) -> bool:
    return math.isfinite(value)


def _row(name: str, signature: Row, call: Callable[..., Any], note: str) -> Overload:
    id, params, result = signature
    return Overload(
        id=f"math_{id}", function=f"math.{name}", params=params, result=result, call=call, note=note
    )


def _of(name: str, result: CelType, *params: CelType) -> Row:
    """A signature whose id is made of the types."""
    return "_".join((name, *(kind.name for kind in params))), params, result


_VERSION_1: Final = (
    _row("ceil", _of("ceil", DOUBLE, DOUBLE), _rounding(math.ceil), "the next whole number up"),
    _row("floor", _of("floor", DOUBLE, DOUBLE), _rounding(math.floor), "the next whole number down"),
    _row(
        "round",
        _of("round", DOUBLE, DOUBLE),
        _rounding(_half_away),
        "the nearest whole number, halves away from zero",
    ),
    _row("trunc", _of("trunc", DOUBLE, DOUBLE), _rounding(math.trunc), "without the fraction"),
    _row("isInf", _of("isInf", BOOL, DOUBLE), math.isinf, "whether it is an infinity"),
    _row("isNaN", _of("isNaN", BOOL, DOUBLE), math.isnan, "whether it is not a number"),
    _row("isFinite", _of("isFinite", BOOL, DOUBLE), _is_finite, "whether it is a number and no infinity"),
    _row("abs", _of("abs", DOUBLE, DOUBLE), abs, "without its sign"),
    _row("abs", _of("abs", INT, INT), _absolute, "without its sign; the smallest has no counterpart"),
    _row("abs", _of("abs", UINT, UINT), _identity, "itself"),
    _row("sign", _of("sign", DOUBLE, DOUBLE), _sign_of_double, "-1.0, 0.0, 1.0 or NaN"),
    _row("sign", _of("sign", INT, INT), _sign, "-1, 0 or 1"),
    _row("sign", _of("sign", UINT, UINT), _uint(_sign), "0u or 1u"),
    _row("bitAnd", _of("bitAnd", INT, INT, INT), _int(int.__and__), "bits that both have"),
    _row("bitAnd", _of("bitAnd", UINT, UINT, UINT), _uint(int.__and__), "bits that both have"),
    _row("bitOr", _of("bitOr", INT, INT, INT), _int(int.__or__), "bits that one has"),
    _row("bitOr", _of("bitOr", UINT, UINT, UINT), _uint(int.__or__), "bits that one has"),
    _row("bitXor", _of("bitXor", INT, INT, INT), _int(int.__xor__), "bits that just one has"),
    _row("bitXor", _of("bitXor", UINT, UINT, UINT), _uint(int.__xor__), "bits that just one has"),
    _row("bitNot", ("bitNot_int_int", (INT,), INT), _int(int.__invert__), "bits turned over"),
    _row("bitNot", ("bitNot_uint_uint", (UINT,), UINT), _uint(int.__invert__), "bits turned over"),
    _row("bitShiftLeft", _of("bitShiftLeft", INT, INT, INT), _int(_LEFT), "moved left, zeros follow"),
    _row("bitShiftLeft", _of("bitShiftLeft", UINT, UINT, INT), _uint(_LEFT), "moved left, zeros follow"),
    _row(
        "bitShiftRight",
        _of("bitShiftRight", INT, INT, INT),
        _int(_RIGHT),
        "moved right, zeros follow, whatever the sign",
    ),
    _row("bitShiftRight", _of("bitShiftRight", UINT, UINT, INT), _uint(_RIGHT), "moved right, zeros follow"),
)

_VERSION_2: Final = tuple(
    _row("sqrt", _of("sqrt", DOUBLE, kind), _square_root, "the square root; NaN of what is negative")
    for kind in (DOUBLE, INT, UINT)
)


# --- the macros -------------------------------------------------------------------------------------------


def _may_be_number(node: Node) -> bool:
    """Whether a node may be a number: literals of other types are not, nor are lists, maps and structs."""
    if isinstance(node, Literal):
        return type(node.value) in _NUMBERS
    return not isinstance(node, ListNode | MapNode | StructNode)


def _expand_extreme(name: str, function: str) -> Callable[..., Node | None]:
    """``math.least(a, b, …)`` calls ``math.@min`` on a number, two numbers, or a list."""

    def expand(expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]) -> Node | None:
        if not isinstance(target, Ident) or target.name != "math":
            return None
        if not args:
            return expander.error(f"math.{name}() requires at least one argument", target)

        def becomes(operands: list[Node]) -> Node:
            return Call(function=function, args=operands, start=call.start, end=call.end, first=call.first)

        if len(args) == 1:
            [only] = args
            listed = isinstance(only, ListNode) and only.elements and all(map(_may_be_number, only.elements))
            if not listed and not _may_be_number(only):
                return expander.error(f"math.{name}() invalid single argument value", only)
            return becomes([only])
        for arg in args:
            if not _may_be_number(arg):
                return expander.error(f"math.{name}() simple literal arguments must be numeric", arg)
        if len(args) == 2:
            return becomes(list(args))
        listed_args = ListNode(elements=list(args), start=call.start, end=call.end, first=call.first)
        return becomes([listed_args])

    return expand


_MACROS: Final = (
    Macro(name="least", arguments=-1, member=True, expand=_expand_extreme("least", "math.@min")),
    Macro(name="greatest", arguments=-1, member=True, expand=_expand_extreme("greatest", "math.@max")),
)


def maths(version: int = LATEST) -> Library:
    """The library in a version."""
    rows = (
        *_extreme("min", 1),
        *_extreme("max", -1),
        *(_VERSION_1 if version >= 1 else ()),
        *(_VERSION_2 if version >= 2 else ()),
    )
    return Library(name="cel.lib.ext.math", overloads=rows, macros=_MACROS, version=version)
