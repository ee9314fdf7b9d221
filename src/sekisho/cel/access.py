"""Fields, keys and indices of values: ``a.b``, ``a[b]``, ``has(a.b)``, and their optional forms."""

from __future__ import annotations

from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.values import NONE, OpaqueValue, Optional, UInt, Value, key_of

_MISSING: Final = object()


def shown(key: Value) -> str:
    """A key as cel-go's messages write it."""
    if key is None:
        return "null"
    if type(key) is bool:
        return "true" if key else "false"
    if type(key) is float:
        return f"{key:.6f}".rstrip("0").rstrip(".") if key.is_integer() else repr(key)
    if type(key) is UInt:
        return str(int(key))
    return str(key)


def _no_key(key: Value) -> CelError:
    return CelError(f"no such key: {shown(key)}")


def select(value: Value, field: str) -> Value:
    """``value.field``."""
    if isinstance(value, dict):
        found = value.get(field, _MISSING)
        if found is not _MISSING:
            return found
    elif isinstance(value, OpaqueValue):
        try:
            return value.get_field(field)
        except KeyError:
            pass
    elif isinstance(value, Optional):
        return optional_select(value, field)
    elif isinstance(value, list | tuple):
        raise CelError("unsupported index type 'string' in list")
    raise _no_key(field)


def has(value: Value, field: str) -> bool:
    """``has(value.field)``. False for values that have no fields at all, as in cel-go."""
    if isinstance(value, dict):
        return field in value
    if isinstance(value, OpaqueValue):
        return value.has_field(field)
    if isinstance(value, Optional):
        return value.present and has(value.value, field)
    if isinstance(value, list | tuple):
        raise CelError("unsupported index type 'string' in list")
    return False


def index(value: Value, key: Value) -> Value:
    """``value[key]``."""
    if isinstance(value, list | tuple):
        at = _position(key)
        if 0 <= at < len(value):
            return value[at]
        raise CelError(f"index out of bounds: {shown(key)}")
    if isinstance(value, dict):
        form = key_of(key)
        if form is not None:
            found = value.get(form, _MISSING)
            if found is not _MISSING:
                return found
    elif isinstance(value, Optional):
        return optional_index(value, key)
    elif isinstance(value, OpaqueValue) and type(key) is str:
        return select(value, key)
    raise _no_key(key)


def _position(key: Value) -> int:
    """The index into a list that a key is."""
    kind = type(key)
    if kind is int or kind is UInt:
        return int(key)
    if kind is float:
        if key.is_integer():
            return int(key)
        raise CelError(f"unsupported index value {key} in list")
    name = {str: "string", bool: "bool", type(None): "null_type", bytes: "bytes"}.get(kind, "dyn")
    raise CelError(f"unsupported index type '{name}' in list")


def optional_select(value: Value, field: str) -> Optional:
    """``value.?field``."""
    if isinstance(value, Optional):
        if not value.present:
            return NONE
        value = value.value
    if isinstance(value, dict):
        found = value.get(field, _MISSING)
        return NONE if found is _MISSING else Optional(found)
    if isinstance(value, OpaqueValue):
        return Optional(value.get_field(field)) if value.has_field(field) else NONE
    if isinstance(value, list | tuple):
        raise CelError("unsupported index type 'string' in list")
    return NONE


def optional_index(value: Value, key: Value) -> Optional:
    """``value[?key]``."""
    if isinstance(value, Optional):
        if not value.present:
            return NONE
        value = value.value
    if isinstance(value, list | tuple):
        at = _position(key)
        return Optional(value[at]) if 0 <= at < len(value) else NONE
    if isinstance(value, dict):
        form = key_of(key)
        found = _MISSING if form is None else value.get(form, _MISSING)
        return NONE if found is _MISSING else Optional(found)
    if isinstance(value, OpaqueValue) and type(key) is str:
        return optional_select(value, key)
    return NONE
