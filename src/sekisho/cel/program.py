"""Programs: what ``compile`` gives, and how it is evaluated.

Compiled code runs first. Where it meets an error or a limit, the plain evaluator goes through the same tree
from the start: evaluation is pure, so that this can be seen in nothing but the time it takes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from sekisho.cel import codes
from sekisho.cel.environment import Environment
from sekisho.cel.errors import CelError
from sekisho.cel.image import Image, load
from sekisho.cel.state import COST, LIMITS, UNLIMITED, State
from sekisho.cel.types import CelType
from sekisho.cel.values import Value
from sekisho.diag import Code, Diagnostic, DiagnosticError, Source, Span
from sekisho.lang.meter import Exhausted, Limits, Meter

if TYPE_CHECKING:
    from sekisho.cel.nodes import Node
    from sekisho.cel.trail import Read, Step, Trail
    from sekisho.diag import Deadline

GIVES_UP: Final = (
    CelError,
    Exhausted,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    ValueError,
    ArithmeticError,
    RecursionError,
)
"""What compiled code raises when it cannot go on; the plain evaluator then says what that means."""


class Outcome(NamedTuple):
    """The value of an evaluation, and its cost in cel-go's units.

    Compiled code may count a unit too many for each comparison with an empty text; ``Program.explain`` counts
    exactly, as does every evaluation that meets an error.
    """

    value: Value
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One evaluation in detail: its outcome or error, what it read, and what the expression's parts were."""

    value: Value
    error: Diagnostic | None
    cost: int
    reads: tuple[Read, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an evaluation may use: cost in cel-go's units, and what the meter bounds; a deadline."""

    cost: int = UNLIMITED
    limits: Limits = LIMITS
    deadline: Deadline | None = None


UNBOUNDED: Final = Bounds()


class Program:
    """A compiled expression. Immutable; evaluations may run in several threads at once.

    ``type`` is the static type of its value, ``variables`` the names that an activation must have.
    """

    def __init__(
        self,
        source: Source,
        environment: Environment,
        image: Image,
        build: Callable[[], Node],
    ) -> None:
        self.source = source
        self.environment = environment
        self.image = image
        self.type: CelType = image.result
        self.variables: tuple[str, ...] = image.variables
        self._function = load(image, environment)
        self._build = build

    def eval(
        self, activation: Mapping[str, Value], *, bounds: Bounds = UNBOUNDED, meter: Meter | None = None
    ) -> Value:
        """The value. DiagnosticError (CEL15x, CEL16x) if the evaluation fails.

        ``meter`` is one that several evaluations share, in place of the limits and deadline of ``bounds``.
        """
        function = self._function
        if function is not None:
            state = State(meter, bounds.cost, bounds.limits, bounds.deadline)
            try:
                value, cost = function(state, *map(activation.__getitem__, self.variables))
            except GIVES_UP:
                pass
            else:
                if cost + state.cost <= bounds.cost:
                    return value
        return self._plainly(activation, bounds, meter, None).value

    def run(
        self, activation: Mapping[str, Value], *, bounds: Bounds = UNBOUNDED, meter: Meter | None = None
    ) -> Outcome:
        """The value and the cost. DiagnosticError as ``eval``."""
        function = self._function
        if function is not None:
            state = State(meter, bounds.cost, bounds.limits, bounds.deadline)
            try:
                value, cost = function(state, *map(activation.__getitem__, self.variables))
            except GIVES_UP:
                pass
            else:
                cost += state.cost
                if cost <= bounds.cost:
                    return Outcome(value, cost)
        return self._plainly(activation, bounds, meter, None)

    def explain(
        self, activation: Mapping[str, Value], *, bounds: Bounds = UNBOUNDED, meter: Meter | None = None
    ) -> Explanation:
        """Evaluate step by step: what was read, what the parts of the expression were, the exact cost."""
        from sekisho.cel.trail import Trail

        trail = Trail()
        value: Value = None
        error: Diagnostic | None = None
        cost = 0
        try:
            outcome = self._plainly(activation, bounds, meter, trail)
            value, cost = outcome.value, outcome.cost
        except DiagnosticError as failed:
            error = failed.diagnostics[0]
        return Explanation(
            value=value,
            error=error,
            cost=cost,
            reads=trail.reads(
                {name: activation[name] for name in self.variables if name in activation}, self.source
            ),
            steps=trail.steps(self.source),
        )

    def reads(
        self, activation: Mapping[str, Value], *, bounds: Bounds = UNBOUNDED, meter: Meter | None = None
    ) -> tuple[Read, ...]:
        """What of the variables the outcome stands on, in the order of the evaluation."""
        return self.explain(activation, bounds=bounds, meter=meter).reads

    @cached_property
    def root(self) -> Node:
        """The checked tree; a program from the cache reads its source anew for it."""
        return self._build()

    def _plainly(
        self, activation: Mapping[str, Value], bounds: Bounds, meter: Meter | None, trail: Trail | None
    ) -> Outcome:
        from sekisho.cel.plain import Evaluator

        state = State(meter, bounds.cost, limits=bounds.limits, deadline=bounds.deadline)
        presence = self.environment.options.presence_cost
        evaluator = Evaluator(activation, state, presence_cost=presence, trail=trail)
        try:
            value = evaluator.value(self.root)
        except CelError as failed:
            raise self._error(failed) from None
        except Exhausted as exhausted:
            raise self._stopped(exhausted) from None
        except RecursionError:
            message = f"evaluation is nested more than {sys.getrecursionlimit()} calls deep"
            raise self._failed(codes.LIMIT, message) from None
        return Outcome(value, state.cost)

    def _error(self, failed: CelError) -> DiagnosticError:
        code = codes.EVALUATION
        for words, known in _KNOWN:
            if failed.message.startswith(words):
                code = known
                break
        start = max(failed.offset, 0)
        return DiagnosticError(
            Diagnostic(code=code, message=failed.message, at=Span(self.source, start, start + 1))
        )

    def _stopped(self, exhausted: Exhausted) -> DiagnosticError:
        limit = exhausted.limit
        if limit is None:
            return self._failed(codes.TIME, str(exhausted))
        if limit.name == COST:
            message = f"operation cancelled: actual cost limit exceeded ({limit.value:,} units)"
            return self._failed(codes.COST, message)
        return self._failed(codes.LIMIT, str(exhausted))

    def _failed(self, code: Code, message: str) -> DiagnosticError:
        at = Span(self.source, 0, len(self.source.text))
        return DiagnosticError(Diagnostic(code=code, message=message, at=at))


_KNOWN: Final = (
    ("no such overload", codes.NO_OVERLOAD),
    ("no such key", codes.NO_KEY),
    ("index out of bounds", codes.NO_KEY),
    ("no such attribute", codes.UNBOUND),
)
