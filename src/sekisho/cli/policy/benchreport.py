"""Reports of ``sekisho policy bench`` in gator's forms, and its files of results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NoReturn

from sekisho.cli.opa import format_duration
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.policy import codes
from sekisho.policy.bench import REGO, Baseline, Metric, Results

_KB: Final = 1024
_UNITS: Final = (("GB", _KB**3), ("MB", _KB**2), ("KB", _KB))

# --- the table --------------------------------------------------------------------------------------------


def table(results: Results) -> str:
    """The table for people."""
    rows: list[tuple[str, ...]] = [
        ("Configuration:",),
        ("  Templates:", str(results.templates)),
        ("  Constraints:", str(results.constraints)),
        ("  Objects:", str(results.objects)),
        ("  Iterations:", str(results.plan.iterations)),
    ]
    if results.plan.concurrency > 1:
        rows.append(("  Concurrency:", str(results.plan.concurrency)))
    rows += [("  Total Reviews:", str(results.reviews)), ("",), *_skipped(results)]
    rows += [*_referential(results), *_timing(results)]
    rows += [("Results:",), ("  Violations Found:", str(results.violations))]
    if results.peak is not None:
        rows += [("",), ("Memory:",), ("  Bytes/Review:", _bytes(results.peak))]
    rows += _stats(results)
    return f"=== Benchmark Results: {results.engine.upper()} Engine ===\n\n{_aligned(rows)}"


def tables(results: Sequence[Results]) -> str:
    """The table of each engine, and the engines beside each other where there are several."""
    text = "\n".join(map(table, results))
    return f"{text}\n{_beside(results)}" if len(results) > 1 else text


def _beside(results: Sequence[Results]) -> str:
    names = [row.engine.upper() for row in results]
    rows: list[tuple[str, ...]] = [
        ("Metric", *names),
        ("------", *("------" for _ in names)),
        ("Templates", *(str(row.templates) for row in results)),
        ("Constraints", *(str(row.constraints) for row in results)),
        ("Setup Time", *(_duration(row.setup.total) for row in results)),
        ("Throughput", *(f"{row.per_second:.2f}/sec" for row in results)),
        ("Mean Latency", *(_duration(row.latencies.mean) for row in results)),
        ("P95 Latency", *(_duration(row.latencies.p95) for row in results)),
        ("P99 Latency", *(_duration(row.latencies.p99) for row in results)),
        ("Violations", *(str(row.violations) for row in results)),
    ]
    fast, slow = sorted(results, key=lambda row: row.latencies.mean)[:2]
    times = slow.latencies.mean / fast.latencies.mean if fast.latencies.mean else 1.0
    verdict = f"Performance: {fast.engine.upper()} is {times:.2f}x faster than {slow.engine.upper()}"
    return f"=== Engine Comparison ===\n\n{_aligned(rows)}\n{verdict}\n"


def _stats(results: Results) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for entry in results.stats:
        rows.append((f"  Constraint: {entry['statsFor']} (Scope: {entry['scope']})",))
        rows += [(f"    {row['name']}:", f"{row['value']} {row['source']['type']}") for row in entry["stats"]]
    return [("",), ("Per-Constraint Statistics (from first iteration):",), *rows] if rows else []


def _skipped(results: Results) -> list[tuple[str, ...]]:
    named = (("Templates", results.skipped_templates), ("Constraints", results.skipped_constraints))
    rows: list[tuple[str, ...]] = [
        (f"  Skipped {what}:", f"{len(names)} ({', '.join(names)})") for what, names in named if names
    ]
    return [("Warnings:",), *rows, ("",)] if rows else []


def _referential(results: Results) -> list[tuple[str, ...]]:
    if results.engine == REGO:
        return []
    return [
        ("Note:",),
        ("  Referential Data:", f"Not supported by {results.engine} engine"),
        ("", "(Referential constraints cannot be exercised with this engine)"),
        ("",),
    ]


def _timing(results: Results) -> list[tuple[str, ...]]:
    setup, times = results.setup, results.latencies
    return [
        ("Timing:",),
        ("  Setup Duration:", _duration(setup.total)),
        ("    └─ Client Creation:", _duration(setup.client)),
        ("    └─ Template Compilation:", _duration(setup.templates)),
        ("    └─ Constraint Loading:", _duration(setup.constraints)),
        ("    └─ Data Loading:", _duration(setup.data)),
        ("  Total Duration:", _duration(results.total)),
        ("  Throughput:", f"{results.per_second:.2f} reviews/sec"),
        ("",),
        ("Latency (per review):",),
        ("  Min:", _duration(times.min)),
        ("  Max:", _duration(times.max)),
        ("  Mean:", _duration(times.mean)),
        ("  P50:", _duration(times.p50)),
        ("  P95:", _duration(times.p95)),
        ("  P99:", _duration(times.p99)),
        ("",),
    ]


def comparison(engine: str, metrics: Sequence[Metric], threshold: float) -> str:
    """The table of figures then and now."""
    head = ("Metric", "Baseline", "Current", "Delta", "Status")
    rows: list[tuple[str, ...]] = [head, tuple("-" * len(cell) for cell in head)]
    for metric in metrics:
        status = "✓" if metric.passed else "✗ REGRESSION"
        old, new = _figure(metric.name, metric.baseline), _figure(metric.name, metric.current)
        rows.append((metric.name, old, new, f"{metric.delta:+.1f}%", status))
    failed = [metric.name for metric in metrics if not metric.passed]
    verdict = f"✗ Regressions detected in: {', '.join(failed)}" if failed else "✓ No significant regressions"
    title = f"=== Baseline Comparison: {engine.upper()} Engine ==="
    return f"{title}\n\n{_aligned(rows)}\n{verdict} (threshold: {threshold:.1f}%)\n"


def _figure(name: str, value: float) -> str:
    if "Latency" in name:
        return _duration(int(value))
    return _bytes(int(value)) if "Bytes" in name else f"{value:.2f}/sec"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows with their cells in columns; rows of one cell end a table."""
    lines: list[str] = []
    for count, group in groupby(rows, key=len):
        block = list(group)
        widths = [max(len(row[at]) for row in block) + 2 for at in range(count - 1)]
        for row in block:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            lines.append("".join(cells) + row[-1])
    return "".join(f"{line}\n" for line in lines)


