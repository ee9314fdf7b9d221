"""``sekisho policy bench``: how long reviews take."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sekisho.cli.network import ExternalData, provider_options
from sekisho.cli.opa import Duration, OpaCommand

if TYPE_CHECKING:
    from sekisho.policy.bench import Baseline, Metric, Results

ENGINES: Final = ("rego", "cel", "all")
FORMS: Final = ("table", "json", "yaml")


@click.command(cls=OpaCommand, epilog="Example: sekisho policy bench -f policies/ --compare baseline.json")
@click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    metavar="PATH",
    help="File or directory with templates, constraints and objects, or - for standard input; repeatable.",
)
@click.option("-e", "--engine", type=click.Choice(ENGINES), default="rego", help="Engine to measure (rego).")
@click.option("-n", "--iterations", type=click.IntRange(1), default=1000, help="Rounds to measure (1000).")
@click.option("--warmup", type=click.IntRange(0), default=10, help="Rounds before that (10).")
@click.option("-c", "--concurrency", type=click.IntRange(1), default=1, help="Threads that review (1).")
@click.option("-o", "--output", type=click.Choice(FORMS), default="table", help="Form of the results.")
@click.option("--memory", is_flag=True, help="Measure how many bytes a review holds at most.")
@click.option("--stats", is_flag=True, help="Tell how long each template takes, from the first round.")
@click.option("--save", metavar="FILE", help="Keep the results for a later --compare (.json, .yaml).")
@click.option("--compare", "baseline", metavar="FILE", help="Compare with kept results, ours or gator's.")
@click.option(
    "--threshold",
    type=click.FloatRange(0),
    default=10.0,
    help="Percent that a figure may be worse than in the baseline (10).",
)
@click.option(
    "--min-threshold",
    type=Duration(),
    default=0.0,
    metavar="DURATION",
    help="A latency that is worse by less than this is no regression (0s).",
)
@provider_options
@click.option("--no-cache", is_flag=True, help="Compile policies anew.")
def command(  # one parameter for each of gator's flags
    *,
    filenames: tuple[str, ...],
    engine: str,
    output: str,
    memory: bool,
    save: str | None,
    baseline: str | None,
    **options: Any,
) -> int:
    """Measure how long it takes to review the objects at PATH by the policies there.

    Every object is reviewed in every round, with gator's input, and is inventory for all of them. Threads of
    one process share one core: what they measure is how latencies grow under load.

    Exit status 0, or 1 if a figure is worse than in the baseline, or the input cannot be used.
    """
    from sekisho.diag import DiagnosticError

    if not filenames:
        return _fail("at least one --filename must be specified")
    if engine == "cel":
        return _fail("benchmark failed: benchmarking cel: the CEL engine is not here; measure rego")
    if options["warmup"] > options["iterations"]:
        _warn(
            f"warmup ({options['warmup']}) exceeds iterations ({options['iterations']}). "
            "Consider reducing warmup."
        )
    if baseline is not None and not Path(baseline).exists():
        return _fail(f"baseline file does not exist: {baseline}")
    try:
        old = _baseline(baseline) if baseline is not None else None
        results = _run(filenames, memory=memory, **options)
        if engine == "all":
            _warn("Engine skipped - cel: the CEL engine is not here")
        _write(results, output)
        if save is not None:
            _save(results, save)
        metrics = _compare(results, old, **options) if old is not None else ()
    except DiagnosticError as error:
        from sekisho.cli.rego.text import tell

        print(f"benchmark failed: {error.diagnostics[0].message}", file=sys.stderr)
        tell(error.diagnostics)
        return 1
    return int(any(not metric.passed for metric in metrics))


def _run(filenames: tuple[str, ...], *, memory: bool, **options: Any) -> Results:
    from sekisho.cli.inputs import read_objects
    from sekisho.cli.programs import cached_compile
    from sekisho.diag import DiagnosticError, Level
    from sekisho.policy import bench

    plan = bench.Plan(
        iterations=options["iterations"],
        warmup=options["warmup"],
        concurrency=options["concurrency"],
        stats=options["stats"],
    )
    if plan.iterations < bench.MEANINGFUL:
        _warn(
            f"{plan.iterations} iterations may not provide statistically meaningful P99 metrics. "
            f"Consider using at least {bench.MEANINGFUL} iterations."
        )
    inputs = read_objects(filenames)
    if errors := [row for row in inputs.problems if row.level is Level.ERROR]:
        raise DiagnosticError(errors)
    cache = not (options["no_cache"] or os.environ.get("SEKISHO_NO_CACHE"))
    compile = cached_compile(enabled=cache)
    external = ExternalData.read(options["external"])
    prepared = bench.prepare(inputs.objects, compile=compile, clock=time.perf_counter_ns)
    providers = external.providers_of(inputs.objects)
    prepared = replace(prepared, engine=replace(prepared.engine, providers=providers))
    gc.collect()
    gc.freeze()
    return bench.measure(prepared, plan, clock=time.perf_counter_ns, peak=_peak if memory else None)


def _peak(function: Callable[[], Any]) -> int:
    import tracemalloc

    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _write(results: Results, form: str) -> None:
    from sekisho.cli import benchreport

    if form == "json":
        import json

        print(json.dumps([benchreport.data(results)], indent=2, ensure_ascii=False), end="")
    elif form == "yaml":
        from sekisho.cli.goyaml import dump

        print(dump([benchreport.data(results)]), end="")
    else:
        print(benchreport.table(results), end="")


def _save(results: Results, path: str) -> None:
    from sekisho.cli import benchreport

    benchreport.save(results, path)
    print(f"\nResults saved to: {path}", file=sys.stderr)


def _baseline(path: str) -> Baseline | None:
    from sekisho.cli import benchreport
    from sekisho.policy import bench

    old = benchreport.load_baseline(path, bench.REGO)
    if old is None:
        _warn("No matching engines found for comparison")
    return old


def _compare(
    results: Results, old: Baseline, *, threshold: float, min_threshold: float, **_: Any
) -> tuple[Metric, ...]:
    from sekisho.cli import benchreport
    from sekisho.policy import bench

    tolerance = min_threshold * bench.SECOND
    metrics = bench.compare(old, bench.Baseline.of(results), threshold=threshold, tolerance=tolerance)
    print(f"\n{benchreport.comparison(results.engine, metrics, threshold)}", end="")
    return metrics


def _warn(message: str) -> None:
    print(f"Warning: {message}\n", file=sys.stderr)


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1
