"""How fast a client asks: a token bucket, as client-go's flow control has it.

It is the client's own restraint. What the server says of one moment (429 and Retry-After, the priority and
fairness of the API server) is obeyed beside it, in ``client``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from sekisho.cluster import codes
from sekisho.diag import Deadline, Diagnostic, DiagnosticError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Requests a second on average, and how many may go at once after a pause. Both are positive."""

    qps: float
    burst: int

    def __post_init__(self) -> None:
        assert self.qps > 0, "a rate is positive"
        assert self.burst > 0, "a burst is positive"


class Bucket:
    """Tokens that come back at a rate, never more than a burst of them.

    Times are seconds of any clock that never goes back.
    """

    __slots__ = ("_at", "_rate", "_tokens")

    def __init__(self, rate: Rate, *, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def accept(self, now: float) -> bool:
        """Take a token if there is one."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve(self, now: float) -> float:
        """Take a token, also one of those to come; the seconds until it is there.

        Who reserves later waits longer, so nobody is overtaken.
        """
        self._fill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate.qps)

    def give_back(self) -> None:
        """Put a token back that was reserved and not used."""
        self._tokens = min(self._tokens + 1, float(self._rate.burst))

    def _fill(self, now: float) -> None:
        grown = self._tokens + max(0.0, now - self._at) * self._rate.qps
        self._tokens = min(grown, float(self._rate.burst))
        self._at = max(self._at, now)


class Limiter:
    """A bucket that callers wait for."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bucket = Bucket(rate, now=clock())

    async def wait(self, deadline: Deadline | None = None) -> None:
        """Until a request may go. Raises DiagnosticError (CLU026), at once, if that is after the deadline."""
        seconds = self._bucket.reserve(self._clock())
        if seconds <= 0:
            return
        if deadline is not None and seconds > deadline.remaining():
            self._bucket.give_back()
            message = (
                f"the client's own rate limit would hold a request for {seconds:.1f} s, past its deadline"
            )
            raise DiagnosticError(Diagnostic(code=codes.TOO_FAST, message=message))
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self._bucket.give_back()
            raise