def _duration(nanoseconds: int) -> str:
    for unit, size, digits in (("ns", 1, 0), ("µs", 10**3, 2), ("ms", 10**6, 2)):
        if nanoseconds < size * 1000:
            return f"{nanoseconds / size:.{digits}f}{unit}"
    return f"{nanoseconds / 10**9:.3f}s"


def _bytes(count: int) -> str:
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count} B"


# --- data -------------------------------------------------------------------------------------------------


def data(results: Results) -> dict[str, Any]:
    """The results for ``-o json`` and ``-o yaml``: durations and sizes are text."""
    out = _data(results, format_duration)
    out["totalReviews"] = results.reviews
    if results.peak is not None:
        out["memoryStats"] = {"bytesPerReview": _bytes(results.peak)}
    if results.stats:
        del out["referentialDataSupported"]  # it comes last
        entries = [_entry(entry) for entry in results.stats]
        out |= {"statsEntries": entries, "referentialDataSupported": True}
    order = [*_ORDER, *(key for key in out if key not in _ORDER)]
    return {key: out[key] for key in order if key in out}


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of statistics, with its sources as text."""
    source = "{type}/{value}"
    stats = [{**figure, "source": source.format(**figure["source"])} for figure in entry["stats"]]
    return {**entry, "stats": stats}


_ORDER: Final = ("engine", "templateCount", "constraintCount", "objectCount", "iterations", "concurrency")
_ORDER_OF_TIMES: Final = ("min", "max", "mean", "p50", "p95", "p99")


def _data(results: Results, duration: Any) -> dict[str, Any]:
    setup, times = results.setup, results.latencies
    out: dict[str, Any] = {
        "engine": results.engine,
        "templateCount": results.templates,
        "constraintCount": results.constraints,
        "objectCount": results.objects,
        "iterations": results.plan.iterations,
        "concurrency": results.plan.concurrency,
        "totalReviews": results.reviews,
        "setupDuration": duration(setup.total),
        "setupBreakdown": {
            "clientCreation": duration(setup.client),
            "templateCompilation": duration(setup.templates),
            "constraintLoading": duration(setup.constraints),
            "dataLoading": duration(setup.data),
        },
        "totalDuration": duration(results.total),
        "latencies": {name: duration(getattr(times, name)) for name in _ORDER_OF_TIMES},
        "violationCount": results.violations,
        "reviewsPerSecond": results.per_second,
    }
    if results.skipped_templates:
        out["skippedTemplates"] = list(results.skipped_templates)
    if results.skipped_constraints:
        out["skippedConstraints"] = list(results.skipped_constraints)
    out["referentialDataSupported"] = results.engine == REGO
    return out


# --- files ------------------------------------------------------------------------------------------------


def save(results: Iterable[Results], path: str) -> None:
    """Write results for a later ``--compare``, as JSON or, by the file's suffix, as YAML."""
    rows = [_saved(row) for row in results]
    if path.endswith((".yaml", ".yml")):
        from sekisho import manifest

        text = manifest.dump(rows)
    else:
        text = json.dumps(rows, indent=2)
    Path(path).write_text(text, encoding="utf-8")


def _saved(results: Results) -> dict[str, Any]:
    row = _data(results, int)
    del row["totalReviews"]
    if results.peak is not None:
        row["memoryStats"] = {"bytesPerReview": results.peak}
    return row


def load_baseline(path: str, engine: str) -> Baseline | None:
    """The saved results of an engine, None where there are none; gator's files will do.

    Raises DiagnosticError: POL097 if it is no file of results, SRC… if it cannot be read.
    """
    from sekisho import manifest

    documents = manifest.load(manifest.read_source(path))
    rows = documents[0].value if documents else None
    if not isinstance(rows, list):
        _refuse(path, "it is no list of results")
    for row in rows:
        if isinstance(row, dict) and row.get("engine") == engine:
            return _baseline(path, row)
    return None


def _baseline(path: str, row: Mapping[str, Any]) -> Baseline:
    latencies, memory = row.get("latencies"), row.get("memoryStats") or {}
    if not isinstance(latencies, dict) or not isinstance(memory, dict):
        _refuse(path, "latencies and memoryStats must be mappings")
    return Baseline(
        engine=str(row["engine"]),
        p50=_number(path, latencies, "p50"),
        p95=_number(path, latencies, "p95"),
        p99=_number(path, latencies, "p99"),
        mean=_number(path, latencies, "mean"),
        per_second=_number(path, row, "reviewsPerSecond"),
        peak=_number(path, memory, "bytesPerReview") if memory else None,
    )


def _number(path: str, row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(path, f"{name} must be a number, in nanoseconds where it is a time")
    return float(value)


def _refuse(path: str, why: str) -> NoReturn:
    message = f"{path} cannot be compared with: {why}"
    help = "write one with --save"
    raise DiagnosticError(Diagnostic(code=codes.BAD_BASELINE, message=message, help=help))
