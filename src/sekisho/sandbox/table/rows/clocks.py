"""Clocks, timers and sleeping."""

from __future__ import annotations

from errno import EINVAL, EPERM
from typing import Final

from sekisho.sandbox.table.model import PLAIN, Row, Support, call, checked, denied, notified, one_of

CLOCKS: Final = {"CLOCK_REALTIME": 0, "CLOCK_MONOTONIC": 1, "CLOCK_BOOTTIME": 7}
"""Not the clocks of processes and threads (CVE-2022-2585, CVE-2025-38352), or that wake the machine."""

_READS: Final = "the vDSO tells the same, where no filter reaches"
_OWN: Final = "a timer of the caller's own, on a clock that was checked when it was made"
_SETS: Final = "the host's clock"

ROWS: Final[tuple[Row, ...]] = (
    call(35, "nanosleep", PLAIN, "the caller sleeps"),
    call(36, "getitimer", PLAIN, "the caller's own timer"),
    call(37, "alarm", PLAIN, "the caller's own timer"),
    call(38, "setitimer", PLAIN, "the caller's own timer"),
    call(96, "gettimeofday", notified("clocks.gettimeofday"), _READS),
    call(159, "adjtimex", denied(EPERM), _SETS),
    call(164, "settimeofday", denied(EPERM), _SETS),
    call(201, "time", notified("clocks.time"), "the vDSO tells the same; only static programs make the call"),
    call(
        222,
        "timer_create",
        checked(one_of(0, "clockid", CLOCKS), errno=EINVAL),
        "wall clocks only",
        note="timers on processor time fail with EINVAL",
        support=Support.PARTIAL,
    ),
    call(223, "timer_settime", PLAIN, _OWN),
    call(224, "timer_gettime", PLAIN, _OWN),
    call(225, "timer_getoverrun", PLAIN, _OWN),
    call(226, "timer_delete", PLAIN, _OWN),
    call(227, "clock_settime", denied(EPERM), _SETS),
    call(228, "clock_gettime", PLAIN, _READS),
    call(229, "clock_getres", notified("clocks.clock_getres"), _READS),
    call(
        230,
        "clock_nanosleep",
        checked(one_of(0, "clockid", CLOCKS), errno=EINVAL),
        "wall clocks only",
        support=Support.PARTIAL,
    ),
    call(
        283,
        "timerfd_create",
        checked(one_of(0, "clockid", CLOCKS), errno=EINVAL),
        "wall clocks only; no clock that wakes the machine",
        support=Support.PARTIAL,
    ),
    call(286, "timerfd_settime", PLAIN, _OWN),
    call(287, "timerfd_gettime", PLAIN, _OWN),
    call(305, "clock_adjtime", denied(EPERM), _SETS),
)
