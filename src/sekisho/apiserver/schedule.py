"""Schedules of CronJobs: five fields, names, steps, ``@daily``, time zones (robfig/cron, standard parser).

A day matches if its month and week fit; where both ``day of month`` and ``day of week`` are restricted, one
of them is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from sekisho.kube.decode import parse_time
from sekisho.lang.golang.gotext import quote

MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS: Final = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 6, DAYS),
)
YEARS: Final = 5
"""How far the next moment is looked for; 30 February never comes."""

MAX_TEXT: Final = 200
"""Letters of a schedule: the longest sound ones list sixty minutes."""


class ScheduleError(Exception):
    """A schedule that cannot be read. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a CronJob is due. ``restricted``: whether the day of month, the day of week, are not ``*``."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    restricted: tuple[bool, bool]
    zone: tzinfo

    def after(self, moment: datetime) -> datetime | None:
        """The first moment after one, in UTC; None if none comes within five years."""
        local = moment.astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0)
        local += timedelta(minutes=1)
        end = local + timedelta(days=366 * YEARS)
        while local < end:
            if local.month not in self.months or not self._day(local):
                local = local.replace(hour=0, minute=0) + timedelta(days=1)
            elif local.hour not in self.hours:
                local = local.replace(minute=0) + timedelta(hours=1)
            elif local.minute not in self.minutes:
                local += timedelta(minutes=1)
            else:
                found = local.replace(tzinfo=self.zone).astimezone(UTC)
                # An hour that a change of the clock leaves out comes back as another one: it is not due.
                if found > moment and found.astimezone(self.zone).replace(tzinfo=None) == local:
                    return found
                local += timedelta(minutes=1)
        return None

    def last(self, since: datetime, now: datetime) -> tuple[datetime | None, int]:
        """The last moment after ``since`` until now, and how many there were (counting ends at a hundred)."""
        found, count, start = None, 0, max(since, now - timedelta(days=366))
        while (moment := self.after(start)) is not None and moment <= now:
            found, count, start = moment, count + 1, moment
            if count > MISSED:  # far behind: the last hour tells the last moment, or the last days do
                for span in (timedelta(hours=2), timedelta(days=2), timedelta(days=70)):
                    if now - span <= found:
                        continue
                    recent, _ = self.last(now - span, now)
                    if recent is not None:
                        return recent, count
        return found, count

    def _day(self, local: datetime) -> bool:
        day = local.day in self.days
        weekday = (local.weekday() + 1) % 7 in self.weekdays
        return (day or weekday) if all(self.restricted) else (day and weekday)


MISSED: Final = 100
"""Missed starts after which a CronJob is told that it is far behind."""


def read(text: str, zone: str | None = None) -> Schedule:
    """A schedule as a CronJob writes it. Raises ScheduleError."""
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise ScheduleError("the schedule is too long")
    parts = MACROS.get(text, text).split()
    if len(parts) != len(FIELDS):
        raise ScheduleError(f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]")
    sets = [_field(part, row) for part, row in zip(parts, FIELDS, strict=True)]
    restricted = tuple(part.split("/")[0] not in ("*", "?") for part in (parts[2], parts[4]))
    return Schedule(
        minutes=sets[0],
        hours=sets[1],
        days=sets[2],
        months=sets[3],
        weekdays=sets[4],
        restricted=(restricted[0], restricted[1]),
        zone=_zone(zone),
    )


def _zone(name: str | None) -> tzinfo:
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ScheduleError(f"unknown time zone {name}") from None


def _field(text: str, row: tuple[str, int, int, tuple[str, ...]]) -> frozenset[int]:
    _, least, most, _ = row
    found: set[int] = set()
    for part in text.split(","):
        span, *steps = part.split("/")
        if len(steps) > 1:
            raise ScheduleError(f"too many slashes: {part}")
        step = _number(steps[0], ()) if steps else 1
        if span in ("*", "?"):
            first, last = least, most
        else:
            begin, *ends = span.split("-")
            if len(ends) > 1:
                raise ScheduleError(f"too many hyphens: {part}")
            first = _number(begin, row)
            last = _number(ends[0], row) if ends else (most if steps else first)
        _check_range(part, (first, last, step), (least, most))
        found |= set(range(first, last + 1, step))
    return frozenset(found)


def _check_range(part: str, given: tuple[int, int, int], bounds: tuple[int, int]) -> None:
    """Raises ScheduleError, in the words of robfig/cron."""
    (first, last, step), (least, most) = given, bounds
    if first < least:
        raise ScheduleError(f"beginning of range ({first}) below minimum ({least}): {part}")
    if last > most:
        raise ScheduleError(f"end of range ({last}) above maximum ({most}): {part}")
    if first > last:
        raise ScheduleError(f"beginning of range ({first}) beyond end of range ({last}): {part}")
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {part}")


def _number(text: str, row: tuple[str, int, int, tuple[str, ...]] | tuple[()]) -> int:
    if row and text.lower() in row[3]:
        return row[3].index(text.lower()) + row[1]
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        why = f"strconv.Atoi: parsing {quote(text)}: invalid syntax"
        raise ScheduleError(f"failed to parse int from {text}: {why}")
    return int(text)


MAX_DIGITS: Final = 9
"""Digits of a number; no minute, day or year has as many."""


def moment(text: object) -> datetime | None:
    """A time of the API, None for anything else."""
    return parse_time(text) if isinstance(text, str) else None
