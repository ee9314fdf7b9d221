"""Timestamps and durations as texts, and what clocks and calendars show of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.values import NANOS, TIMESTAMP_MAX, TIMESTAMP_MIN, Duration, Timestamp
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import durations, gotime
from sekisho.lang.golang.layouts import NAMED

_RFC3339: Final = NAMED["RFC3339"]
_OFFSET: Final = re.compile(r"([+-]?)([0-9]{1,4}):([0-9]{1,4})", re.ASCII)


def parse_timestamp(text: str) -> Timestamp:
    """RFC 3339, as Go reads it."""
    try:
        ns = gotime.parse(_RFC3339, text)
    except BuiltinFault:
        raise CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'") from None
    if not TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        raise CelError("timestamp overflow")
    return Timestamp(ns)


def timestamp_text(value: Timestamp) -> str:
    """RFC 3339 in UTC, with as many digits of the second as it takes."""
    return gotime.format_time(gotime.Civil.of(value.ns, "UTC", 0), NAMED["RFC3339Nano"])


def parse_duration(text: str) -> Duration:
    """Go's durations: ``1h30m``, ``1.5s``, ``-2ms``."""
    if any(unit in text for unit in "dwy"):  # which Rego has, and Go has not
        raise CelError("type conversion error from 'string' to 'google.protobuf.Duration'")
    try:
        return Duration(durations.parse(text))
    except BuiltinFault:
        raise CelError("type conversion error from 'string' to 'google.protobuf.Duration'") from None


def duration_text(value: Duration) -> str:
    """Seconds, with a fraction where there is one: ``5400s``. A double's digits, as in cel-go."""
    whole = abs(value.ns) // NANOS
    seconds = whole + (abs(value.ns) % NANOS) / 1e9
    sign = "-" if value.ns < 0 else ""
    digits = f"{seconds:.17f}" if seconds < 1e-4 else repr(seconds)
    shown = _positional(repr(seconds)) if "e" in repr(seconds) else digits
    return f"{sign}{shown.removesuffix('.0')}s"


def _positional(text: str) -> str:
    """A small number without an exponent."""
    digits, exponent = text.split("e")
    return f"0.{'0' * (-int(exponent) - 1)}{digits.replace('.', '')}"


# --- what clocks show -------------------------------------------------------------------------------------


def civil(value: Timestamp, zone: str = "UTC") -> gotime.Civil:
    """A moment as clocks and calendars of a zone show it: ``UTC``, ``Europe/Paris``, ``-07:30``."""
    if zone in ("UTC", ""):
        return gotime.Civil.of(value.ns, "UTC", 0)
    if ":" in zone:
        return gotime.Civil.of(value.ns, "", _fixed(zone))
    return gotime.Civil.of(value.ns, "", _named(value, zone))


def _fixed(zone: str) -> int:
    """Seconds east of Greenwich of an offset that is written."""
    found = _OFFSET.fullmatch(zone)
    if found is None:
        part = zone.partition(":")
        wrong = part[0] if not re.fullmatch(r"[+-]?[0-9]+", part[0]) else part[2]
        raise CelError(f'strconv.Atoi: parsing "{wrong}": invalid syntax')
    sign, hours, minutes = found.groups()
    seconds = (int(hours) * 60 + int(minutes)) * 60
    return -seconds if sign == "-" else seconds


def _named(value: Timestamp, zone: str) -> int:
    """Seconds east of Greenwich in a zone of the time zone database, at a moment."""
    from zoneinfo import ZoneInfo

    try:
        found = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise CelError(f"unknown time zone {zone}") from None
    # Python's years are 1 to 9999 in every zone; at the edges a day aside has the same offset.
    day = 86_400
    seconds = min(max(value.ns // NANOS, TIMESTAMP_MIN // NANOS + day), TIMESTAMP_MAX // NANOS - day)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    offset = moment.astimezone(found).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
