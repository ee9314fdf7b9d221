"""The cells of columns that CustomResourceDefinitions name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sekisho.apiserver.jsonpath import JsonPathError, find
from sekisho.apiserver.tables.cells import age
from sekisho.apiserver.types import Column


def custom_cell(column: Column, value: Mapping[str, Any]) -> Any:
    """The cell of a column that a CustomResourceDefinition names; None where there is nothing to show."""
    try:
        found = find(column.path, value)
    except JsonPathError:
        return None
    if not found:
        return None
    cell = found[0]
    if column.type == "string":
        return _printed(cell)
    if column.type == "date":
        return age(cell) if isinstance(cell, str) else None
    if column.type == "boolean":
        return cell if isinstance(cell, bool) else None
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    return int(cell) if column.type == "integer" else float(cell)


def _printed(cell: Any) -> Any:
    """A value as client-go's JSONPath prints it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return None if cell is None else orjson.dumps(cell).decode()
