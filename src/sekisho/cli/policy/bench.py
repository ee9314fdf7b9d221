"""``sekisho policy bench``: how long reviews take."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sekisho.cli.bundled import image_options, read_images
from sekisho.cli.network import ExternalData, provider_options
from sekisho.cli.opa import Duration, OpaCommand

if TYPE_CHECKING:
    from sekisho.policy.bench import Baseline, Metric, Results

ENGINES: Final = ("rego", "cel", "all")
MEASURED: Final = {"rego": ("rego",), "cel": ("cel",), "all": ("rego", "cel")}
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
@image_options
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

    if not filenames and not options["images"]:
        return _fail("at least one --filename or --image must be specified")
    if options["warmup"] > options["iterations"]:
        _warn(
            f"warmup ({options['warmup']}) exceeds iterations ({options['iterations']}). "
            "Consider reducing warmup."
        )
    if baseline is not None and not Path(baseline).exists():
        return _fail(f"baseline file does not exist: {baseline}")
    try:
        old = _baselines(baseline, MEASURED[engine]) if baseline is not None else {}
        results = _measured(filenames, engine, memory=memory, **options)
        _write(results, output)
        if save is not None:
            _save(results, save)
        metrics = [
            metric
            for row in results
            if row.engine in old
            for metric in _compare(row, old[row.engine], **options)
        ]
    except DiagnosticError as error:
        from sekisho.cli.rego.text import tell

        print(f"benchmark failed: {error.diagnostics[0].message}", file=sys.stderr)
        tell(error.diagnostics)
        return 1
    return int(any(not metric.passed for metric in metrics))


def _measured(filenames: tuple[str, ...], engine: str, *, memory: bool, **options: Any) -> list[Results]:
    """The results of each engine. Of all of them, one that has nothing to measure is skipped."""
    from sekisho.diag import DiagnosticError

    results: list[Results] = []
    failed: list[DiagnosticError] = []
    for name in MEASURED[engine]:
        try:
            results.append(_run(filenames, name, memory=memory, **options))
        except DiagnosticError as error:
            if engine != "all":
                raise
            _warn(f"Engine skipped - {name}: {error.diagnostics[0].message}")
            failed.append(error)
    if not results:
        raise failed[0]
    return results


def _run(filenames: tuple[str, ...], engine: str, *, memory: bool, **options: Any) -> Results:
    from sekisho.cli.inputs import read_objects
    from sekisho.cli.programs import cached_choice, cached_compile
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
    inputs = read_objects(filenames, beside=read_images(options["images"]))
    if errors := [row for row in inputs.problems if row.level is Level.ERROR]:
        raise DiagnosticError(errors)
    cache = not (options["no_cache"] or os.environ.get("SEKISHO_NO_CACHE"))
    compile = cached_compile(enabled=cache)
    external = ExternalData.read(options["external"])
    prepared = bench.prepare(
        inputs.objects,
        compile=compile,
        clock=time.perf_counter_ns,
        engine=engine,
        choice=cached_choice(enabled=cache),
    )
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


def _write(results: Sequence[Results], form: str) -> None:
    from sekisho.cli.policy import benchreport

    if form == "json":
        import json

        rows = [benchreport.data(row) for row in results]
        print(json.dumps(rows, indent=2, ensure_ascii=False), end="")
    elif form == "yaml":
        from sekisho.cli.goyaml import dump

        print(dump([benchreport.data(row) for row in results]), end="")
    else:
        print(benchreport.tables(results), end="")


def _save(results: Sequence[Results], path: str) -> None:
    from sekisho.cli.policy import benchreport

    benchreport.save(results, path)
    print(f"\nResults saved to: {path}", file=sys.stderr)


def _baselines(path: str, engines: Sequence[str]) -> dict[str, Baseline]:
    """The kept results of these engines, as far as there are any."""
    from sekisho.cli.policy import benchreport

    found = ((name, benchreport.load_baseline(path, name)) for name in engines)
    old = {name: baseline for name, baseline in found if baseline is not None}
    if not old:
        _warn("No matching engines found for comparison")
    return old


def _compare(
    results: Results, old: Baseline, *, threshold: float, min_threshold: float, **_: Any
) -> tuple[Metric, ...]:
    from sekisho.cli.policy import benchreport
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
