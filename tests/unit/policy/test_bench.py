"""Benchmarks: their figures, and what counts as a regression."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sekisho.cli.policy.benchreport import load_baseline, save, table
from sekisho.diag import DiagnosticError
from sekisho.kube.object import Object
from sekisho.policy.bench import Baseline, Latencies, Plan, compare, measure, prepare
from sekisho.policy.compiler import compile_code

TEMPLATE: dict[str, Any] = {
    "apiVersion": "templates.gatekeeper.sh/v1",
    "kind": "ConstraintTemplate",
    "metadata": {"name": "shop"},
    "spec": {
        "crd": {"spec": {"names": {"kind": "Shop"}}},
        "targets": [
            {
                "target": "admission.k8s.gatekeeper.sh",
                "rego": 'package shop\nviolation[{"msg": "m"}] { data.inventory.cluster.v1.Node[_] }',
            }
        ],
    },
}
CONSTRAINT = {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Shop", "metadata": {"name": "all"}}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}


def clock() -> Callable[[], int]:
    """A clock that goes on by one at each look."""
    ticks = count()
    return lambda: next(ticks)


def test_percentiles_lie_between_neighbours() -> None:
    found = Latencies.of(range(0, 101, 10))
    assert (found.min, found.p50, found.p95, found.p99, found.max, found.mean) == (0, 50, 95, 99, 100, 50)


@pytest.mark.parametrize(("rows", "p99"), [([], 0), ([7], 7), ([1, 2], 1)])
def test_percentiles_of_few(rows: list[int], p99: int) -> None:
    assert Latencies.of(rows).p99 == p99


def test_every_object_is_reviewed_in_every_round_and_is_inventory() -> None:
    objects = [Object(raw) for raw in (TEMPLATE, CONSTRAINT, NODE, {**NODE, "metadata": {"name": "o"}})]
    prepared = prepare(objects, compile=compile_code, clock=clock())
    results = measure(prepared, Plan(iterations=3, warmup=1), clock=clock(), peak=lambda function: 8)
    assert (results.reviews, results.violations, results.objects) == (6, 6, 2)
    assert results.latencies == Latencies(min=1, max=1, mean=1, p50=1, p95=1, p99=1)
    assert results.total == 13
    assert results.peak == 8
    assert prepared.setup.total == 4


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([CONSTRAINT, NODE], "no ConstraintTemplates found in input"),
        ([TEMPLATE, NODE], "no Constraints found in input"),
        ([TEMPLATE, CONSTRAINT], "no objects to review found in input"),
        (
            [TEMPLATE, {**CONSTRAINT, "kind": "Other"}, NODE],
            "no constraints loaded (all 1 constraints skipped due to missing templates)",
        ),
    ],
)
def test_nothing_to_measure(rows: list[Any], message: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        prepare([Object(raw) for raw in rows], compile=compile_code, clock=clock())
    (found,) = caught.value.diagnostics
    assert (found.code.id, found.message) == ("POL095", message)


BASE = Baseline(engine="rego", p50=100, p95=200, p99=300, mean=150, per_second=1000, peak=1000)


def after(**changes: float) -> Baseline:
    rows: dict[str, Any] = {"p50": 100, "p95": 200, "p99": 300, "mean": 150, "per_second": 1000, "peak": 1000}
    return Baseline(engine="rego", **{**rows, **changes})


@pytest.mark.parametrize(
    ("changes", "tolerance", "failed"),
    [
        ({}, 0, []),
        ({"p50": 110}, 0, []),
        ({"p50": 111}, 0, ["P50 Latency"]),
        ({"p50": 111}, 12, []),
        ({"p50": 111}, 11, ["P50 Latency"]),
        ({"p50": 1, "p95": 1, "p99": 1, "mean": 1, "per_second": 9000, "peak": 1}, 0, []),
        ({"per_second": 900}, 0, []),
        ({"per_second": 890}, 0, ["Throughput"]),
        ({"per_second": 890}, 30, []),
        ({"peak": 1101}, 1000, ["Bytes/Review"]),
        ({"p95": 1000, "p99": 1000}, 0, ["P95 Latency", "P99 Latency"]),
    ],
)
def test_regressions(changes: dict[str, float], tolerance: float, failed: list[str]) -> None:
    rows = compare(BASE, after(**changes), threshold=10, tolerance=tolerance)
    assert [row.name for row in rows if not row.passed] == failed


@pytest.mark.parametrize("name", ["b.json", "b.yaml"])
def test_results_are_kept_and_read_again(tmp_path: Path, name: str) -> None:
    objects = [Object(raw) for raw in (TEMPLATE, CONSTRAINT, NODE)]
    prepared = prepare(objects, compile=compile_code, clock=clock())
    results = measure(prepared, Plan(iterations=3), clock=clock(), peak=lambda function: 8)
    file = str(tmp_path / name)
    save([results], file)
    assert load_baseline(file, "rego") == Baseline.of(results)
    assert load_baseline(file, "cel") is None
    assert "Throughput:" in table(results)


@pytest.mark.parametrize(
    "text", ["", "{}", '[{"engine": "rego"}]', '[{"engine": "rego", "latencies": {"p50": "1ms"}}]']
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "b.json"
    file.write_text(text)
    with pytest.raises(DiagnosticError) as caught:
        load_baseline(str(file), "rego")
    assert caught.value.diagnostics[0].code.id == "POL097"
