"""The chain behind every decision: mutating reviewers in order, then validating ones, then enforcement.

``decide`` runs pure judges without an event loop; ``review`` runs reviewers that may wait, the validating
ones at the same time. Both are thin: the one generator ``_course`` decides what is asked next and what the
answers come to.

Any deny denies. What could not be asked is neither yes nor no: the step's failure policy says whether it
counts (FAIL) or is passed over with a warning (IGNORE). A reviewer that raises could not be asked.

After each patch the built-in defaults are filled in again, as kube-apiserver does it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Level
from sekisho.kube import codes, patch
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.review.enforce import NO_RULES, Rules, enforce, subject_of
from sekisho.kube.review.record import record_of
from sekisho.kube.review.request import Request
from sekisho.kube.review.verdict import Finding, Judge, Outcome, Reviewer, Verdict, outcome_of

if TYPE_CHECKING:
    from sekisho.kube.breakglass import BreakGlass
    from sekisho.kube.object import Object, OwnerReference
    from sekisho.kube.owner import Lookup
    from sekisho.kube.subject import Subject

C = TypeVar("C", Judge, Reviewer)


class FailurePolicy(Enum):
    """What becomes of a request that a step could not be asked about. Words of Kubernetes' webhooks."""

    FAIL = "Fail"
    IGNORE = "Ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[C]):
    """A reviewer's place in the chain."""

    name: str
    call: C
    mutating: bool = False
    failure: FailurePolicy = FailurePolicy.FAIL


