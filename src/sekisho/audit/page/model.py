"""What the status page shows, as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sekisho.audit.model import Ledger
from sekisho.audit.summary import Count, Summary, summary
from sekisho.audit.world import World
from sekisho.diag import Limit
from sekisho.kube.ladder import Rung
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Rules

if TYPE_CHECKING:
    from sekisho.audit.live import Pass

SHOWN: Final = Limit("the violations on the status page", 200, "rows", "a page is read, and sent, as a whole")

NOTHING: Final = Summary(objects=0, total=Count())


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one part is: its name, whether it is well, and what there is to say."""

    part: str
    well: bool
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One finding on one object. ``rung`` is the word of the rung in force, or ``waived``, or ``failed``."""

    rung: str
    policy: str
    kind: str
    namespace: str
    name: str
    owner: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A Rollout: which policies it holds at which rung, where, since when, why."""

    name: str
    rung: str
    policies: tuple[str, ...]
    namespaces: tuple[str, ...]
    since: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """A Waiver or a BreakGlass, and when it ends; ``days`` are those that are left, None if it has ended."""

    kind: str
    name: str
    policies: tuple[str, ...]
    owner: str
    reason: str
    expires: datetime
    days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A write that was refused or warned about: ``outcome`` is deny, warn or could-not-ask."""

    at: datetime
    outcome: str
    operation: str
    kind: str
    namespace: str
    name: str
    user: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All that the page shows, as of ``at``. ``audited`` is when the last audit began, None before the first.

    ``violations`` are the gravest ones, ``found`` is how many there are in all. ``problems`` are what the
    audit could not read, and policies that cannot be used.
    """

    at: datetime
    cluster: str = ""
    health: tuple[Health, ...] = ()
    audited: datetime | None = None
    seconds: float = 0.0
    counts: Summary = NOTHING
    violations: tuple[Violation, ...] = ()
    found: int = 0
    rollouts: tuple[Lowered, ...] = ()
    waivers: tuple[Waived, ...] = ()
    decisions: tuple[Decision, ...] = ()
    problems: tuple[str, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)


def status_of(
    last: Pass | None,
    *,
    now: datetime,
    cluster: str = "",
    health: Sequence[Health] = (),
    policies: Mapping[str, str] | None = None,
    decisions: Sequence[Decision] = (),
    problems: Sequence[str] = (),
) -> Status:
    """The status as of ``now`` (aware), from the last pass of an audit; ``policies`` are those in force and
    their actions.
    """
    status = Status(
        at=now,
        cluster=cluster,
        health=tuple(health),
        policies=dict(policies or {}),
        decisions=tuple(decisions),
        problems=tuple(problems),
    )
    if last is None:
        return status
    rules = last.snapshot.rules
    rows = list(_violations(last.ledger, last.world, rules))
    rows.sort(key=lambda row: (_ORDER.index(row.rung), row.policy, row.namespace, row.kind, row.name))
    return replace(
        status,
        audited=last.began,
        seconds=last.seconds,
        counts=summary(last.ledger, last.world, rules),
        violations=tuple(rows[: SHOWN.value]),
        found=len(rows),
        rollouts=tuple(_rollouts(rules)),
        waivers=tuple(sorted(_waivers(rules, now), key=lambda row: row.expires)),
        problems=(*problems, *(row.message for row in last.problems)),
    )


FAILED: Final = "failed"
WAIVED: Final = "waived"
_ORDER: Final = (FAILED, *(rung.word for rung in (Rung.DENY, Rung.WARN, Rung.OBSERVE)), WAIVED)


def _violations(ledger: Ledger, world: World, rules: Rules) -> Iterator[Violation]:
    for entry in ledger.entries.values():
        if entry.clean:
            continue
        object = entry.object
        owner: str | None = None
        for finding in entry.findings():
            owner = world.owner(object, rules) if owner is None else owner
            yield _violation(object, owner, _rung(finding), finding.policy, finding.diagnostic.message)
        for failure in entry.failures():
            owner = world.owner(object, rules) if owner is None else owner
            yield _violation(object, owner, FAILED, failure.policy, failure.message)


def _rung(finding: Finding) -> str:
    if finding.failed:
        return FAILED
    return WAIVED if finding.waiver else finding.rung.word


def _violation(object: Object, owner: str, rung: str, policy: str, message: str) -> Violation:
    return Violation(
        rung=rung,
        policy=policy,
        kind=object.kind,
        namespace=object.namespace,
        name=object.name,
        owner=owner,
        message=message,
    )


def _rollouts(rules: Rules) -> Iterator[Lowered]:
    for row in sorted(rules.rollouts, key=lambda row: row.name):
        yield Lowered(
            name=row.name,
            rung=row.rung.word,
            policies=(*row.policies, *(f"bundle {name}" for name in row.bundles)),
            namespaces=row.namespaces,
            since=row.since,
            reason=row.reason,
        )


def _waivers(rules: Rules, now: datetime) -> Iterator[Waived]:
    for row in rules.waivers:
        days = (row.expires - now).days if row.in_force(now) else None
        yield Waived(
            kind="Waiver",
            name=row.name,
            policies=row.policies,
            owner=row.owner,
            reason=row.reason,
            expires=row.expires,
            days=days,
        )
    for glass in rules.break_glass:
        yield Waived(
            kind="BreakGlass",
            name=glass.name,
            policies=glass.policies or ("every policy",),
            owner="",
            reason=glass.reason,
            expires=glass.expires,
            days=(glass.expires - now).days if glass.in_force(now) else None,
        )
