"""The state of one evaluation: its meter and its cost."""

from __future__ import annotations

from sekisho.lang.meter import Meter

UNLIMITED = 1 << 62
"""A cost that nothing reaches within the limits of the meter."""


class State:
    """What compiled code, the plain evaluator and functions with ``context`` share in one evaluation.

    ``meter`` is paid for work and memory; it keeps the deadline. ``cost`` is the cost so far in cel-go's
    units, of which ``limit`` may be used.
    """

    __slots__ = ("cost", "limit", "meter")

    def __init__(self, meter: Meter, limit: int = UNLIMITED) -> None:
        self.meter = meter
        self.cost = 0
        self.limit = limit
