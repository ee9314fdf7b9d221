"""Policies and rules as the snapshot that audits and previews judge by: where domains and ``audit`` meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sekisho import audit, policy
from sekisho.cli.auditing.parts import snapshot_of
from sekisho.cli.inputs import Inputs, read_objects
from sekisho.cli.live import Live, read_cluster
from sekisho.cli.network import NOTHING, Chosen, ExternalData
from sekisho.cli.programs import cached_choice, cached_compile
from sekisho.cli.progress import progress
from sekisho.cli.rules import read_rules
from sekisho.cli.settings import Settings
from sekisho.cli.wire import Findings, Verdicts
from sekisho.cli.workers import spread
from sekisho.diag import Diagnostic
from sekisho.kube.object import Object
from sekisho.kube.owner import OWNER_KEY
from sekisho.policy.library import bundle_objects

if TYPE_CHECKING:
    from sekisho.cli.auditing.judging import PolicyJudging
    from sekisho.kube.review.rules import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a command was given: the snapshot, the engine and rules in it, and the objects that are judged.

    ``policies`` are the policies as objects, those that cannot be used too.
    """

    snapshot: audit.Snapshot
    engine: policy.Engine
    loaded: Loaded | None
    objects: tuple[Object, ...]
    policies: tuple[Object, ...]
    problems: tuple[Diagnostic, ...]
    pace: audit.Pace
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which inputs, and how: ``point`` is the enforcement point, ``seconds`` how long one object may take.

    Without ``positions`` findings are about whole objects; a waiver of fingerprints needs them.
    ``external`` is whence external data comes, and ``settings`` has more of that. ``live`` is a running
    cluster, whose objects count as inputs.
    """

    paths: Sequence[str]
    policies: Sequence[str] = ()
    bundles: Sequence[str] = ()
    owner_key: str = ""
    point: str = policy.WEBHOOK
    seconds: float = 10.0
    positions: bool = True
    cache: bool = True
    external: Chosen = NOTHING
    settings: Settings | None = None
    live: Live | None = None


def read_inputs(wanted: Wanted) -> Inputs:
    """The objects that are judged: those of the paths, and those of a running cluster if one is named."""
    external = ExternalData.read(wanted.external, wanted.settings)
    inputs = read_objects(wanted.paths, without=external.files)
    if wanted.live is not None:
        there = read_cluster(wanted.live)
        inputs.objects += there.objects
        inputs.problems += there.problems
    return inputs


def gather(wanted: Wanted, inputs: Inputs | None = None) -> Given:
    """Read the inputs, unless they have been, and build what judges them."""
    external = ExternalData.read(wanted.external, wanted.settings)
    inputs = read_inputs(wanted) if inputs is None else inputs
    extra = read_objects(wanted.policies, without=external.files) if wanted.policies else Inputs()
    written = [*extra.objects, *inputs.objects]
    bundled = bundle_objects(wanted.bundles, known=written) if wanted.bundles else ()
    everything = [*written, *bundled, *external.objects]

    def engine_of(objects: Sequence[Object], inventory: Sequence[Object]) -> policy.Engine:
        engine = policy.Engine.build(
            objects,
            inventory=inventory,
            compile=cached_compile(enabled=wanted.cache),
            choice=cached_choice(enabled=wanted.cache),
        )
        if engine.asks:
            engine = replace(engine, providers=external.providers(engine.declared))
        return engine

    if wanted.live is None:
        engine = engine_of(everything, inputs.objects)
        loaded = read_rules(everything, owner_key=wanted.owner_key)
        snapshot = snapshot_of(engine, loaded, point=wanted.point, positions=wanted.positions)
        policies = tuple(row for row in everything if policy.is_policy(row))
    else:
        judging = _judging(wanted, engine_of, everything)
        snapshot = judging.snapshot({audit.key_of(row): row for row in inputs.objects})
        engine, loaded, policies = judging.engine, judging.loaded, judging.policies
    return Given(
        snapshot=snapshot,
        engine=engine,
        loaded=loaded,
        objects=tuple(inputs.objects),
        policies=policies,
        problems=(
            *inputs.problems,
            *extra.problems,
            *(loaded.problems if loaded else ()),
            *engine.problems,
        ),
        pace=_pace(everything, engine, wanted.seconds),
        now=datetime.now(UTC),
    )


def _judging(
    wanted: Wanted,
    engine_of: Callable[[Sequence[Object], Sequence[Object]], policy.Engine],
    everything: Sequence[Object],
) -> PolicyJudging:
    """Who judges the objects of a running cluster, which come packed."""
    from sekisho.cli.auditing.judging import PolicyJudging

    judging = PolicyJudging(
        lambda objects: engine_of(objects, objects),
        owner_key=wanted.owner_key or OWNER_KEY,
        positions=wanted.positions,
        point=wanted.point,
    )
    judging.update([row for row in everything if judging.governs(row.gvk)])
    return judging


def _pace(everything: Sequence[Object], engine: policy.Engine, seconds: float) -> audit.Pace:
    form = Verdicts(Findings([row.origin for row in everything], engine.sources))

    def share(work: audit.Work, due: Sequence[audit.Due]) -> list[audit.Answer]:
        return spread(lambda rows: work(progress(rows, "judging")), due, form)

    return audit.Pace(seconds=seconds, spread=share)
