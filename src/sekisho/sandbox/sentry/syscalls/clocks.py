"""Clocks that have no other door."""

from __future__ import annotations

import time as clock
from _struct import Struct

from sekisho.sandbox.sentry.call import Call, Result

SECONDS = Struct("=q")


def time(call: Call) -> Result:
    """time(address): seconds since 1970."""
    now = int(clock.time())
    if call.args[0]:
        call.write(call.args[0], SECONDS.pack(now))
    return now
