"""JSON values as package fmt prints the ``interface{}`` that they are in Go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sekisho.lang.golang.gotext import quote


def plain(value: Any) -> str:
    """A value as ``%v`` prints it: maps in the order of their keys."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{plain(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(plain, value)) + "]"
    return "<nil>" if value is None else str(value)


def syntax(value: Any) -> str:
    """A value as ``%#v`` prints it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Mapping):
        rows = ", ".join(f"{quote(key)}:{syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{rows}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(syntax, value))}}}"
    return "interface {}(nil)" if value is None else str(value)


def type_name(value: Any) -> str:
    """The type of a value as ``%T`` prints it."""
    if isinstance(value, Mapping):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "int64" if isinstance(value, int) else "float64"
