"""The state of one evaluation: documents, slots of rules, meter, what ``with`` replaced.

A ``with`` makes a new state from an old one; states are never changed by it. Slots of rules that do not see
the replacement are carried over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Source, Span
from sekisho.lang.meter import Limits, Meter
from sekisho.rego import codes
from sekisho.rego.builtins.table import Builtin, BuiltinFault
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.context import EvalContext
from sekisho.rego.values import UNDEFINED, Value

if TYPE_CHECKING:
    from sekisho.diag import Code
    from sekisho.rego.plan.tree import Node

NEW: Final = object()
"""What a slot holds before its rule is evaluated."""

Step = tuple[str, ...]
Rule = Callable[["EvalState"], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Compiled code, loaded: what evaluations of it share.

    ``positions`` are (module, start, end, label) by number. ``rules`` are the functions of the groups by
    number; those in ``functions`` take operands. ``fresh`` are the slots of a new evaluation.
    """

    sources: tuple[Source, ...]
    positions: tuple[tuple[int, int, int, str], ...]
    tree: Node
    rules: tuple[Rule, ...]
    functions: frozenset[int]
    builtins: Mapping[str, Builtin]
    capabilities: Capabilities
    limits: Limits
    fresh: tuple[object, ...] = field(default=())

    def span(self, position: int) -> Span:
        """The span of a position."""
        module, start, end, _ = self.positions[position]
        return Span(self.sources[module], start, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a caller may say of one evaluation. ``faults`` takes what built-ins refuse without ``strict``."""

    now_ns: int | None = None
    strict: bool = False
    printed: Callable[[str], None] | None = None
    notes: Callable[[str], None] | None = None
    faults: Callable[[Diagnostic], None] | None = None


DEFAULTS: Final = Options()


class EvalState:
    """One evaluation. Generated code reads ``input``, ``data``, ``slots`` and ``meter`` directly.

    ``trail`` is a ``trail.Trail`` where the code explains what it reads.
    """

    targets: tuple[Step, ...] = ()
    mocks: dict[str, tuple[bool, Any]] | None = None
    documents: dict[Step, Value] | None = None
    trail: object = None
    _context: EvalContext | None = None

    def __init__(self, loaded: Loaded, input: Value, data: Value, meter: Meter, options: Options) -> None:
        self.loaded = loaded
        self.input = input
        self.data = data
        self.meter = meter
        self.options = options
        self.slots: list[Any] = [*loaded.fresh]

    def context(self) -> EvalContext:
        """The surroundings that built-ins see; made when the first of them asks."""
        if self._context is None:
            options = self.options
            now = time.time_ns() if options.now_ns is None else options.now_ns
            self._context = EvalContext(
                now_ns=now,
                meter=self.meter,
                capabilities=self.loaded.capabilities,
                printed=options.printed,
                notes=options.notes,
            )
        return self._context

    def derive(self) -> EvalState:
        """A copy with new slots."""
        other = EvalState(self.loaded, self.input, self.data, self.meter, self.options)
        other.targets = self.targets
        other.mocks = self.mocks
        other.trail = self.trail
        other._context = self.context()
        return other


def error(code: Code, message: str, at: Span | None) -> DiagnosticError:
    """The exception that ends an evaluation."""
    return DiagnosticError(Diagnostic(code=code, message=message, at=at))


def builtin_error(state: EvalState, position: int, fault: BuiltinFault) -> DiagnosticError:
    """The exception for a built-in's refusal when errors are strict."""
    code = codes.EVAL_TYPE if fault.kind == "eval_type_error" else codes.EVAL_BUILTIN
    loaded = state.loaded
    name = loaded.positions[position][3]
    return error(code, f"{name}: {fault}", loaded.span(position))


__all__ = ["DEFAULTS", "NEW", "UNDEFINED", "EvalState", "Loaded", "Options", "builtin_error", "error"]
