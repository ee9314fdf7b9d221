"""Bounds on work: a deadline in time, a limit on anything that can be counted, and secrets."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds, after which work must stop."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left; negative when it has passed."""
        return self.at - time.monotonic()

    def passed(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self.at


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound with its reason, so that the diagnostic which reports it can say why it exists."""

    name: str
    value: int
    unit: str
    reason: str

    def exceeded_by(self, amount: int) -> bool:
        """Whether this much is too much."""
        return amount > self.value

    def __str__(self) -> str:
        return f"{self.name} is limited to {self.value:,} {self.unit} ({self.reason})"


class Secret(Generic[T]):
    """A value that must not be printed. ``reveal`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself; call it where it is used, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__
