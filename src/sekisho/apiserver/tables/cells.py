"""What many cells are made of: values at a path, spans of time, labels, containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sekisho.diag import DiagnosticError
from sekisho.kube.decode import parse_time
from sekisho.kube.quantity import QuantityError, parse
from sekisho.kube.selectors import label_selector

Raw = Mapping[str, Any]

NONE: Final = "<none>"
UNKNOWN: Final = "<unknown>"
UNSET: Final = "<unset>"


def at(value: Any, *path: str) -> Any:
    """The value at a path, None where there is none."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def rows(value: Any, *path: str) -> Sequence[Raw]:
    """The objects of the list at a path."""
    found = at(value, *path)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def text(value: Any, *path: str, default: str = "") -> str:
    """The text at a path."""
    found = at(value, *path)
    return default if found in (None, "") else str(found)


def number(value: Any, *path: str) -> int:
    """The number at a path, 0 where there is none."""
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def created(value: Raw) -> str:
    """How old an object is."""
    return age(at(value, "metadata", "creationTimestamp"))


def age(moment: Any, now: datetime | None = None) -> str:
    """How long ago a moment is, as kubectl writes it; ``<unknown>`` without one."""
    found = parse_time(moment) if isinstance(moment, str) else None
    if found is None:
        return UNKNOWN
    return duration(int(((now or datetime.now(UTC)) - found).total_seconds()))


def between(first: Any, last: Any) -> str:
    """The span between two moments; up to now without a last one, nothing without a first."""
    begins = parse_time(first) if isinstance(first, str) else None
    if begins is None:
        return ""
    ends = parse_time(last) if isinstance(last, str) else None
    return duration(int(((ends or datetime.now(UTC)) - begins).total_seconds()))


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


def labels(value: Any) -> str:
    """A map of labels."""
    found = value if isinstance(value, Mapping) else {}
    return ",".join(f"{key}={found[key]}" for key in sorted(found)) or NONE


def selector(value: Any, *, none: str = NONE) -> str:
    """A LabelSelector as text; ``none`` for one that says nothing."""
    if value is None:
        return none  # which selects nothing, and is written like one that selects everything
    try:
        return str(label_selector(value)) or none
    except DiagnosticError:
        return "<error>"


def quantity(value: Any) -> str:
    """A quantity in its canonical form; 0 where there is none."""
    if value is None:
        return "0"
    try:
        return parse(str(value)).canonical()
    except QuantityError:
        return str(value)


def containers(value: Any, *path: str) -> tuple[str, str]:
    """The names and the images of the containers of a Pod's spec."""
    found = rows(value, *path, "containers")
    return ",".join(text(row, "name") for row in found), ",".join(text(row, "image") for row in found)


def at_most(found: Sequence[str], count: int, most: int, *, nothing: str) -> str:
    """A list cut to its first few, with how many there are beside them."""
    shown = ",".join(found[:most])
    return f"{shown} + {count - most} more..." if count > most else shown or nothing


def yes(value: Any, default: bool = False) -> bool:
    """A flag that may be absent."""
    return value if isinstance(value, bool) else default


def condition(conditions: Iterable[Raw], type: str) -> Raw | None:
    """The condition of a type."""
    return next((row for row in conditions if row.get("type") == type), None)
