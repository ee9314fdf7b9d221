"""A policy engine as the snapshot that the webhook judges by."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sekisho import audit, policy
from sekisho.admission import Edition
from sekisho.admission.judge import POLICY_GROUPS
from sekisho.cli.admission.checks import is_admission_policy
from sekisho.cli.network import NOTHING, Chosen, ExternalData
from sekisho.cli.programs import cached_choice, cached_compile
from sekisho.cli.rules import is_rule, read_rules
from sekisho.diag import Deadline, Diagnostic, Level, ObjectPath, Span
from sekisho.kube.object import Object
from sekisho.kube.review import NO_RULES, Finding, Judge, Request, Rules, Rung, Step, Verdict
from sekisho.policy.warm import warm
from sekisho.policy.watch import Watch

if TYPE_CHECKING:
    from sekisho.admission import Timed

CONSTRAINTS: Final = "constraints.gatekeeper.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How engines are built: with the program cache or without, whom external data comes from, whose label
    names owners, whether findings have positions, and whether everything is loaded before the first review.
    """

    cache: bool = True
    external: Chosen = NOTHING
    owner_key: str = ""
    positions: bool = True
    warm: bool = False


USUAL: Final = How()

LOCATED: Final = 3
"""Policies of a refusal whose fields are all looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSnapshot:
    """What ``admission`` judges by. Made by ``build``."""

    engine: policy.Engine
    rules: Rules
    digest: str
    edition: Edition = field(repr=False)
    how: How = USUAL
    told: tuple[Diagnostic, ...] = ()
    """What is wrong with the policies and rules that it was built from."""

    @property
    def waits(self) -> bool:
        """Whether a policy or a mutator asks for external data."""
        return self.engine.asks

    @property
    def positions(self) -> bool:
        """Whether findings are about fields: fingerprints of waivers need that too."""
        return self.how.positions or any(waiver.fingerprints for waiver in self.rules.waivers)

    def steps(self, point: str, *, timed: Timed | None = None) -> Sequence[Step[Judge]]:
        """The steps for one review: what asks others asks each of them once."""
        engine = self.engine.asking()
        if timed is None:
            return policy.steps(engine, point=point, positions=self.positions)
        watch = Watch(time.perf_counter_ns)
        steps = policy.steps(engine, point=point, positions=self.positions, watch=watch)
        return [replace(step, call=_Timed(step.call, watch, timed)) for step in steps]

    def namespace(self, name: str) -> Object | None:
        """The Namespace of this name."""
        return self.engine.namespaces.get(name)

    def located(
        self, request: Request, findings: Sequence[Finding], *, now: datetime, deadline: Deadline
    ) -> Sequence[Finding]:
        """The findings with fields: of all policies that refuse if they are few, else of the first one.

        To find a field takes longer than to find a violation. Whoever is refused for many reasons mends one
        after the other.
        """
        if self.positions:
            return findings
        policies = (row.policy for row in findings if row.rung is Rung.DENY and not row.failed)
        refusing = list(dict.fromkeys(policies))
        first = set(refusing if len(refusing) <= LOCATED else refusing[:1])
        rows = tuple(row for row in self.engine.constraints if row.policy in first)
        engine = replace(self.engine, constraints=rows, vap=None, _candidates={})
        judged = engine.judge(request, now=now, deadline=deadline)
        at = {(row.policy, row.diagnostic.message): row.diagnostic.at for row in judged.findings}
        return [_at(row, at.get((row.policy, row.diagnostic.message))) for row in findings]

    def problems(self, object: Object) -> Sequence[Diagnostic]:
        """Why a policy could not be used, beside the ones that are."""
        if object.gvk.group not in POLICY_GROUPS:
            return ()
        beside: list[Object] = [object]
        if object.gvk.group == CONSTRAINTS:
            template = self.engine.templates.get(object.kind)
            if template is None:
                return ()  # it waits for its template
            beside.append(template.object)
        built = policy.Engine.build(
            beside,
            compile=cached_compile(enabled=self.how.cache),
            choice=cached_choice(enabled=self.how.cache),
        )
        return tuple(row for row in built.faults.get(object.ref(), ()) if row.level is Level.ERROR)


def _at(finding: Finding, at: Span | ObjectPath | None) -> Finding:
    if at is None:
        return finding
    return replace(finding, diagnostic=replace(finding.diagnostic, at=at))


@dataclass(frozen=True, slots=True)
class _Timed:
    """A judge, after which is told how long each template took."""

    call: Judge
    watch: Watch
    timed: Timed

    def __call__(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        try:
            return self.call(request, now=now, deadline=deadline)
        finally:
            spent: dict[str, int] = {}
            for row in (row for review in self.watch.reviews for row in review.rows if row.matched):
                kind = row.constraint.object.kind
                spent[kind] = spent.get(kind, 0) + row.took
            self.watch.reviews.clear()
            for kind, took in spent.items():
                self.timed(kind, took / 1e9)


def build(edition: Edition, how: How = USUAL, *, digest: str = "") -> EngineSnapshot:
    """The snapshot of an edition. Policies that are wrong are left out and told.

    ``digest`` is that of the edition where somebody has worked it out already.
    """
    objects = tuple(Object(raw) for raw in edition.policies)
    inventory = tuple(Object(raw) for raw in edition.inventory)
    external = ExternalData.read(how.external)
    everything = (*objects, *external.objects)
    engine = policy.Engine.build(
        everything,
        inventory=inventory,
        compile=cached_compile(enabled=how.cache),
        choice=cached_choice(enabled=how.cache),
    )
    if engine.asks:
        engine = replace(engine, providers=external.providers(engine.declared))
    if how.warm:
        warm(engine)
    return of_engine(engine, everything, edition, how, digest=digest)


def of_engine(
    engine: policy.Engine,
    objects: Sequence[Object],
    edition: Edition,
    how: How = USUAL,
    *,
    digest: str = "",
) -> EngineSnapshot:
    """The snapshot of an engine that is there already; the rules are those among the objects."""
    loaded = read_rules((*objects, *map(Object, edition.inventory)), owner_key=how.owner_key)
    told = (*(loaded.problems if loaded is not None else ()), *engine.problems)
    return EngineSnapshot(
        engine=engine,
        rules=loaded.rules if loaded is not None else NO_RULES,
        digest=digest or digest_of(edition),
        edition=edition,
        how=how,
        told=told,
    )


def digest_of(edition: Edition) -> str:
    """What stands for an edition; the same in every process."""
    return audit.digest([list(edition.policies), list(edition.inventory)])


def edition_of(objects: Iterable[Object]) -> Edition:
    """The edition of objects as they are read from files: policies and rules apart from the rest."""
    rows = tuple(objects)
    policies = tuple(row.raw for row in rows if is_about_policy(row))
    return Edition(policies=policies, inventory=tuple(row.raw for row in rows if not is_about_policy(row)))


def is_about_policy(object: Object) -> bool:
    """Whether engines and rules are made of an object."""
    return policy.is_policy(object) or is_rule(object) or is_admission_policy(object)
