"""Go's layouts, written and read (expectations are what opa 1.19 gives)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.lang.golang import gotime
from sekisho.lang.meter import Exhausted
from sekisho.rego.faults import BuiltinFault

MOMENT = gotime.Civil.of(1_700_000_009_070_000_000, "CET", 3600)  # 2023-11-14 23:13:29.07


@pytest.mark.parametrize(
    ("layout", "result"),
    [
        ("2006-01-02T15:04:05Z07:00", "2023-11-14T23:13:29+01:00"),
        ("2006-01-02T15:04:05.999999999Z07:00", "2023-11-14T23:13:29.07+01:00"),
        ("Mon Jan _2 15:04:05 2006", "Tue Nov 14 23:13:29 2023"),
        ("Monday, 02-Jan-06 15:04:05 MST", "Tuesday, 14-Nov-23 23:13:29 CET"),
        ("3:04PM 03 pm", "11:13PM 11 pm"),
        ("1/2 01/02 __2 002", "11/14 11/14 318 318"),
        ("5.000 05,00 .9", "29.070 29,07 "),
        ("Z0700 -0700 -07 -07:00:00 Z070000", "+0100 +0100 +01 +01:00:00 +010000"),
        ("January Janet _2006", "November Janet _2023"),
        ("nothing", "nothing"),
    ],
)
def test_format(layout: str, result: str) -> None:
    assert gotime.format_time(MOMENT, layout) == result


def test_utc_is_z() -> None:
    assert gotime.format_time(gotime.Civil.of(0, "UTC", 0), "15:04Z07:00 MST -0700") == "00:00Z UTC +0000"


@pytest.mark.parametrize(
    ("layout", "value", "result"),
    [
        ("2006-01-02T15:04:05Z07:00", "2023-11-14T23:13:29+01:00", 1_700_000_009_000_000_000),
        ("2006-01-02T15:04:05Z07:00", "2023-11-14T22:13:29.5Z", 1_700_000_009_500_000_000),
        ("Mon Jan _2 15:04:05 2006", "Tue Nov  4 23:13:29 2023", 1_699_139_609_000_000_000),
        ("02 Jan 06 15:04 MST", "14 nov 69 22:13 CET", -4_067_220_000_000_000),
        ("3:04PM", "12:30AM", -62_167_217_400_000_000_000),
        ("2006 002", "2024 060", 1_709_164_800_000_000_000),
        ("2006-01-02 MST", "2024-01-01 GMT+3", 1_704_067_200_000_000_000),
    ],
)
def test_parse(layout: str, value: str, result: int) -> None:
    assert gotime.parse(layout, value) == result


@pytest.mark.parametrize(
    ("layout", "value", "message"),
    [
        ("2006-01-02", "2023-13-01", 'parsing time "2023-13-01": month out of range'),
        ("2006-01-02", "2023-02-30", 'parsing time "2023-02-30": day out of range'),
        ("15:04", "24:00", 'parsing time "24:00": hour out of range'),
        ("2006-01-02", "2023-1-02", 'parsing time "2023-1-02" as "2006-01-02": cannot parse "1-02" as "01"'),
        ("2006-01-02", "2023x", 'parsing time "2023x" as "2006-01-02": cannot parse "x" as "-"'),
        (
            "2006",
            "2023é",
            'parsing time "2023é": extra text: "\\xc3\\xa9"'.replace("2023é", "2023\\xc3\\xa9"),
        ),
        ("2006 002", "2023 366", 'parsing time "2023 366": day-of-year out of range'),
        ("-0700", "+2500", 'parsing time "+2500": time zone offset hour out of range'),
    ],
)
def test_refusals(layout: str, value: str, message: str) -> None:
    with pytest.raises(BuiltinFault) as caught:
        gotime.parse(layout, value)
    assert str(caught.value) == message


def test_a_layout_has_a_limit() -> None:
    with pytest.raises(Exhausted):
        gotime.chunks("2006" * 1000)


@given(st.integers(-700_000, 2_900_000))
def test_the_calendar_is_python_s(days: int) -> None:
    date = dt.date(1970, 1, 1) + dt.timedelta(days) if days > -719_000 else None
    year, month, day = gotime.date_of(days)
    assert gotime.days_since_epoch(year, month, day) == days
    if date:
        assert (year, month, day) == (date.year, date.month, date.day)


@given(st.integers(-(2**62), 2**62))
def test_what_is_written_reads_back(nanoseconds: int) -> None:
    layout = "2006-01-02 15:04:05.000000000 -07:00"
    written = gotime.format_time(gotime.Civil.of(nanoseconds, "", -12_600), layout)
    assert gotime.parse(layout, written) == nanoseconds
