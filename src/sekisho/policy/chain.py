"""The steps of the chain of ``kube.review`` that an engine makes: mutate, then judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sekisho.diag import Deadline, Diagnostic, ObjectPath, path_text
from sekisho.kube.ladder import Rung
from sekisho.kube.review import Finding, Judge, Operation, Request, Step, Verdict
from sekisho.policy.config import MUTATION
from sekisho.policy.constraint import WEBHOOK
from sekisho.policy.engine import Engine
from sekisho.policy.external import Session
from sekisho.policy.findings import with_session
from sekisho.policy.match import Subject
from sekisho.policy.mutation import Change, Occasion

if TYPE_CHECKING:
    from sekisho.policy.mutation import Mutator
    from sekisho.policy.watch import Watch


def steps(
    engine: Engine, *, point: str = WEBHOOK, positions: bool = True, watch: Watch | None = None
) -> tuple[Step[Judge], ...]:
    """What the chain asks, in order; a step that would have nothing to do is left out.

    ``point`` is the enforcement point: admission's, which ``check`` asks for too, or the audit's. Without
    ``positions`` findings are about the object as a whole: what only counts objects does without the second
    evaluation that finds the fields, which takes longer than the first.
    Steps of ``engine.asking()`` are for one review, and ask each provider for each key once in all; so are
    those with a ``watch``, which takes down how long each constraint took.
    """
    rows: list[Step[Judge]] = []
    if engine.mutators.mutators:
        rows.append(Step(name="mutation", call=Mutating(engine), mutating=True))
    if engine.constraints:
        judge = partial(engine.judge, point=point, positions=positions, watch=watch)
        rows.append(Step(name="policy", call=judge))
    if engine.vap is not None and engine.vap.any:
        from sekisho.policy.vap import Judge as AdmissionJudge

        rows.append(
            Step(
                name="validating-admission-policy",
                call=AdmissionJudge(engine.vap, positions=positions, explains=engine.explains),
            )
        )
    return tuple(rows)


class Mutating:
    """The judge that mutates: its verdict has the patch, and who changed what as evidence."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        """Mutate the object; raises DiagnosticError where that cannot be done."""
        object, engine = request.object, self._engine.asking()
        if object is None or request.operation is Operation.DELETE or engine.excludes(MUTATION, request):
            return Verdict()
        mutation = engine.mutators.mutate(
            Subject(object=object, namespace=engine.namespace_of(request)),
            Occasion(
                operation=request.operation,
                username=request.user.username,
                providers=engine.providers,
                deadline=deadline,
            ),
        )
        warnings = (Finding.of(warning, Rung.WARN) for warning in mutation.warnings)
        evidence = tuple(_evidence(change) for change in mutation.changes)
        selected = any(_selects_namespaces(row) for row in engine.mutators.mutators)
        reads = frozenset({f"labels {request.namespace}"} if selected and request.namespace else ())
        verdict = Verdict.of(warnings, patch=mutation.patch, evidence=evidence, reads=reads)
        if isinstance(engine.providers, Session) and engine.providers.asked:
            verdict = replace(verdict, expires=now)
        return with_session(verdict, engine.providers)


def _selects_namespaces(mutator: Mutator) -> bool:
    match = mutator.object.get("spec", "match")
    return isinstance(match, Mapping) and match.get("namespaceSelector") is not None


def with_mutators(finding: Diagnostic, verdict: Verdict, engine: Engine) -> Diagnostic:
    """A finding of the chain, with a note for each mutator that set what it is about."""
    if not isinstance(finding.at, ObjectPath):
        return finding
    path = path_text(finding.at.path)
    names = dict.fromkeys(
        str(row["mutator"])
        for row in verdict.evidence
        if "mutator" in row and _within(path, str(row["path"]))
    )
    for mutator in engine.mutators.mutators:
        if mutator.policy in names:
            finding = finding.with_note(f"{mutator.policy} set this", mutator.object.at("spec", "location"))
    return finding


def _within(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))


def _evidence(change: Change) -> Mapping[str, Any]:
    """Who changed which field; not its values, which may be secrets."""
    return {"mutator": change.mutator.policy, "path": path_text(change.path)}
