"""``gator bench``: how long reviews take (policy.md 1.11), and whether that got worse.

Times are nanoseconds, as in gator's files, so that baselines can be compared with later runs. The clock and
the meter of memory are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube.object import Object
from sekisho.policy import codes
from sekisho.policy.code import ANY_ENGINE, Choice, Compiler
from sekisho.policy.code import CEL as CEL_ENGINE
from sekisho.policy.code import REGO as REGO_ENGINE
from sekisho.policy.constraint import GATOR, Constraint, is_constraint, load_constraint
from sekisho.policy.engine import Ask, Engine
from sekisho.policy.gator import gator_request
from sekisho.policy.template import Template, is_template, load_template
from sekisho.policy.watch import Watch, entries

REGO: Final = "rego"
CEL: Final = "cel"

ENGINES: Final = {REGO: REGO_ENGINE, CEL: CEL_ENGINE}
"""The engines that can be measured, by their names in results."""

SECOND: Final = 1_000_000_000
MEANINGFUL: Final = 1000
"""Iterations from which on the 99th percentile says something."""

Clock = Callable[[], int]
"""Nanoseconds from any beginning."""

Peak = Callable[[Callable[[], Any]], int]
"""Calls a function and tells how many bytes more than before were in use at most while it ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run. ``stats``: also take down what each template does in the first round."""

    iterations: int = 1000
    warmup: int = 10
    concurrency: int = 1
    stats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Nanoseconds that each part of the preparation took."""

    client: int = 0
    templates: int = 0
    constraints: int = 0
    data: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.client + self.templates + self.constraints + self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """How long a review took, in nanoseconds."""

    min: int = 0
    max: int = 0
    mean: int = 0
    p50: int = 0
    p95: int = 0
    p99: int = 0

    @classmethod
    def of(cls, durations: Iterable[int]) -> Latencies:
        """The figures of durations; percentiles lie between the nearest two, in proportion."""
        rows = sorted(durations)
        if not rows:
            return cls()
        points = {name: _percentile(rows, point) for name, point in (("p50", 50), ("p95", 95), ("p99", 99))}
        return cls(min=rows[0], max=rows[-1], mean=sum(rows) // len(rows), **points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a run found. ``peak`` is the mean over objects of the most bytes that a review held.

    ``stats`` are gator's entries of statistics.
    """

    engine: str = REGO
    templates: int
    constraints: int
    objects: int
    plan: Plan
    setup: Setup
    total: int
    latencies: Latencies
    violations: int
    skipped_templates: tuple[str, ...] = ()
    skipped_constraints: tuple[str, ...] = ()
    peak: int | None = None
    stats: tuple[Mapping[str, Any], ...] = ()

    @property
    def reviews(self) -> int:
        """How many reviews were measured."""
        return self.plan.iterations * self.objects

    @property
    def per_second(self) -> float:
        """Reviews a second."""
        return self.reviews * SECOND / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is ready to be measured."""

    engine: Engine
    name: str
    objects: tuple[Object, ...]
    setup: Setup
    skipped_templates: tuple[str, ...]
    skipped_constraints: tuple[str, ...]


def prepare(
    objects: Sequence[Object],
    *,
    compile: Compiler,
    clock: Clock,
    engine: str = REGO,
    choice: Choice = ANY_ENGINE,
) -> Prepared:
    """Load policies and data.

    ``engine`` is the one that judges, by its name in results. Templates without it are skipped, and so are
    their constraints. Raises DiagnosticError: POL095 where something is missing, and what is wrong with a
    policy.
    """
    reviewed = tuple(object for object in objects if not is_template(object) and not is_constraint(object))
    start = clock()
    templates, skipped = _templates(objects, compile, engine, choice)
    compiled = clock()
    constraints, without = _constraints(objects, templates)
    loaded = clock()
    if not reviewed:
        raise _missing("no objects to review found in input")
    policies = Engine.of(constraints)
    made = clock()
    policies = policies.with_inventory(reviewed)
    setup = Setup(
        client=made - loaded,
        templates=compiled - start,
        constraints=loaded - compiled,
        data=clock() - made,
    )
    return Prepared(
        engine=replace(policies, templates=templates),
        name=engine,
        objects=reviewed,
        setup=setup,
        skipped_templates=tuple(skipped),
        skipped_constraints=tuple(without),
    )


def _templates(
    objects: Sequence[Object], compile: Compiler, engine: str, choice: Choice
) -> tuple[dict[str, Template], list[str]]:
    rows = [object for object in objects if is_template(object)]
    if not rows:
        raise _missing("no ConstraintTemplates found in input")
    templates: dict[str, Template] = {}
    skipped: list[str] = []
    choice = replace(choice, engine=ENGINES[engine])
    for object in rows:
        try:
            template = load_template(object, compile=compile, choice=choice)
        except DiagnosticError as error:
            if all(found.code is codes.NO_ENGINE for found in error.diagnostics):
                skipped.append(object.name)
                continue
            raise
        templates[template.kind] = template
    if not templates:
        raise _missing(f"no templates compatible with {engine} engine (all {len(rows)} templates skipped)")
    return templates, skipped


def _constraints(
    objects: Sequence[Object], templates: Mapping[str, Template]
) -> tuple[list[Constraint], list[str]]:
    rows = [object for object in objects if is_constraint(object)]
    if not rows:
        raise _missing("no Constraints found in input")
    skipped = [object.name for object in rows if object.kind not in templates]
    found = [
        load_constraint(object, templates[object.kind], any_action=True)
        for object in rows
        if object.kind in templates
    ]
    if not found:
        why = f"all {len(rows)} constraints skipped due to missing templates"
        raise _missing(f"no constraints loaded ({why})")
    return found, skipped


def measure(prepared: Prepared, plan: Plan, *, clock: Clock, peak: Peak | None = None) -> Results:
    """Review every object as often as planned. Memory is measured in a pass of its own, after the times."""
    engine, objects = prepared.engine, prepared.objects
    ask = Ask(point=GATOR, positions=False, workloads=False)

    watch = Watch(clock)

    def review(object: Object, ask: Ask = ask) -> tuple[int, int]:
        start = clock()
        findings = engine.review_itself(gator_request(object), ask)
        return clock() - start, len(findings)

    for _ in range(plan.warmup):
        for object in objects:
            review(object)
    start = clock()
    if plan.concurrency > 1:
        with ThreadPoolExecutor(plan.concurrency) as pool:
            rows = list(pool.map(review, objects * plan.iterations, chunksize=1))
    else:
        first = replace(ask, watch=watch) if plan.stats else ask
        rows = [review(object, first) for object in objects]
        rows += [review(object) for _ in range(plan.iterations - 1) for object in objects]
    total = clock() - start
    if plan.stats and plan.concurrency > 1:
        for object in objects:  # a watch is for one thread
            review(object, replace(ask, watch=watch))
    held = None
    if peak is not None:
        held = sum(peak(partial(review, object)) for object in objects) // len(objects)
    return Results(
        engine=prepared.name,
        templates=len(engine.templates),
        constraints=len(engine.constraints),
        objects=len(objects),
        plan=plan,
        setup=prepared.setup,
        total=total,
        latencies=Latencies.of(duration for duration, _ in rows),
        violations=sum(count for _, count in rows),
        skipped_templates=prepared.skipped_templates,
        skipped_constraints=prepared.skipped_constraints,
        peak=held,
        stats=tuple(entries(watch)),
    )


def _percentile(rows: Sequence[int], point: int) -> int:
    rank = point / 100 * (len(rows) - 1)
    lower = int(rank)
    if lower + 1 >= len(rows):
        return rows[-1]
    weight = rank - lower
    return int(rows[lower] * (1 - weight) + rows[lower + 1] * weight)


def _missing(message: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=codes.NOTHING_TO_MEASURE, message=message))


