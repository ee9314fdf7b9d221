"""How a scan shares a processor with others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from sekisho.audit.scan import Answer, Due, Work

BATCH: Final = 50
"""Objects between two pauses: some milliseconds of work."""

LONGEST: Final = 0.5
"""Seconds of one pause: a batch that took long is not answered with a longer one."""


def paced(
    share: float, *, sleep: Callable[[float], None] = time.sleep
) -> Callable[[Work, Sequence[Due]], list[Answer]]:
    """Do the work here, on at most this share of the time (above 0, up to 1); the rest is others'."""

    def spread(work: Work, due: Sequence[Due]) -> list[Answer]:
        found: list[Answer] = []
        for at in range(0, len(due), BATCH):
            began = time.perf_counter()
            found += work(due[at : at + BATCH])
            if at + BATCH < len(due):
                sleep(min(LONGEST, (time.perf_counter() - began) * (1 - share) / share))
        return found

    return spread
