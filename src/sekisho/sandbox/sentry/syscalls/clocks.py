"""Clocks that have no other door."""

from __future__ import annotations

import errno
import time as clock
from _struct import Struct

from sekisho.sandbox.sentry.call import Call, Errno, Result

SECONDS = Struct("=q")
PAIR = Struct("=qq")


def time(call: Call) -> Result:
    """time(address): seconds since 1970."""
    now = int(clock.time())
    if call.args[0]:
        call.write(call.args[0], SECONDS.pack(now))
    return now


def gettimeofday(call: Call) -> Result:
    """gettimeofday(time, zone): seconds and microseconds since 1970; the zone is zero."""
    now = clock.time_ns() // 1000
    if call.args[0]:
        call.write(call.args[0], PAIR.pack(now // 1_000_000, now % 1_000_000))
    if call.args[1]:
        call.write(call.args[1], bytes(8))
    return 0


CLOCKS = frozenset((0, 1, 2, 3, 4, 5, 6, 7))
"""What programs may read: wall and monotonic time, each plain, raw or coarse, the caller's processor time,
and time since boot.
"""


def clock_getres(call: Call) -> Result:
    """clock_getres(clock, resolution): a nanosecond."""
    if call.signed(0) not in CLOCKS and call.signed(0) >= 0:  # below are clocks of processes and threads
        raise Errno(errno.EINVAL)
    if call.args[1]:
        call.write(call.args[1], PAIR.pack(0, 1))
    return 0
