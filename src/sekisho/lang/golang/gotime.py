"""Times and layouts as Go's package time reads and writes them.

A layout shows how the reference time, Mon Jan 2 15:04:05 MST 2006, would be written. Instants are nanoseconds
since 1970; the calendar is Gregorian at any time, as in Go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sekisho.diag import Limit
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang.gotext import quote_bytes as quote
from sekisho.lang.meter import Exhausted

SECOND: Final = 1_000_000_000

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

# --- the calendar ----------------------


def days_since_epoch(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date; a day outside its month counts on from there."""
    year -= month <= 2
    era, within = divmod(year, 400)
    in_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + within * 365 + within // 4 - within // 100 + in_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + (3 if shifted < 10 else -9)
    return era * 400 + year + (month <= 2), month, day


def days_in(year: int, month: int) -> int:
    """The length of a month."""
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    return days_since_epoch(*following, 1) - days_since_epoch(year, month, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Civil:
    """An instant as a clock on the wall shows it. ``offset`` is in seconds east of Greenwich."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    nanosecond: int
    weekday: int  # Sunday is 0
    yearday: int
    zone: str
    offset: int

    @classmethod
    def of(cls, nanoseconds: int, zone: str, offset: int) -> Civil:
        """The instant this many nanoseconds after 1970, in a zone."""
        seconds, nanosecond = divmod(nanoseconds, SECOND)
        days, rest = divmod(seconds + offset, 86_400)
        year, month, day = date_of(days)
        return cls(
            year=year,
            month=month,
            day=day,
            hour=rest // 3600,
            minute=rest // 60 % 60,
            second=rest % 60,
            nanosecond=nanosecond,
            weekday=(days + 4) % 7,
            yearday=days - days_since_epoch(year, 1, 1) + 1,
            zone=zone,
            offset=offset,
        )


LAYOUT: Final = Limit("a time layout", 1_000, "characters", "a date and a time take fifty")

# --- layouts ----------------------

_CHUNK: Final = re.compile(
    r"(?P<LongMonth>January)|(?P<Month>Jan(?![a-z]))|(?P<LongWeekDay>Monday)|(?P<WeekDay>Mon(?![a-z]))"
    r"|(?P<TZ>MST)|(?P<ZeroMonth>01)|(?P<ZeroDay>02)|(?P<ZeroHour12>03)|(?P<ZeroMinute>04)"
    r"|(?P<ZeroSecond>05)|(?P<Year>06)|(?P<ZeroYearDay>002)|(?P<Hour>15)|(?P<NumMonth>1)"
    r"|(?P<LongYear>2006)|(?P<UnderDay>_2(?!006))|(?P<UnderYearDay>__2)|(?P<Day>2)|(?P<Hour12>3)"
    r"|(?P<Minute>4)|(?P<Second>5)|(?P<PM>PM)|(?P<pm>pm)"
    r"|(?P<Zone>[-Z]07(?:0000|:00:00|00|:00)?)|(?P<Fraction>[.,](?:0+|9+)(?![0-9]))"
)


@lru_cache(maxsize=256)
def chunks(layout: str) -> tuple[tuple[str, str, str], ...]:
    """A layout in pieces: the text before an element, the element's name, and its text; the rest last.

    Raises Exhausted for one over ``LAYOUT``.
    """
    if len(layout) > LAYOUT.value:
        raise Exhausted(LAYOUT)
    out = []
    at = 0
    for found in _CHUNK.finditer(layout):
        out.append((layout[at : found.start()], str(found.lastgroup), found[0]))
        at = found.end()
    return (*out, (layout[at:], "", ""))


def format_time(time: Civil, layout: str) -> str:
    """A time by a layout."""
    out = []
    for before, name, text in chunks(layout):
        out.append(before)
        if name:
            out.append(_FORMATS[name](time, text))
    return "".join(out)


def _hour12(time: Civil) -> int:
    return time.hour % 12 or 12


def _signed(number: int, width: int) -> str:
    return f"-{-number:0{width}d}" if number < 0 else f"{number:0{width}d}"


def _zone(time: Civil, text: str) -> str:
    if text[0] == "Z" and time.offset == 0:
        return "Z"
    return _offset(time.offset, text[1:])


def _offset(offset: int, form: str) -> str:
    """An offset by a form such as 0700 or 07:00:00."""
    minutes = abs(offset) // 60
    sign = "-" if offset <= -60 else "+"
    colon = ":" if ":" in form else ""
    out = f"{sign}{minutes // 60:02d}"
    if len(form) > 2:
        out += f"{colon}{minutes % 60:02d}"
    if len(form) > 5:
        out += f"{colon}{abs(offset) % 60:02d}"
    return out


def _fraction(time: Civil, text: str) -> str:
    digits = f"{time.nanosecond:09d}"[: len(text) - 1]
    if text[1] == "0":
        return text[0] + digits
    digits = digits.rstrip("0")
    return text[0] + digits if digits else ""


_FORMATS: Final[dict[str, Callable[[Civil, str], str]]] = {
    "LongMonth": lambda t, _: MONTHS[t.month - 1],
    "Month": lambda t, _: MONTHS[t.month - 1][:3],
    "NumMonth": lambda t, _: str(t.month),
    "ZeroMonth": lambda t, _: f"{t.month:02d}",
    "LongWeekDay": lambda t, _: DAYS[t.weekday],
    "WeekDay": lambda t, _: DAYS[t.weekday][:3],
    "Day": lambda t, _: str(t.day),
    "UnderDay": lambda t, _: f"{t.day:2d}",
    "ZeroDay": lambda t, _: f"{t.day:02d}",
    "UnderYearDay": lambda t, _: f"{t.yearday:3d}",
    "ZeroYearDay": lambda t, _: f"{t.yearday:03d}",
    "Hour": lambda t, _: f"{t.hour:02d}",
    "Hour12": lambda t, _: str(_hour12(t)),
    "ZeroHour12": lambda t, _: f"{_hour12(t):02d}",
    "Minute": lambda t, _: str(t.minute),
    "ZeroMinute": lambda t, _: f"{t.minute:02d}",
    "Second": lambda t, _: str(t.second),
    "ZeroSecond": lambda t, _: f"{t.second:02d}",
    "LongYear": lambda t, _: _signed(t.year, 4),
    "Year": lambda t, _: f"{abs(t.year) % 100:02d}",
    "PM": lambda t, _: "PM" if t.hour >= 12 else "AM",
    "pm": lambda t, _: "pm" if t.hour >= 12 else "am",
    "TZ": lambda t, _: t.zone or _offset(t.offset, "0700"),
    "Zone": _zone,
    "Fraction": _fraction,
}

# --- reading ----------------------


class _Bad(Exception):
    """The text here is not what the layout says; with a message when it is out of range."""


@dataclass(slots=True, kw_only=True)
class _Fields:
    """What has been read so far."""

    year: int = 0
    month: int = -1
    day: int = -1
    yearday: int = -1
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanosecond: int = 0
    half: str = ""
    offset: int | None = None
    utc: bool = False  # said in so many words: then an offset counts for nothing


def parse(layout: str, value: str) -> int:
    """The instant that ``value`` denotes by ``layout``, in nanoseconds since 1970.

    A zone given by an abbreviation alone is UTC, whatever it says, as on a machine whose own time is UTC.
    Raises BuiltinFault with Go's message.
    """
    if len(value) > LAYOUT.value:
        raise Exhausted(LAYOUT)
    fields = _Fields()
    rest = value
    pieces = chunks(layout)
    for number, (before, name, text) in enumerate(pieces):
        skipped = _skip(rest, before)
        if skipped is None:
            raise _cannot(layout, value, before, _skipped_to(rest, before))
        rest = skipped
        if not name:
            if rest:
                raise BuiltinFault(f"parsing time {quote(value)}: extra text: {quote(rest)}")
            break
        try:
            rest = _read(fields, rest, name, text, pieces[number + 1][1])
        except _Bad as bad:
            if bad.args:
                raise BuiltinFault(f"parsing time {quote(value)}: {bad.args[0]} out of range") from None
            raise _cannot(layout, value, text, rest) from None
    return _instant(fields, value)


def _cannot(layout: str, value: str, element: str, rest: str) -> BuiltinFault:
    what = f"cannot parse {quote(rest)} as {quote(element)}"
    return BuiltinFault(f"parsing time {quote(value)} as {quote(layout)}: {what}")


def _instant(fields: _Fields, value: str) -> int:
    hour = fields.hour
    if fields.half == "pm" and hour < 12:
        hour += 12
    elif fields.half == "am" and hour == 12:
        hour = 0
    month, day = _month_and_day(fields, value)
    days = days_since_epoch(fields.year, month, day)
    seconds = days * 86_400 + hour * 3600 + fields.minute * 60 + fields.second
    if not fields.utc:
        seconds -= fields.offset or 0
    return seconds * SECOND + fields.nanosecond


def _month_and_day(fields: _Fields, value: str) -> tuple[int, int]:
    def fault(what: str) -> BuiltinFault:
        return BuiltinFault(f"parsing time {quote(value)}: {what}")

    month, day = fields.month, fields.day
    if fields.yearday >= 0:
        length = 337 + days_in(fields.year, 2)
        if not 1 <= fields.yearday <= length:
            raise fault("day-of-year out of range")
        first = days_since_epoch(fields.year, 1, 1)
        _, m, d = date_of(first + fields.yearday - 1)
        if month not in {-1, m}:
            raise fault("day-of-year does not match month")
        if day not in {-1, d}:
            raise fault("day-of-year does not match day")
        return m, d
    month = 1 if month < 0 else month
    day = 1 if day < 0 else day
    if not 1 <= day <= days_in(fields.year, month):
        raise fault("day out of range")
    return month, day


def _skip(value: str, prefix: str) -> str | None:
    """The value after the layout's literal text; runs of spaces are the same."""
    while prefix:
        if prefix[0] == " ":
            if value and value[0] != " ":
                return None
            prefix, value = prefix.lstrip(" "), value.lstrip(" ")
            continue
        if not value or value[0] != prefix[0]:
            return None
        prefix, value = prefix[1:], value[1:]
    return value


def _skipped_to(value: str, prefix: str) -> str:
    """Where ``_skip`` gave up."""
    while prefix and value and (value[0] == prefix[0]):
        if prefix[0] == " ":
            prefix, value = prefix.lstrip(" "), value.lstrip(" ")
        else:
            prefix, value = prefix[1:], value[1:]
    return value


def _read(fields: _Fields, value: str, name: str, text: str, follows: str) -> str:
    """Read one element; give back what follows it."""
    if name in _NUMBERS:
        field, fixed, low, high, what = _NUMBERS[name]
        if name == "UnderDay":
            value = value.removeprefix(" ")
        number, value = _digits(value, 2, fixed=fixed)
        if not low <= number <= high:
            raise _Bad(what)
        setattr(fields, field, number)
        if field == "second" and re.match("[.,][0-9]", value) and follows != "Fraction":
            return _read_fraction(fields, value)
        return value
    return _READERS[name](fields, value, text)


# The field, whether two digits are a must, the range, and what is out of range otherwise.
_NUMBERS: Final = {
    "NumMonth": ("month", False, 1, 12, "month"),
    "ZeroMonth": ("month", True, 1, 12, "month"),
    "Day": ("day", False, 0, 99, ""),
    "UnderDay": ("day", False, 0, 99, ""),
    "ZeroDay": ("day", True, 0, 99, ""),
    "Hour": ("hour", False, 0, 23, "hour"),
    "Hour12": ("hour", False, 0, 12, "hour"),
    "ZeroHour12": ("hour", True, 0, 12, "hour"),
    "Minute": ("minute", False, 0, 59, "minute"),
    "ZeroMinute": ("minute", True, 0, 59, "minute"),
    "Second": ("second", False, 0, 59, "second"),
    "ZeroSecond": ("second", True, 0, 59, "second"),
}


def _digits(value: str, most: int, *, fixed: bool) -> tuple[int, str]:
    count = 0
    while count < most and "0" <= value[count : count + 1] <= "9":
        count += 1
    if count == 0 or (fixed and count != most):
        raise _Bad
    return int(value[:count]), value[count:]


def _year(fields: _Fields, value: str, _: str) -> str:
    found = re.match("[+-]?[0-9]{1,2}", value[:2])
    if len(value) < 2 or not found or found.end() != 2:
        raise _Bad
    year = int(value[:2])
    fields.year = year + (1900 if year >= 69 else 2000)
    return value[2:]


def _long_year(fields: _Fields, value: str, _: str) -> str:
    fields.year, value = _digits(value, 4, fixed=True)
    return value


def _named(value: str, names: tuple[str, ...], length: int | None) -> tuple[int, str]:
    for number, full in enumerate(names):
        name = full[:length]
        if value[: len(name)].lower() == name.lower() and value[: len(name)].isascii():
            return number, value[len(name) :]
    raise _Bad


def _month(fields: _Fields, value: str, text: str) -> str:
    number, value = _named(value, MONTHS, 3 if text == "Jan" else None)
    fields.month = number + 1
    return value


def _weekday(_: _Fields, value: str, text: str) -> str:
    return _named(value, DAYS, 3 if text == "Mon" else None)[1]


def _yearday(fields: _Fields, value: str, text: str) -> str:
    if text == "__2":
        value = value.removeprefix(" ").removeprefix(" ")
    fields.yearday, value = _digits(value, 3, fixed=text == "002")
    return value


def _half(fields: _Fields, value: str, text: str) -> str:
    half = value[:2]
    if half not in ({"AM", "PM"} if text == "PM" else {"am", "pm"}):
        raise _Bad
    fields.half = half.lower()
    return value[2:]


_OFFSETS: Final = {
    form: re.compile(pattern)
    for form, pattern in (
        ("07:00", "(.)(..):(..)"),
        ("07", "(.)(..)"),
        ("07:00:00", "(.)(..):(..):(..)"),
        ("070000", "(.)(..)(..)(..)"),
        ("0700", "(.)(..)(..)"),
    )
}


def _read_zone(fields: _Fields, value: str, text: str) -> str:
    if text[0] == "Z" and value.startswith("Z"):
        fields.utc = True
        return value[1:]
    found = _OFFSETS[text[1:]].match(value)
    if not found:
        raise _Bad
    sign, *parts = found.groups()
    units = ((24, "hour"), (60, "minute"), (60, "second"))
    seconds = 0
    for part, (limit, what), size in zip(parts, units, (3600, 60, 1), strict=False):
        if not (part.isascii() and part.isdecimal()):
            raise _Bad
        if int(part) > limit:
            raise _Bad(f"time zone offset {what}")
        seconds += int(part) * size
    if sign not in "+-":
        raise _Bad
    fields.offset = -seconds if sign == "-" else seconds
    return value[found.end() :]


_ABBREVIATION: Final = re.compile(
    r"UTC|ChST|MeST|GMT(?P<gmt>[+-](?:[0-9]+))?|[+-][0-9]+|[A-Z]{4}T(?![A-Z])|(?:[A-Z]{3}T|WITA)(?![A-Z])"
    r"|[A-Z]{3}(?![A-Z])"
)


def _abbreviation(fields: _Fields, value: str, _: str) -> str:
    found = _ABBREVIATION.match(value)
    if not found or len(value) < 3:
        raise _Bad
    end, name = found.end(), found[0]
    if name[0] in "+-" and int(name[1:][:4]) > 23:
        raise _Bad
    if found["gmt"] and abs(int(found["gmt"][:5])) > 23:
        end = 3
    elif name == "UTC":
        fields.utc = True
    return value[end:]


def _read_fraction(fields: _Fields, value: str, text: str = ".9") -> str:
    found = re.match("[.,]([0-9]+)", value)
    if text[1] == "0":
        if not found or len(found[1]) < len(text) - 1:
            raise _Bad
        digits = value[1 : len(text)]
        value = value[len(text) :]
    elif found:
        digits = found[1]
        value = value[found.end() :]
    else:
        return value
    fields.nanosecond = int(digits[:9].ljust(9, "0"))
    return value


_READERS: Final[dict[str, Callable[[_Fields, str, str], str]]] = {
    "Year": _year,
    "LongYear": _long_year,
    "Month": _month,
    "LongMonth": _month,
    "WeekDay": _weekday,
    "LongWeekDay": _weekday,
    "UnderYearDay": _yearday,
    "ZeroYearDay": _yearday,
    "PM": _half,
    "pm": _half,
    "Zone": _read_zone,
    "TZ": _abbreviation,
    "Fraction": _read_fraction,
}
