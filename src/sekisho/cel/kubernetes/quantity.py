"""Kubernetes' quantity library. Facts from k8s.io/apiserver ``pkg/cel/library/quantity.go``.

Kubernetes keeps most quantities as a 64-bit integer and a power of ten, the others as decimal numbers, and
some answers depend on that: only what it keeps as an integer that needs no fraction is an integer, so
``quantity('1000m').isInteger()`` is false. What ``add`` and ``sub`` give is a quantity that Kubernetes does
not know on the right of ``==``: that comparison is an error there, and so here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from sekisho.cel.errors import CelError, no_such_overload
from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.types import BOOL, DOUBLE, INT, STRING, struct
from sekisho.cel.values import INT_MAX, INT_MIN, OpaqueValue, Value
from sekisho.kube.quantity import NANO, Format, Quantity, QuantityError, parse

QUANTITY: Final = struct("kubernetes.Quantity")

_NANO_DIGITS: Final = 9

KEPT: Final = 512
"""Quantities that are not read again: a cluster's limits and requests are the same few, over and over."""


class QuantityValue(OpaqueValue):
    """A quantity: a mantissa times ten to ``exponent``; ``large`` where the mantissa is no 64-bit integer.

    ``computed`` is what add and sub give.
    """

    __slots__ = ("computed", "exponent", "large", "quantity")
    cel_type = QUANTITY

    def __init__(
        self, quantity: Quantity, exponent: int | None, *, large: bool = False, computed: bool = False
    ) -> None:
        self.quantity = quantity
        self.exponent = -_NANO_DIGITS if exponent is None else exponent
        self.large = large or exponent is None
        self.computed = computed

    @property
    def mantissa(self) -> int:
        """The number before the power of ten."""
        return _shifted(self.quantity.nanos, -_NANO_DIGITS - self.exponent)

    def equals(self, other: Value) -> bool:
        """Whether both are the same amount; quantities equal nothing else."""
        if not isinstance(other, QuantityValue):
            return False
        if other.computed:
            raise no_such_overload()
        return self.quantity == other.quantity

    def __str__(self) -> str:
        return str(self.quantity)


def _shifted(number: int, power: int) -> int:
    """``number`` times ten to ``power``; what is cut off is zeros."""
    factor: int = 10 ** abs(power)
    return number * factor if power >= 0 else number // factor


# --- reading ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=KEPT)
def _quantity(text: str) -> QuantityValue:
    try:
        found = parse(text)
    except QuantityError as error:
        raise CelError(str(error)) from None
    if found.scale is None and abs(found.nanos) == INT_MAX * NANO:
        return QuantityValue(found, 0, large=True)  # what is greater was cut down to this, a whole number
    return QuantityValue(found, found.scale)


def _is_quantity(text: str) -> bool:
    try:
        parse(text)
    except QuantityError:
        return False
    return True


# --- questions --------------------------------------------------------------------------------------------


def _integer(value: QuantityValue) -> int | None:
    if value.large or value.exponent < 0:
        return None
    units = value.quantity.nanos // NANO
    return units if INT_MIN <= units <= INT_MAX else None


def _is_integer(value: QuantityValue) -> bool:
    return _integer(value) is not None


def _as_integer(value: QuantityValue) -> int:
    units = _integer(value)
    if units is None:
        raise CelError("cannot convert value to integer")
    return units


def _as_float(value: QuantityValue) -> float:
    """Mantissa times power of ten in doubles, as Kubernetes computes it."""
    try:
        base = float(value.mantissa)
    except OverflowError:
        base = float("inf") if value.mantissa > 0 else float("-inf")
    if value.exponent < 0:
        return base * (1.0 / 10.0**-value.exponent)
    high, low = divmod(value.exponent, 32)  # Go's powers of ten are products of two of its table's
    return base * (float(f"1e{32 * high}") * float(f"1e{low}")) if value.exponent else base


def _sign(value: QuantityValue) -> int:
    nanos = value.quantity.nanos
    return (nanos > 0) - (nanos < 0)


def _compare(left: QuantityValue, right: QuantityValue) -> int:
    a, b = left.quantity.nanos, right.quantity.nanos
    return (a > b) - (a < b)


def _is_greater(left: QuantityValue, right: QuantityValue) -> bool:
    return left.quantity > right.quantity


