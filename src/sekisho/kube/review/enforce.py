"""The one place where findings become consequences.

First the ladder (Rollouts), then Waivers, then BreakGlass: each may lower the rung of a finding, none may
raise it, and every change says so in the finding. No domain knows any of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sekisho.kube.ladder import ANNOTATION, Rung
from sekisho.kube.owner import OWNER_KEY, Lookup, owner_of
from sekisho.kube.review.request import Request
from sekisho.kube.review.verdict import Finding
from sekisho.kube.subject import Subject

if TYPE_CHECKING:
    from sekisho.diag import Diagnostic
    from sekisho.kube.breakglass import BreakGlass
    from sekisho.kube.rollout import Rollout
    from sekisho.kube.waiver import Waiver
    from sekisho.kube.waivernote import WaiverGrant


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that lowers enforcement, and how an object's owner is found. ``NO_RULES`` lowers nothing."""

    rollouts: tuple[Rollout, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    grants: tuple[WaiverGrant, ...] = ()
    break_glass: tuple[BreakGlass, ...] = ()
    owner_key: str = OWNER_KEY
    lookup: Lookup | None = None

    @property
    def any(self) -> bool:
        """Whether anything can be lowered."""
        return bool(self.rollouts or self.waivers or self.grants or self.break_glass)


NO_RULES: Final = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """Findings with the rung in force; ``expires`` is the earliest moment at which that may change."""

    findings: tuple[Finding, ...]
    expires: datetime | None = None


def subject_of(request: Request, *, owner_key: str = OWNER_KEY, lookup: Lookup | None = None) -> Subject:
    """What the rules may ask about a request."""
    object = request.subject
    namespace = object if object.is_namespace else request.namespace_object
    return Subject(
        object=object,
        namespace=object.name if object.is_namespace else request.namespace or object.namespace,
        namespace_labels=namespace.labels if namespace else None,
        owner=owner_of(object, namespace=namespace, lookup=lookup, key=owner_key),
        username=request.user.username,
        groups=request.user.groups,
        annotator=_annotator(request),
    )


def _annotator(request: Request) -> str:
    if ANNOTATION not in request.subject.annotations:
        return ""
    from sekisho.kube.waivernote import annotator

    return annotator(request.subject, request.old_object, request.user.username)


def enforce(
    findings: Iterable[Finding], subject: Subject, rules: Rules = NO_RULES, *, now: datetime
) -> Enforced:
    """Apply ladder, waivers and break-glass, in that order, as of ``now`` (aware)."""
    moments: list[datetime] = []
    waivers = rules.waivers
    problems: tuple[Diagnostic, ...] = ()
    if ANNOTATION in subject.object.annotations:
        from sekisho.kube.waivernote import noted  # rare, and it takes as long to import as all of this

        on_object = noted(subject, rules.grants, now)
        waivers, problems = (*waivers, *on_object.waivers), on_object.problems
        moments += on_object.moments
    glass = [item for item in rules.break_glass if item.in_force(now) and item.covers(subject)]
    enforced: list[Finding] = []
    for finding in findings:
        lowered = _roll_out(finding, subject, rules.rollouts, now, moments)
        waived = _waive(lowered, subject, waivers, now, moments)
        enforced.append(_break_glass(waived, glass, moments))
    enforced += (Finding.of(problem, Rung.WARN) for problem in problems)
    return Enforced(findings=tuple(enforced), expires=min(moments, default=None))


def _roll_out(
    finding: Finding,
    subject: Subject,
    rollouts: Sequence[Rollout],
    now: datetime,
    moments: list[datetime],
) -> Finding:
    """The lowest rung of all Rollouts in force for this policy here."""
    lowest: Rollout | None = None
    for rollout in rollouts:
        if not rollout.concerns(finding.policy, finding.bundle, subject):
            continue
        if not rollout.in_force(now):
            assert rollout.since is not None, "a Rollout without a beginning has begun"
            moments.append(rollout.since)
        elif lowest is None or (rollout.rung, rollout.name) < (lowest.rung, lowest.name):
            lowest = rollout
    if lowest is None or lowest.rung >= finding.rung:
        return finding
    since = f" since {lowest.since:%Y-%m-%d}" if lowest.since else ""
    because = f"Rollout {lowest.name} holds it at {lowest.rung.word}{since}"
    return finding.lowered(lowest.rung, because)


def _waive(
    finding: Finding,
    subject: Subject,
    waivers: Sequence[Waiver],
    now: datetime,
    moments: list[datetime],
) -> Finding:
    """Accepted by the Waiver that lasts longest; one that has expired is only mentioned.

    What could not be evaluated is not known to be what the waiver is about, so it is not waived.
    """
    if finding.failed:
        return finding
    found = [waiver for waiver in waivers if waiver.concerns(finding.diagnostic, subject)]
    if not found:
        return finding
    waiver = max(found, key=lambda waiver: (waiver.expires, waiver.name))
    until = f"{waiver.expires:%Y-%m-%d %H:%M}Z"
    if not waiver.in_force(now):
        return replace(
            finding,
            because=(*finding.because, f"{waiver.title} accepted it until {until}, and expired"),
        )
    moments.append(waiver.expires)
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    because = f"{waiver.title} accepts it until {until}, owned by {waiver.owner}: {waiver.reason}{ticket}"
    return replace(finding.lowered(Rung.OBSERVE, because), waiver=waiver.name)


def _break_glass(finding: Finding, glass: Sequence[BreakGlass], moments: list[datetime]) -> Finding:
    """A refusal becomes a warning while an emergency lasts."""
    if finding.rung is not Rung.DENY:
        return finding
    found = [item for item in glass if item.covers_policy(finding.policy)]
    if not found:
        return finding
    item = max(found, key=lambda item: (item.expires, item.name))
    moments.append(item.expires)
    because = f"BreakGlass {item.name} admits it until {item.expires:%Y-%m-%d %H:%M}Z: {item.reason}"
    return replace(finding.lowered(Rung.WARN, because), break_glass=item.name)