class PureReviewer:
    """A Reviewer around a pure judge, which never waits."""

    __slots__ = ("_judge",)

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def review(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        """Judge at once."""
        return self._judge(request, now=now, deadline=deadline)


def decide(
    steps: Sequence[Step[Judge]],
    request: Request,
    *,
    now: datetime,
    deadline: Deadline,
    rules: Rules = NO_RULES,
    recorded: bool = True,
) -> Verdict:
    """The verdict of the whole chain, from pure judges; with a decision record if it is ``recorded``."""
    course = _course(steps, request, rules, now, recorded=recorded)
    try:
        batch, asked = next(course)
        while True:
            batch, asked = course.send([_judged(step, asked, now=now, deadline=deadline) for step in batch])
    except StopIteration as stop:
        return _result(stop)


async def review(
    steps: Sequence[Step[Reviewer]],
    request: Request,
    *,
    now: datetime,
    deadline: Deadline,
    rules: Rules = NO_RULES,
) -> Verdict:
    """The verdict of the whole chain, from reviewers that may wait."""
    import asyncio

    course = _course(steps, request, rules, now)
    try:
        batch, asked = next(course)
        while True:
            answers = await asyncio.gather(
                *(_reviewed(step, asked, now=now, deadline=deadline) for step in batch)
            )
            batch, asked = course.send(answers)
    except StopIteration as stop:
        return _result(stop)


def _result(stop: StopIteration) -> Verdict:
    verdict = stop.value
    assert isinstance(verdict, Verdict), "the course returns a verdict"
    return verdict


def _judged(step: Step[Judge], request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
    if deadline.passed():
        return _out_of_time(step.name)
    try:
        return step.call(request, now=now, deadline=deadline)
    except Exception as error:  # noqa: BLE001 - whatever it is, the question was not answered
        return _failed(step.name, error)


async def _reviewed(step: Step[Reviewer], request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
    import asyncio

    if deadline.passed():
        return _out_of_time(step.name)
    scope = asyncio.timeout(deadline.remaining())
    try:
        async with scope:
            return await step.call.review(request, now=now, deadline=deadline)
    except Exception as error:  # noqa: BLE001 - whatever it is, the question was not answered
        return _out_of_time(step.name) if scope.expired() else _failed(step.name, error)


def _out_of_time(name: str) -> Verdict:
    message = f"{name} could not judge the object: no time was left"
    return Verdict.could_not_ask(Diagnostic(code=codes.OUT_OF_TIME, message=message))


def _failed(name: str, error: Exception) -> Verdict:
    """A reviewer that raises could not be asked. The error's text may hold a secret and goes to the log."""
    if isinstance(error, DiagnosticError):
        return Verdict.could_not_ask(error.diagnostics)
    import logging

    logging.getLogger(__name__).error("%s failed", name, exc_info=error)
    kind = type(error).__name__
    message = f"{name} failed: {kind}"
    data = {"reviewer": name, "exception": kind}
    return Verdict.could_not_ask(Diagnostic(code=codes.REVIEWER_FAILED, message=message, data=data))


@dataclass(slots=True)
class _Answers:
    """What has been answered so far."""

    findings: list[Finding] = field(default_factory=list)
    refused: bool = False
    """A step denied for a reason that is no finding, so nothing can lower it."""
    failures: list[Diagnostic] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    operations: list[Any] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    evidence: list[Any] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    moments: list[datetime] = field(default_factory=list)
    snapshots: dict[str, str] = field(default_factory=dict)
    defaulted: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
    """The object before and after the defaults that the last patch gave rise to."""

    def patched(self, operations: Sequence[Mapping[str, Any]]) -> None:
        """Add a patch.

        One that follows defaults may be about them, so these go before it. Those of the last patch are left
        to whoever applies it, as with any webhook.
        """
        if self.defaulted is not None:
            self.operations += patch.create(*self.defaulted)
            self.defaulted = None
        self.operations += operations

    def take(self, step: Step[C], verdict: Verdict) -> bool:
        """Add an answer; false if the step had to be asked and could not."""
        self.findings += verdict.findings
        self.warnings += verdict.warnings
        self.evidence += verdict.evidence
        self.reads |= verdict.reads
        self.annotations = {**verdict.audit_annotations, **self.annotations}
        if verdict.expires:
            self.moments.append(verdict.expires)
        if verdict.snapshot:
            self.snapshots[step.name] = verdict.snapshot
        if verdict.outcome is Outcome.COULD_NOT_ASK:
            return self._fail(step, verdict.failures)
        if verdict.outcome is Outcome.DENY and outcome_of(verdict.findings) is Outcome.ALLOW:
            self.refused = True
            self.failures += verdict.failures
        return True

    def _fail(self, step: Step[C], failures: Sequence[Diagnostic]) -> bool:
        if not failures:
            message = f"{step.name} could not judge the object"
            failures = (Diagnostic(code=codes.COULD_NOT_ASK, message=message),)
        if step.failure is FailurePolicy.FAIL:
            self.failures += failures
            return False
        self.passed_over.append(step.name)
        self.warnings += [f"{failure.code}: {failure.message}" for failure in failures]
        self.failures += [replace(failure, level=Level.WARNING) for failure in failures]
        return True


_Course = Generator[tuple[Sequence[Step[C]], Request], Sequence[Verdict], Verdict]


def _course(
    steps: Sequence[Step[C]], request: Request, rules: Rules, now: datetime, *, recorded: bool = True
) -> _Course[C]:
    """Yield what to ask next (steps that may run at the same time, and the request); take the answers."""
    answers = _Answers()
    complete = True
    for step in steps:
        if step.mutating:
            (verdict,) = yield (step,), request
            request, complete = _mutate(step, verdict, request, answers)
            if not complete:
                break
    if complete:
        # An object that a mutating reviewer should have changed is not worth judging without the change.
        batch = tuple(step for step in steps if not step.mutating)
        verdicts = yield batch, request
        for step, verdict in zip(batch, verdicts, strict=True):
            complete &= answers.take(step, verdict)
    verdict = _conclude(answers, request, rules, now, complete=complete)
    if not recorded:
        return verdict
    return replace(verdict, record=record_of(request, verdict, now, answers.snapshots))


def _mutate(step: Step[C], verdict: Verdict, request: Request, answers: _Answers) -> tuple[Request, bool]:
    """The request with the verdict's patch applied; a patch that does not fit is a failure of the step."""
    if verdict.patch and verdict.outcome is not Outcome.COULD_NOT_ASK:
        try:
            patched = _patched(step.name, verdict, request)
        except DiagnosticError as error:
            verdict = replace(verdict, outcome=Outcome.COULD_NOT_ASK, failures=error.diagnostics)
        else:
            answers.patched(verdict.patch)
            request = _with_defaults(patched, answers)
    return request, answers.take(step, verdict)


def _with_defaults(request: Request, answers: _Answers) -> Request:
    """The request with the defaults of what a patch added, as kube-apiserver fills them in after each one."""
    object = request.object
    assert object is not None, "a patched object is there"
    whole = apply_defaults(object)
    if whole is object:
        return request
    answers.defaulted = (object.raw, whole.raw)
    return request.with_object(whole)


def _patched(name: str, verdict: Verdict, request: Request) -> Request:
    object = request.object
    if object is None:
        message = f"{name} patches an object that is being deleted"
        raise DiagnosticError(Diagnostic(code=codes.PATCH_FAILED, message=message))
    raw = patch.apply(object.raw, verdict.patch)
    if not isinstance(raw, dict):
        message = f"{name} patches the object away"
        raise DiagnosticError(Diagnostic(code=codes.PATCH_FAILED, message=message))
    return request.with_object(object.replaced(raw))


def _conclude(answers: _Answers, request: Request, rules: Rules, now: datetime, *, complete: bool) -> Verdict:
    """Enforce the findings and say what the answers come to."""
    subject = subject_of(request, owner_key=rules.owner_key, lookup=_noted(rules.lookup, answers.reads))
    enforced = enforce(answers.findings, subject, rules, now=now)
    if enforced.expires:
        answers.moments.append(enforced.expires)
    if rules.any and request.namespace_object:
        answers.reads.add(f"labels {subject.namespace}")
    outcome = Outcome.DENY if answers.refused else outcome_of(enforced.findings)
    glass: BreakGlass | None = None
    if outcome is Outcome.ALLOW and not complete:
        glass = _for_everything(rules.break_glass, subject, now)
        outcome = Outcome.ALLOW if glass else Outcome.COULD_NOT_ASK
    if glass:
        answers.moments.append(glass.expires)
        answers.warnings += [f"{failure.code}: {failure.message}" for failure in answers.failures]
        answers.failures = [replace(failure, level=Level.WARNING) for failure in answers.failures]
    return Verdict(
        outcome=outcome,
        findings=enforced.findings,
        failures=tuple(answers.failures),
        warnings=tuple(answers.warnings),
        patch=tuple(answers.operations),
        audit_annotations={**answers.annotations, **_annotations(answers, enforced.findings, glass)},
        evidence=tuple(answers.evidence),
        reads=frozenset(answers.reads),
        expires=min(answers.moments, default=None),
    )


def _noted(lookup: Lookup | None, reads: set[str]) -> Lookup | None:
    """The same lookup, which writes down what it is asked for."""
    if lookup is None:
        return None

    def noting(owner: OwnerReference, namespace: str) -> Object | None:
        assert lookup is not None, "narrowed above"
        reads.add(f"object {owner.api_version} {owner.kind} {namespace or '*'} {owner.name}")
        return lookup(owner, namespace)

    return noting


def _for_everything(glass: Sequence[BreakGlass], subject: Subject, now: datetime) -> BreakGlass | None:
    """The BreakGlass that admits what could not be judged: one that is not about certain policies only."""
    found = [item for item in glass if not item.policies and item.in_force(now) and item.covers(subject)]
    return max(found, key=lambda item: (item.expires, item.name), default=None)


FAILED_OPEN: Final = "failed-open"
BROKEN_GLASS: Final = "break-glass"
WAIVED: Final = "waived"


def _annotations(answers: _Answers, findings: Sequence[Finding], glass: BreakGlass | None) -> dict[str, str]:
    """What the audit log keeps. Keys hold no slash: the API server puts the webhook's name before them."""
    broken = {finding.break_glass for finding in findings if finding.break_glass}
    if glass:
        broken.add(glass.name)
    waived = {finding.waiver for finding in findings if finding.waiver}
    rows = {
        FAILED_OPEN: answers.passed_over,
        BROKEN_GLASS: sorted(broken),
        WAIVED: sorted(waived),
    }
    return {key: ",".join(names) for key, names in rows.items() if names}