def _is_less(left: QuantityValue, right: QuantityValue) -> bool:
    return left.quantity < right.quantity


# --- arithmetic -------------------------------------------------------------------------------------------


def _of_int(value: int) -> QuantityValue:
    return QuantityValue(Quantity(nanos=value * NANO, format=Format.DECIMAL_EXPONENT), 0)


def _result(quantity: Quantity, left: QuantityValue, right: QuantityValue) -> QuantityValue:
    """The sum or difference of two, kept as Kubernetes keeps it."""
    large = left.large or right.large
    exponent = min(left.exponent, right.exponent)
    if not large:
        if not right.quantity:
            exponent = left.exponent
        elif not left.quantity:
            exponent = right.exponent
        scaled = [
            _shifted(side.mantissa, side.exponent - exponent) for side in (left, right) if side.quantity
        ]
        scaled.append(_shifted(quantity.nanos, -_NANO_DIGITS - exponent))
        large = not all(INT_MIN <= number <= INT_MAX for number in scaled)
    return QuantityValue(quantity, exponent, large=large, computed=True)


def _add(left: QuantityValue, right: QuantityValue) -> QuantityValue:
    return _result(left.quantity + right.quantity, left, right)


def _sub(left: QuantityValue, right: QuantityValue) -> QuantityValue:
    return _result(left.quantity - right.quantity, left, right)


def _add_int(left: QuantityValue, right: int) -> QuantityValue:
    return _add(left, _of_int(right))


def _sub_int(left: QuantityValue, right: int) -> QuantityValue:
    return _sub(left, _of_int(right))


# --- the rows ---------------------------------------------------------------------------------------------

_TWO: Final = (QUANTITY, QUANTITY)

_ROWS: Final = (
    Overload(
        id="string_to_quantity",
        function="quantity",
        params=(STRING,),
        result=QUANTITY,
        call=_quantity,
        note="500m, 1.5Gi, 1e3",
    ),
    Overload(
        id="is_quantity_string",
        function="isQuantity",
        params=(STRING,),
        result=BOOL,
        call=_is_quantity,
        note="whether quantity() takes it",
    ),
    Overload(
        id="quantity_sign",
        function="sign",
        params=(QUANTITY,),
        result=INT,
        call=_sign,
        note="-1, 0 or 1; no member: sign(q)",
    ),
    Overload(
        id="quantity_is_greater_than",
        function="isGreaterThan",
        params=_TWO,
        result=BOOL,
        call=_is_greater,
        member=True,
    ),
    Overload(
        id="quantity_is_less_than",
        function="isLessThan",
        params=_TWO,
        result=BOOL,
        call=_is_less,
        member=True,
    ),
    Overload(
        id="quantity_compare_to",
        function="compareTo",
        params=_TWO,
        result=INT,
        call=_compare,
        member=True,
        note="-1, 0 or 1",
    ),
    Overload(
        id="quantity_get_float",
        function="asApproximateFloat",
        params=(QUANTITY,),
        result=DOUBLE,
        call=_as_float,
        member=True,
        note="a double near it",
    ),
    Overload(
        id="quantity_get_int",
        function="asInteger",
        params=(QUANTITY,),
        result=INT,
        call=_as_integer,
        member=True,
        note="an error, where isInteger() is false",
    ),
    Overload(
        id="quantity_is_integer",
        function="isInteger",
        params=(QUANTITY,),
        result=BOOL,
        call=_is_integer,
        member=True,
        note="whether Kubernetes keeps it as an integer: false for 1000m and 1.0",
    ),
    Overload(
        id="quantity_add",
        function="add",
        params=_TWO,
        result=QUANTITY,
        call=_add,
        member=True,
        note="the sum, which is an error on the right of ==",
    ),
    Overload(
        id="quantity_add_int",
        function="add",
        params=(QUANTITY, INT),
        result=QUANTITY,
        call=_add_int,
        member=True,
    ),
    Overload(
        id="quantity_sub",
        function="sub",
        params=_TWO,
        result=QUANTITY,
        call=_sub,
        member=True,
        note="the difference, which is an error on the right of ==",
    ),
    Overload(
        id="quantity_sub_int",
        function="sub",
        params=(QUANTITY, INT),
        result=QUANTITY,
        call=_sub_int,
        member=True,
    ),
)

QUANTITIES: Final = Library(name="kubernetes.quantity", overloads=priced(_ROWS))
