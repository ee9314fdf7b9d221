"""The state of one evaluation: its meter and its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sekisho.diag import Limit
from sekisho.lang.meter import Exhausted, Limits, Meter

if TYPE_CHECKING:
    from sekisho.diag import Deadline

UNLIMITED: Final = 1 << 62
"""A cost that nothing reaches within the limits of the meter."""

LIMITS: Final = Limits()

_TURNS: Final = 4_096
"""Units of cost between two looks at the clock and the limit in a loop: about a millisecond."""


class State:
    """What compiled code, the plain evaluator and functions with ``context`` share in one evaluation.

    ``meter`` is paid for work and memory; it keeps the deadline, and is made when it is first needed.
    ``cost`` is the cost so far in cel-go's units, of which ``limit`` may be used; ``turn`` is the cost at
    which a loop looks at the limits first.
    """

    __slots__ = ("_deadline", "_limits", "_meter", "_paid", "cost", "limit", "turn")

    def __init__(
        self,
        meter: Meter | None = None,
        limit: int = UNLIMITED,
        limits: Limits = LIMITS,
        deadline: Deadline | None = None,
    ) -> None:
        self._meter = meter
        self._limits = limits
        self._deadline = deadline
        self._paid = 0
        self.cost = 0
        self.limit = limit
        self.turn = min(_TURNS, limit)

    @property
    def meter(self) -> Meter:
        """The meter."""
        found = self._meter
        if found is None:
            found = self._meter = Meter(self._limits, self._deadline)
        return found

    def pay(self, cost: int) -> None:
        """Add to the cost. Exhausted when it is too much."""
        self.cost += cost
        if self.cost > self.limit:
            raise cost_exhausted(self.limit)

    def tick(self, cost: int) -> int:
        """Look at clock and limits after ``cost`` units in compiled code; the cost at which to look again."""
        self.meter.charge(cost - self._paid)
        self._paid = cost
        left = self.limit - self.cost
        if cost > left:
            raise cost_exhausted(self.limit)
        return min(left, cost + _TURNS)


COST: Final = "the cost of a CEL expression"


def cost_exhausted(limit: int) -> Exhausted:
    """The cost limit is hit."""
    return Exhausted(Limit(COST, limit, "units", "the limit that the caller set, as Kubernetes does"))
