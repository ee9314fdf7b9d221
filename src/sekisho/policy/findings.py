"""What the engine finds, as findings: violations, and questions that could not be answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath
from sekisho.kube.ladder import Rung
from sekisho.kube.review import Finding, Outcome, Request, Verdict
from sekisho.policy import codes
from sekisho.policy.constraint import Constraint, rung_of
from sekisho.policy.external import Providers, Session, Unasked
from sekisho.policy.match import MatchError

if TYPE_CHECKING:
    from sekisho.policy.native import Violation as Native


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One violation of one constraint: what the template said, before it is placed in the object.

    ``details`` is JSON; ``element`` is the member of the template's set, as Rego has it.
    """

    constraint: Constraint
    action: str
    message: str
    details: Any
    element: Any


def violated(violation: Violation, at: ObjectPath) -> Finding:
    """The finding about a violation, at its field."""
    constraint = violation.constraint
    data = {"details": violation.details} if violation.details else {}
    diagnostic = Diagnostic(
        code=codes.VIOLATION, message=violation.message, at=at, policy=constraint.policy, data=data
    )
    return _as_finding(diagnostic, constraint, violation.action)


def violated_natively(violation: Native, constraint: Constraint, action: str, at: ObjectPath) -> Finding:
    """The finding about what a template's CEL says."""
    code = codes.VIOLATION if violation.problem is None else codes.EVALUATION
    diagnostic = Diagnostic(code=code, message=violation.message, at=at, policy=constraint.policy)
    cause = violation.problem
    if cause is not None and cause.at is not None:
        diagnostic = diagnostic.with_note(f"{cause.code.id}: the evaluation failed here", cause.at)
    finding = _as_finding(diagnostic, constraint, action)
    return replace(finding, failed=cause is not None)


def failed(constraint: Constraint, action: str, request: Request, error: DiagnosticError) -> Finding:
    """An evaluation that failed is a violation, so that nothing passes for want of an answer."""
    cause = error.diagnostics[0]
    alias = f"{cause.code.alias}: " if cause.code.alias else ""
    diagnostic = Diagnostic(
        code=codes.EVALUATION,
        message=f"{alias}{cause.message}",
        at=request.subject.at(),
        policy=constraint.policy,
        help=cause.help,
    )
    if cause.at is not None:
        diagnostic = diagnostic.with_note(f"{cause.code.id}: the evaluation failed here", cause.at)
    return replace(_as_finding(diagnostic, constraint, action), failed=True)


def unanswered(constraint: Constraint, request: Request, error: Unasked) -> tuple[Diagnostic, ...]:
    """Why a constraint could not judge an object: there is nobody to ask what it asks."""
    at, policy = request.subject.at(), constraint.policy
    return tuple(replace(row, at=at, policy=policy) for row in error.diagnostics)


def with_session(verdict: Verdict, providers: Providers | None) -> Verdict:
    """The verdict with what a session has to tell; where somebody could not be asked, so could not this."""
    if not isinstance(providers, Session):
        return verdict
    told = tuple(Finding.of(row, Rung.WARN) for row in providers.drain())
    verdict = replace(verdict, findings=(*verdict.findings, *told))
    if not providers.unasked:
        return verdict
    return replace(verdict, outcome=Outcome.COULD_NOT_ASK, failures=providers.unasked)


def autorejected(constraint: Constraint, action: str, request: Request, error: MatchError) -> Finding:
    """A match that failed rejects the object, in Gatekeeper's words."""
    namespace = request.namespace
    where = f"error matching the requested object: {request.subject.name}"
    diagnostic = Diagnostic(
        code=codes.AUTOREJECT,
        message=f"unable to match constraints: {where} :failed to run Match criteria: {error}",
        at=request.subject.at("metadata", "namespace"),
        policy=constraint.policy,
        help=f"add the Namespace {namespace} to the input" if namespace else "",
    )
    return replace(_as_finding(diagnostic, constraint, action), failed=True)


def _as_finding(diagnostic: Diagnostic, constraint: Constraint, action: str) -> Finding:
    line = f"[{constraint.object.name}] {diagnostic.message}"
    return Finding.of(diagnostic, rung_of(action), word=action, line=line)


def no_message(constraint: Constraint, element: Any) -> Diagnostic:
    """What is wrong with a member of ``violation`` that has no message."""
    got = type(element.get("msg")).__name__ if isinstance(element, dict) and "msg" in element else "nothing"
    return Diagnostic(
        code=codes.VIOLATION_SHAPE,
        message=f"violation must be a set of objects with a string msg, this has {got}",
        at=constraint.template.object.at("spec", "targets", 0),
    )
