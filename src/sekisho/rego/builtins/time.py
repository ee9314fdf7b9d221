"""time.*: instants are nanoseconds since 1970, optionally with a time zone and a layout.

Time zones come from the system's database, or from the package tzdata.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sekisho.lang.golang import durations, gotime, layouts
from sekisho.rego import numbers
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import NUMBER, STRING, Array, Function, Union
from sekisho.rego.values import Value

if TYPE_CHECKING:
    from datetime import tzinfo

_FIRST: Final = -(2**63)
_LAST: Final = 2**63 - 1

Zone = Callable[[int], tuple[str, int]]
"""Seconds since 1970 → the abbreviation in use and the offset in seconds."""


def _utc(_: int) -> tuple[str, int]:
    return "UTC", 0


@lru_cache(maxsize=128)
def _zone(name: str) -> Zone:
    """A time zone of the database. Raises BuiltinFault for a name that it does not have."""
    if name in {"", "UTC"}:
        return _utc
    if name == "Local":
        return _in_zone(None)
    if ".." in name.split("/") or name[0] in "/\\" or "\\" in name:
        raise BuiltinFault("time: invalid location name")
    from zoneinfo import ZoneInfo

    try:
        return _in_zone(ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        raise BuiltinFault(f"unknown time zone {name}") from None


def _in_zone(zone: tzinfo | None) -> Zone:
    from datetime import UTC, datetime, timedelta

    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    def lookup(seconds: int) -> tuple[str, int]:
        local = (epoch + timedelta(seconds=seconds)).astimezone(zone)
        offset = local.utcoffset()
        assert offset is not None
        return local.tzname() or "", offset // timedelta(seconds=1)

    return lookup


def _moment(value: Value) -> tuple[int, Zone, str]:
    """The operand: nanoseconds, or [nanoseconds, zone], or [nanoseconds, zone, layout]."""
    layout = ""
    zone: Zone = _utc
    if type(value) is list and value:
        number = operands.number(value[0], 1)
        if len(value) > 1:
            zone = _zone(operands.string(value[1], 1))
        if len(value) > 2:
            layout = operands.string(value[2], 1)
    elif type(value) is list or type(value) in {dict, str, bool} or value is None:
        operands.wrong_type(1, value, "either number (ns) or [number (ns), string (tz)]")
    else:
        number = operands.number(value, 1)
    exact = numbers.whole(number)
    if exact is None or not _FIRST <= exact <= _LAST:
        raise BuiltinFault("timestamp too big")
    return exact, zone, layout


def _civil(value: Value) -> gotime.Civil:
    nanoseconds, zone, _ = _moment(value)
    return gotime.Civil.of(nanoseconds, *zone(nanoseconds // gotime.SECOND))


def _in_range(nanoseconds: int) -> int:
    if not _FIRST <= nanoseconds <= _LAST:
        raise BuiltinFault("time outside of valid range")
    return nanoseconds


# --- reading and writing ------------


def _now(context: EvalContext) -> int:
    return context.now_ns


def _parse(layout: Value, text: Value) -> int:
    operands.check_strings(layout, text)
    return _in_range(gotime.parse(layouts.NAMED.get(layout, layout), text))


def _parse_rfc3339(text: Value) -> int:
    return _in_range(gotime.parse(layouts.NAMED["RFC3339"], operands.string(text, 1)))


def _parse_duration(text: Value) -> int:
    return durations.parse(operands.string(text, 1))


def _format(context: EvalContext, value: Value) -> str:
    nanoseconds, zone, layout = _moment(value)
    context.meter.text(len(layout) * 4)  # the longest element is Wednesday, of Mon
    time = gotime.Civil.of(nanoseconds, *zone(nanoseconds // gotime.SECOND))
    return gotime.format_time(time, layouts.NAMED.get(layout or "RFC3339Nano", layout))


# --- the calendar ------------


def _date(value: Value) -> list[int]:
    time = _civil(value)
    return [time.year, time.month, time.day]


def _clock(value: Value) -> list[int]:
    time = _civil(value)
    return [time.hour, time.minute, time.second]


def _weekday(value: Value) -> str:
    return gotime.DAYS[_civil(value).weekday]


def _add_date(value: Value, years: Value, months: Value, days: Value) -> int:
    """Add to the parts of a date; 31 January plus a month is 2 or 3 March."""
    nanoseconds, zone, _ = _moment(value)
    more = [operands.integer(part, position) for position, part in enumerate((years, months, days), 2)]
    time = gotime.Civil.of(nanoseconds, *zone(nanoseconds // gotime.SECOND))
    carry, month = divmod(time.month - 1 + more[1], 12)
    day = gotime.days_since_epoch(time.year + more[0] + carry, month + 1, 1) + time.day - 1 + more[2]
    seconds = day * 86_400 + time.hour * 3600 + time.minute * 60 + time.second
    _in_range(seconds * gotime.SECOND)
    _, offset = zone(seconds)  # the zone wants to know the instant; this is right but near a change
    if offset:
        _, offset = zone(seconds - offset)
    return _in_range((seconds - offset) * gotime.SECOND + time.nanosecond)


def _diff(left: Value, right: Value) -> list[int]:
    """Years, months, days, hours, minutes and seconds between two instants, in the first one's zone."""
    a, zone, _ = _moment(left)
    b, _, _ = _moment(right)
    a, b = min(a, b), max(a, b)
    first, second = (gotime.Civil.of(t, *zone(t // gotime.SECOND)) for t in (a, b))
    out = [
        second.year - first.year,
        second.month - first.month,
        second.day - first.day,
        second.hour - first.hour,
        second.minute - first.minute,
        second.second - first.second,
    ]
    sizes = (0, 12, gotime.days_in(first.year, first.month), 24, 60, 60)
    for part in range(5, 0, -1):
        if out[part] < 0:
            out[part] += sizes[part]
            out[part - 1] -= 1
    return out


def _register() -> None:
    zoned = Array(static=(NUMBER, STRING))
    moment = Union((NUMBER, zoned))
    with_layout = Union((NUMBER, zoned, Array(static=(NUMBER, STRING, STRING))))
    three = Array(static=(NUMBER,) * 3)
    row("time.now_ns", Function((), NUMBER), _now, context=True, deterministic=False)
    row("time.parse_ns", Function((STRING, STRING), NUMBER), _parse)
    row("time.parse_rfc3339_ns", Function((STRING,), NUMBER), _parse_rfc3339)
    row("time.parse_duration_ns", Function((STRING,), NUMBER), _parse_duration)
    row("time.format", Function((with_layout,), STRING), _format, context=True)
    row("time.date", Function((moment,), three), _date)
    row("time.clock", Function((moment,), three), _clock)
    row("time.weekday", Function((moment,), STRING), _weekday)
    row("time.add_date", Function((NUMBER,) * 4, NUMBER), _add_date)
    row("time.diff", Function((moment, moment), Array(static=(NUMBER,) * 6)), _diff)


_register()
