"""Tables: the columns of a resource, and the cells of an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from sekisho.apiserver.jsonpath import JsonPathError, find
from sekisho.apiserver.types import Column, ResourceType
from sekisho.kube.decode import parse_time

NAME: Final = Column(name="Name", type="string", format="name")
AGE: Final = Column(name="Age")

Cells = Callable[[Mapping[str, Any]], list[Any]]


def table_columns(type: ResourceType) -> list[dict[str, Any]]:
    """The columns as a Table defines them."""
    return [
        {
            "name": row.name,
            "type": row.type,
            "format": row.format,
            "description": row.description,
            "priority": row.priority,
        }
        for row in (NAME, *type.columns, *(() if type.custom is not None else (AGE,)))
    ]


def table_row(type: ResourceType, value: Mapping[str, Any]) -> list[Any]:
    """The cells of an object."""
    metadata = value.get("metadata") or {}
    if type.custom is not None:
        return [metadata.get("name", ""), *(custom_cell(row, value) for row in type.columns)]
    return [metadata.get("name", ""), age(metadata.get("creationTimestamp"))]


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


def age(text: Any, now: datetime | None = None) -> str:
    """How long ago a moment is, as kubectl writes it; ``<unknown>`` without one."""
    moment = parse_time(text) if isinstance(text, str) else None
    if moment is None:
        return "<unknown>"
    return duration(int(((now or datetime.now(UTC)) - moment).total_seconds()))


def duration(seconds: int) -> str:
    """A span in at most two units (apimachinery ``HumanDuration``)."""
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(0, seconds)}s"
    minutes, hours = seconds // 60, seconds // 3_600
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{days}d"
    years = days // 365
    return _two(years, "y", days % 365, "d") if hours < 24 * 365 * 8 else f"{years}y"


def _two(much: int, unit: str, rest: int, small: str) -> str:
    return f"{much}{unit}{rest}{small}" if rest else f"{much}{unit}"
