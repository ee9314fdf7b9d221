"""What clocks and calendars show of timestamps, and durations in units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sekisho.cel.functions import Overload
from sekisho.cel.standard.rows import rows
from sekisho.cel.times import civil
from sekisho.cel.types import DURATION, INT, STRING, TIMESTAMP
from sekisho.cel.values import NANOS, Duration, Timestamp
from sekisho.lang.golang.gotime import Civil

_PARTS: Final[tuple[tuple[str, str, Callable[[Civil], int]], ...]] = (
    ("getFullYear", "year", lambda time: time.year),
    ("getMonth", "month", lambda time: time.month - 1),
    ("getDayOfYear", "day_of_year", lambda time: time.yearday - 1),
    ("getDayOfMonth", "day_of_month", lambda time: time.day - 1),
    ("getDate", "day_of_month_1_based", lambda time: time.day),
    ("getDayOfWeek", "day_of_week", lambda time: time.weekday),
    ("getHours", "hours", lambda time: time.hour),
    ("getMinutes", "minutes", lambda time: time.minute),
    ("getSeconds", "seconds", lambda time: time.second),
    ("getMilliseconds", "milliseconds", lambda time: time.nanosecond // 1_000_000),
)

_UNITS: Final = (
    ("getHours", "hours", 3_600 * NANOS),
    ("getMinutes", "minutes", 60 * NANOS),
    ("getSeconds", "seconds", NANOS),
    ("getMilliseconds", "milliseconds", 1_000_000),
)


def _part(part: Callable[[Civil], int]) -> Callable[..., int]:
    def get(moment: Timestamp, zone: str = "UTC") -> int:
        return part(civil(moment, zone))

    return get


def _unit(size: int) -> Callable[[Duration], int]:
    def get(span: Duration) -> int:
        return abs(span.ns) // size * (-1 if span.ns < 0 else 1)

    return get


def _getters() -> tuple[Overload, ...]:
    found: list[Overload] = []
    for function, name, part in _PARTS:
        found += rows(
            function,
            _part(part),
            (f"timestamp_to_{name}", (TIMESTAMP,), INT),
            (f"timestamp_to_{name}_with_tz", (TIMESTAMP, STRING), INT),
            member=True,
        )
    for function, name, size in _UNITS:
        found += rows(function, _unit(size), (f"duration_to_{name}", (DURATION,), INT), member=True)
    return tuple(found)


GETTERS: Final = _getters()
