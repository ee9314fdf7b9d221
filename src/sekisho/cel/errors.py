"""Errors of evaluation.

Functions raise ``CelError`` with cel-go's words. An error is a value of the language for ``||``, ``&&``,
``all`` and ``exists``, which may absorb it; one that nothing absorbs leaves ``Program.eval`` as a
DiagnosticError whose span is where it arose.
"""

from __future__ import annotations

from sekisho.cel.types import CelType
from sekisho.cel.values import Value, type_of


class CelError(Exception):
    """An evaluation failed. ``offset`` is where in the expression, -1 until the evaluator knows."""

    def __init__(self, message: str, offset: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def no_such_key(key: object) -> CelError:
    """A map has no such key."""
    return CelError(f"no such key: {key}")


def no_such_overload(function: str = "", *values: Value) -> CelError:
    """No overload of a function takes such values."""
    if not function:
        return CelError("no such overload")
    shown = ", ".join(shown_type(type_of(value)) for value in values)
    return CelError(f"no such overload: {function}({shown})")


def shown_type(type: CelType) -> str:
    """A type as evaluation errors write it: by its run-time name."""
    return type.name


def overflow(what: str = "integer") -> CelError:
    """A result does not fit in 64 bits."""
    return CelError(f"{what} overflow")