# --- comparing --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The figures of an earlier run that are compared: nanoseconds, reviews a second, bytes."""

    engine: str
    p50: float
    p95: float
    p99: float
    mean: float
    per_second: float
    peak: float | None = None

    @classmethod
    def of(cls, results: Results) -> Baseline:
        """Those of a run."""
        times = results.latencies
        return cls(
            engine=results.engine,
            p50=times.p50,
            p95=times.p95,
            p99=times.p99,
            mean=times.mean,
            per_second=results.per_second,
            peak=results.peak,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure, then and now. ``delta`` is the change in percent, positive where the figure grew."""

    name: str
    baseline: float
    current: float
    delta: float
    passed: bool


def compare(
    baseline: Baseline, current: Baseline, *, threshold: float, tolerance: float
) -> tuple[Metric, ...]:
    """Each figure against the baseline.

    A latency fails that grew by more than ``threshold`` percent, unless it grew by less than ``tolerance``
    nanoseconds; throughput fails that fell by more, unless no more than the tolerance explains; memory knows
    no tolerance.
    """
    rows: list[Metric] = []
    for name, old, new in (
        ("P50 Latency", baseline.p50, current.p50),
        ("P95 Latency", baseline.p95, current.p95),
        ("P99 Latency", baseline.p99, current.p99),
        ("Mean Latency", baseline.mean, current.mean),
    ):
        delta = _delta(old, new)
        rows.append(_metric(name, old, new, passed=delta <= threshold or new - old < tolerance))
    old, new = baseline.per_second, current.per_second
    passed = -_delta(old, new) <= threshold
    if not passed and baseline.mean > 0:
        passed = old - new < old * tolerance / baseline.mean
    rows.append(_metric("Throughput", old, new, passed=passed))
    if baseline.peak is not None and current.peak is not None:
        passed = _delta(baseline.peak, current.peak) <= threshold
        rows.append(_metric("Bytes/Review", baseline.peak, current.peak, passed=passed))
    return tuple(rows)


def _metric(name: str, old: float, new: float, *, passed: bool) -> Metric:
    return Metric(name=name, baseline=old, current=new, delta=_delta(old, new), passed=passed)


def _delta(old: float, new: float) -> float:
    if old:
        return (new - old) / old * 100
    return 100.0 if new else 0.0
