"""The errors of one check: collected with the stage that finds them, told together.

OPA stops after the first stage that finds an error, since what later stages say is seldom independent. Here
several stages share one walk, so each error carries its stage, and only the earliest stage speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Limit, Note, Span
from sekisho.rego import codes
from sekisho.rego.nodes import Module, Node

ERRORS: Final = Limit("errors of one check", 10, "errors", "more are seldom independent")


class Stage(IntEnum):
    """The stages of a check, in the order in which their errors hide each other."""

    RESOLVE = 0
    OVERRIDES = 1
    IMPORTS = 2
    LOCALS = 3
    TEMPLATES = 4
    VOID = 5
    PRINT = 6
    METADATA = 7
    WITH = 8
    CONFLICTS = 9
    FUNCTIONS = 10
    SAFE_HEADS = 11
    SAFE_BODIES = 12
    RECURSION = 13
    TYPES = 14
    DENIED = 15
    DEPRECATED = 16


class Errors:
    """The errors found so far."""

    __slots__ = ("_found", "_limit", "_seen")

    def __init__(self, limit: int = ERRORS.value) -> None:
        self._limit = limit
        self._found: list[tuple[Stage, Diagnostic]] = []
        self._seen: set[tuple[str, int, str]] = set()

    def __bool__(self) -> bool:
        return bool(self._found)

    def enough(self) -> bool:
        """Whether more errors than these would not be told."""
        return 0 < self._limit <= len(self._found)

    def before_types(self) -> bool:
        """Whether there is an error that makes checking types pointless."""
        return any(stage < Stage.TYPES for stage, _ in self._found)

    def add(
        self,
        stage: Stage,
        code: Code,
        message: str,
        at: tuple[Module, Node],
        *,
        help: str = "",
        notes: tuple[Note, ...] = (),
        data: Mapping[str, object] | None = None,
    ) -> None:
        """Note an error at this node of this module. The same message at the same place counts once."""
        module, node = at
        mark = (module.source.name, node.start, message)
        if mark in self._seen:
            return
        self._seen.add(mark)
        span = Span(module.source, node.start, node.end)
        found = Diagnostic(code=code, message=message, at=span, help=help, notes=notes, data=data or {})
        self._found.append((stage, found))

    def stop(self) -> None:
        """End the check if there is an error: DiagnosticError with those of the earliest stage."""
        if not self._found:
            return
        first = min(stage for stage, _ in self._found)
        told = [found for stage, found in self._found if stage is first]
        if 0 < self._limit <= len(told):
            told = told[: self._limit]
            told.append(Diagnostic(code=codes.TOO_MANY, message="error limit reached"))
        raise DiagnosticError(told)
