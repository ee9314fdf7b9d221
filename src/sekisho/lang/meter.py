"""The meter: what stops a hostile policy.

Compiled code and built-ins charge work before they do it. A charge is one subtraction; every ``QUANTUM``
steps the meter looks at the clock and at its limits. Loops charge the length of what they iterate, so a
cross product pays as it grows; a long loop goes through ``watch``, which charges while it runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from sekisho.diag import Limit

if TYPE_CHECKING:
    from sekisho.diag import Deadline

T = TypeVar("T")

QUANTUM: Final = 10_000
"""Steps between two looks at the clock: about 2 ms of work, so a deadline is kept to a few milliseconds."""

LONG: Final = 1_000
"""A longer collection is iterated through ``watch``: its loop may run long before the next charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one evaluation. ``seconds`` bounds it in time whatever the others say."""

    seconds: float = 10.0
    steps: Limit = Limit("evaluation", 200_000_000, "steps", "more is a cross product that nobody meant")
    items: Limit = Limit("what an evaluation builds", 10_000_000, "items", "about 1 GB of memory")
    text: Limit = Limit("a built string", 64_000_000, "characters", "no message or document needs more")
    depth: Limit = Limit("nesting", 200, "levels", "deeper values overflow the stack of those who read them")


class Exhausted(Exception):
    """A limit was hit. ``limit`` is None when it was the deadline."""

    def __init__(self, limit: Limit | None, seconds: float = 0.0) -> None:
        self.limit = limit
        self.seconds = seconds
        super().__init__(str(limit) if limit else f"evaluation took longer than {seconds:.2g} seconds")


class Meter:
    """Counts the work of one evaluation, in one thread.

    ``left`` is the number of steps to the next check; generated code subtracts from it in line and calls
    ``check`` when it is negative. ``items`` is the number of items in collections built so far.
    """

    __slots__ = ("_deadline", "_limits", "_seconds", "_spent", "_until", "items", "left")

    def __init__(self, limits: Limits, deadline: Deadline | None = None) -> None:
        self._limits = limits
        self._deadline = deadline
        self._until = 0.0
        self._seconds = limits.seconds
        self._spent = 0
        self.left = QUANTUM
        self.items = 0

    @property
    def limits(self) -> Limits:
        """The limits that it holds."""
        return self._limits

    def remaining(self) -> float:
        """Seconds left, never negative: what a network edge may take."""
        return max(0.0, self._end() - time.monotonic())

    def _end(self) -> float:
        """When to stop. Most evaluations end before anybody asks, so the clock starts at the first look."""
        if not self._until:
            now = time.monotonic()
            if self._deadline is not None:
                self._seconds = max(0.0, min(self._seconds, self._deadline.at - now))
            self._until = now + self._seconds
        return self._until

    def charge(self, steps: int) -> None:
        """Pay for work about to be done."""
        self.left -= steps
        if self.left < 0:
            self.check()

    def check(self) -> None:
        """Look at the clock and the limits; raise Exhausted when one is hit."""
        self._spent += QUANTUM - self.left
        self.left = QUANTUM
        if time.monotonic() >= self._end():
            raise Exhausted(None, self._seconds)
        if self._spent > self._limits.steps.value:
            raise Exhausted(self._limits.steps)
        if self.items > self._limits.items.value:
            raise Exhausted(self._limits.items)

    def watch(self, values: Iterable[T]) -> Iterator[T]:
        """Iterate, charging a step for each value."""
        for value in values:
            self.left -= 1
            if self.left < 0:
                self.check()
            yield value

    def build(self, count: int) -> None:
        """Pay for a collection of this many items, before it is built where that is known."""
        self.items += count
        self.left -= count
        if self.items > self._limits.items.value:
            raise Exhausted(self._limits.items)
        if self.left < 0:
            self.check()

    def text(self, length: int, paid: int = 0) -> None:
        """Pay for a string of this length, before it is built; ``paid`` of it is paid for already.

        64 characters are an item: many long strings fill the memory as a long collection does.
        """
        if length > self._limits.text.value:
            raise Exhausted(self._limits.text)
        self.build((length - paid) >> 6)
