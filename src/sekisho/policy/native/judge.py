"""What a template's CEL says of a request, for one constraint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Limit, Path, Source
from sekisho.kube.review import Operation, Request
from sekisho.policy.expressions import (
    Compile,
    Compiled,
    Compiler,
    Decision,
    Inputs,
    evaluate,
    explained,
    fault_path,
    mentions,
    namespace_value,
    plain_compile,
    request_value,
)
from sekisho.policy.native.source import MADE
from sekisho.policy.native.source import Source as NativeSource

ONLY_AT_ADMISSION: Final = ("operation", "oldObject", "userInfo")
"""Names in expressions whose values only admission fills in."""

SECRET: Final = "Secret"  # noqa: S105 - a kind
"""The kind whose objects are explained without values: reports end up in logs."""

BUDGET: Final = Limit("the cost of a constraint", 1_000_000, "units", "as Gatekeeper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What one validation says; how to find the field that it is about, and to explain a finding."""

    message: str
    path: Callable[[], Path]
    explain: Callable[[Diagnostic], Diagnostic]
    problem: Diagnostic | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """A template's compiled CEL."""

    source: NativeSource
    compiled: Compiled

    @classmethod
    def compile(cls, source: NativeSource, compile: Compile | None = None) -> Native:
        """Compile; raises DiagnosticError with all that is wrong with the expressions."""
        compiled = Compiler(source.expressions(), compile=compile or plain_compile).policy()
        return cls(source=source, compiled=compiled)

    @property
    def may_differ(self) -> tuple[str, ...]:
        """The fields of the request that only admission fills in and that expressions read."""
        own = [text for text in self.compiled.written.texts() if text not in MADE.values()]
        return tuple(name for name in ONLY_AT_ADMISSION if any(mentions(text, name) for text in own))

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of its expressions, which findings may point into."""
        return self.compiled.sources

    def violations(self, request: Request, constraint: Any, deadline: Deadline | None) -> list[Violation]:
        """The violations of a constraint, whose raw object is the params."""
        inputs = _inputs(request, constraint, deadline)
        outcome = evaluate(self.compiled, inputs, BUDGET.value)
        return [
            Violation(
                message=decision.message,
                path=_finder(self.compiled, decision, inputs),
                explain=_explainer(self.compiled, decision, inputs),
                problem=_problem(decision.problem),
            )
            for decision in outcome.decisions
            if decision.denies
        ]


def _problem(error: DiagnosticError | None) -> Diagnostic | None:
    return error.diagnostics[0] if error is not None else None


def _finder(compiled: Compiled, decision: Decision, inputs: Inputs) -> Callable[[], Path]:
    if decision.expression is None:
        return lambda: ()
    return lambda: fault_path(compiled, decision.index, inputs)


def _explainer(compiled: Compiled, decision: Decision, inputs: Inputs) -> Callable[[Diagnostic], Diagnostic]:
    if decision.expression is None:
        return lambda finding: finding
    values = inputs.request["kind"]["kind"] != SECRET
    return lambda finding: explained(finding, compiled, decision.index, inputs, values=values)


def _inputs(request: Request, constraint: Any, deadline: Deadline | None) -> Inputs:
    deleted = request.operation is Operation.DELETE
    object, old = request.object, request.old_object
    return Inputs(
        object=None if deleted or object is None else object.raw,
        old_object=old.raw if old is not None else None,
        request=request_value(request, request.resource, request.kind, request.namespace),
        params=constraint,
        namespace=namespace_value(request.namespace_object),
        deadline=deadline,
    )
