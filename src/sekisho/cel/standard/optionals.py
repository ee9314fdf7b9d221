"""Optional values (cel-go's OptionalTypes)."""

from __future__ import annotations

from typing import Final

from sekisho.cel.access import optional_index
from sekisho.cel.errors import CelError
from sekisho.cel.functions import Overload
from sekisho.cel.standard.rows import LIST_A, MAP_AB, A, B, rows
from sekisho.cel.types import BOOL, INT, optional_of
from sekisho.cel.values import NANOS, NONE, Duration, Optional, Timestamp, UInt, Value

_OPTIONAL: Final = optional_of(A)

_ZEROS: Final = {
    type(None): None,
    bool: False,
    int: 0,
    UInt: UInt(0),
    float: 0.0,
    str: "",
    bytes: b"",
    Duration: Duration(0),
    Timestamp: Timestamp(-62_135_596_800 * NANOS),
}


def is_zero(value: Value) -> bool:
    """Whether a value is the zero of its type: empty, 0, false, null."""
    kind = type(value)
    if kind in _ZEROS:
        return bool(value == _ZEROS[kind])
    return isinstance(value, list | tuple | dict) and not value


def of(value: Value) -> Optional:
    """``optional.of(value)``."""
    return Optional(value)


def of_nonzero(value: Value) -> Optional:
    """``optional.ofNonZeroValue(value)``."""
    return NONE if is_zero(value) else Optional(value)


def none() -> Optional:
    """``optional.none()``."""
    return NONE


def has_value(optional: Optional) -> bool:
    """``optional.hasValue()``."""
    return optional.present


def value_of(optional: Optional) -> Value:
    """``optional.value()``."""
    if not optional.present:
        raise CelError("optional.none() dereference")
    return optional.value


def either(optional: Optional, other: Optional) -> Optional:
    """``optional.or(other)``."""
    return optional if optional.present else other


def or_value(optional: Optional, value: Value) -> Value:
    """``optional.orValue(value)``."""
    return optional.value if optional.present else value


OPTIONAL_ROWS: Final[tuple[Overload, ...]] = (
    *rows("optional.of", of, ("optional_of", (A,), _OPTIONAL)),
    *rows("optional.ofNonZeroValue", of_nonzero, ("optional_ofNonZeroValue", (A,), _OPTIONAL)),
    *rows("optional.none", none, ("optional_none", (), _OPTIONAL)),
    *rows("hasValue", has_value, ("optional_hasValue", (_OPTIONAL,), BOOL), member=True),
    *rows("value", value_of, ("optional_value", (_OPTIONAL,), A), member=True),
    *rows("or", either, ("optional_or_optional", (_OPTIONAL, _OPTIONAL), _OPTIONAL), member=True, cost=0),
    *rows("orValue", or_value, ("optional_orValue_value", (_OPTIONAL, A), A), member=True, cost=0),
    *rows(
        "_[?_]",
        optional_index,
        ("list_optindex_optional_int", (LIST_A, INT), _OPTIONAL),
        ("optional_list_optindex_optional_int", (optional_of(LIST_A), INT), _OPTIONAL),
        ("map_optindex_optional_value", (MAP_AB, A), optional_of(B)),
        ("optional_map_optindex_optional_value", (optional_of(MAP_AB), A), optional_of(B)),
    ),
    *rows(
        "_[_]",
        optional_index,
        ("optional_list_index_int", (optional_of(LIST_A), INT), _OPTIONAL),
        ("optional_map_index_value", (optional_of(MAP_AB), A), optional_of(B)),
    ),
)
