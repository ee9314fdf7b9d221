"""Columns and cells equal those of a real kube-apiserver; ``tools/record_tables.py`` recorded them."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from sekisho.apiserver.registry import built_in_registry
from sekisho.apiserver.tables import row_conditions, table_columns, table_row
from sekisho.kube.gvk import GVK

RECORDED = json.loads(gzip.decompress((Path(__file__).parent / "recorded.json.gz").read_bytes()))
REGISTRY = built_in_registry()


def label(row: dict[str, Any]) -> str:
    return f"{row['object']['kind']}-{row['object']['metadata']['name']}"


@pytest.mark.parametrize("row", RECORDED["rows"], ids=label)
def test_a_table(row: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Then:
            return cls.fromisoformat(row["at"])

    monkeypatch.setattr("sekisho.apiserver.tables.cells.datetime", Then)
    value = row["object"]
    type = REGISTRY.of_kind(*GVK.of(value["apiVersion"], value["kind"]))
    assert type is not None
    columns = [[one["name"], one["type"], one["format"], one["priority"]] for one in table_columns(type)]
    assert columns == row["columns"]
    assert table_row(type, value) == row["cells"]
    assert row_conditions(type, value) == row.get("conditions", [])


def test_enough_kinds_are_recorded() -> None:
    kinds = {row["object"]["kind"] for row in RECORDED["rows"]}
    assert len(kinds) >= 40


@pytest.mark.parametrize("type", REGISTRY.types(), ids=lambda row: f"{row.group}-{row.plural}")
@pytest.mark.parametrize(
    "value", [{}, {"metadata": None, "spec": [], "status": "x"}, {"spec": {"ports": [1]}}]
)
def test_anything_is_printed(type: Any, value: dict[str, Any]) -> None:
    assert len(table_row(type, value)) == len(table_columns(type))
