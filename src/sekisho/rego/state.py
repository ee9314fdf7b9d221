"""The state of one evaluation: documents, slots of rules, meter, what ``with`` replaced.

A ``with`` makes a new state from an old one; states are never changed by it. Slots of rules that do not see
the replacement are carried over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Source, Span
from sekisho.lang.meter import Limits, Meter
from sekisho.rego import codes
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import UNDEFINED, Value

if TYPE_CHECKING:
    import random

    from sekisho.diag import Code
    from sekisho.rego.tree import Node

NEW: Final = object()
"""What a slot holds before its rule is evaluated."""

NO_SERVICES: Final[Mapping[str, Any]] = MappingProxyType({})

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
    """What a caller may say of one evaluation. ``faults`` takes what built-ins refuse without ``strict``.

    ``services`` is what the embedder's own built-ins ask (``Capabilities.functions``), by name.
    """

    now_ns: int | None = None
    strict: bool = False
    printed: Callable[[str], None] | None = None
    notes: Callable[[str], None] | None = None
    faults: Callable[[Diagnostic], None] | None = None
    services: Mapping[str, Any] | None = None


DEFAULTS: Final = Options()


class EvalState:
    """One evaluation. Generated code reads ``input``, ``data``, ``slots`` and ``meter`` directly.

    A state is also the ``EvalContext`` that built-ins see; it is not derived from that class because a state
    is made for every evaluation, and what few built-ins ask for must cost nothing then. ``root`` is the state
    whose clock, seed and cache count. ``trail`` is a ``trail.Trail`` where the code explains what it reads.
    """

    targets: tuple[Step, ...] = ()
    mocks: dict[str, tuple[bool, Any]] | None = None
    documents: dict[Step, Value] | None = None
    trail: object = None
    root: EvalState | None = None

    def __init__(self, loaded: Loaded, input: Value, data: Value, meter: Meter, options: Options) -> None:
        self.loaded = loaded
        self.input = input
        self.data = data
        self.meter = meter
        self.options = options
        self.slots: list[Any] = [*loaded.fresh]

    @property
    def capabilities(self) -> Capabilities:
        """What built-ins may touch."""
        return self.loaded.capabilities

    @property
    def printed(self) -> Callable[[str], None] | None:
        """What takes the lines of ``print``."""
        return self.options.printed

    @property
    def notes(self) -> Callable[[str], None] | None:
        """What takes the lines of ``trace``."""
        return self.options.notes

    @property
    def services(self) -> Mapping[str, Any]:
        """What the embedder's own built-ins ask."""
        return self.options.services or NO_SERVICES

    @property
    def now_ns(self) -> int:
        """The time of the query."""
        return self._shared.now_ns

    @property
    def rng(self) -> random.Random:
        """The source of what is random."""
        return self._shared.rng

    @property
    def cache(self) -> dict[Any, Any]:
        """What nondeterministic built-ins gave in this query."""
        return self._shared.cache

    @cached_property
    def _shared(self) -> EvalContext:
        """What all states of one query share."""
        if self.root is not None:
            return self.root._shared
        now = self.options.now_ns
        return EvalContext(
            now_ns=time.time_ns() if now is None else now,
            meter=self.meter,
            capabilities=self.capabilities,
        )

    def derive(self) -> EvalState:
        """A copy with new slots."""
        other = EvalState(self.loaded, self.input, self.data, self.meter, self.options)
        other.targets = self.targets
        other.mocks = self.mocks
        other.trail = self.trail
        other.root = self.root or self
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
