"""The rules of kstatus, held against what the original says of objects."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sekisho.kube.status import Result, Status, compute

TABLE = Path(__file__).parents[2] / "data" / "kube" / "kstatus.jsonl"
ROWS = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pod(**status: Any) -> dict[str, Any]:
    metadata = {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['object']['kind']}-{row['status']}")
def test_equals_the_original(row: dict[str, Any]) -> None:
    result = compute(row["object"], now=NOW)
    assert result.status.value == row["status"]
    if result.status is not Status.UNKNOWN:
        assert (result.message, result.reason) == (row["message"], row["reason"])


def test_the_table_has_every_status_of_an_object() -> None:
    assert {row["status"] for row in ROWS} == {status.value for status in Status} - {"NotFound"}
    assert len({row["object"]["kind"] for row in ROWS}) >= 14


def test_what_is_not_there_is_not_found() -> None:
    assert compute(None, now=NOW) == Result(status=Status.NOT_FOUND, message="Resource not found")


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, Status.IN_PROGRESS), (14, Status.IN_PROGRESS), (15, Status.FAILED)]
)
def test_a_pod_has_fifteen_seconds_to_be_scheduled(seconds: int, status: Status) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    value = pod(phase="Pending", conditions=[condition])
    assert compute(value, now=NOW + timedelta(seconds=seconds)).status is status


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"apiVersion": 1, "kind": []},
        {"metadata": "x"},
        {"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running", "containerStatuses": 7}},
        {"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running", "containerStatuses": ["x"]}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": "yesterday"}},
        {"status": {"conditions": {"type": "Ready"}}},
    ],
    ids=range(7),
)
def test_nothing_makes_it_fail(value: dict[str, Any]) -> None:
    assert compute(value, now=NOW).status in Status
