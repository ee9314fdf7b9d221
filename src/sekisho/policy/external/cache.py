"""Answers that are kept for a while, as Gatekeeper keeps them: by provider and key, for three minutes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from sekisho.diag import Limit
from sekisho.policy.external.answers import Outcome, State
from sekisho.policy.external.provider import Provider

TTL: Final = 180.0
"""Seconds that an answer is good for: Gatekeeper's default (--external-data-provider-response-cache-ttl)."""

SIZE: Final = Limit(
    "kept answers of providers", 64_000_000, "bytes", "a busy cluster's images are a tenth of that"
)
OVERHEAD: Final = 500
"""Bytes that an entry takes beside key and value, about."""


class AnswerCache:
    """Keeps answers in memory; the oldest go when there are too many. Threads may share one.

    A provider goes by all that its resource says, so a changed one starts anew.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Provider, str], tuple[Outcome, float, int]] = OrderedDict()
        self._size = 0

    def get(self, provider: Provider, key: str) -> Outcome | None:
        """The outcome that is kept of a key, unless it is too old."""
        with self._lock:
            found = self._kept.get((provider, key))
            if found is None:
                return None
            outcome, since, _ = found
            if self._clock() - since > TTL:
                self._drop((provider, key))
                return None
            return outcome

    def put(self, provider: Provider, outcomes: Mapping[str, Outcome]) -> None:
        """Keep those outcomes that are answers and no accidents."""
        now = self._clock()
        with self._lock:
            for key, outcome in outcomes.items():
                if not _lasting(outcome):
                    continue
                self._drop((provider, key))
                size = OVERHEAD + len(key) + len(outcome.error) + len(orjson.dumps(outcome.value))
                self._kept[provider, key] = (outcome, now, size)
                self._size += size
            while SIZE.exceeded_by(self._size):
                self._drop(next(iter(self._kept)))

    def _drop(self, place: tuple[Provider, str]) -> None:
        found = self._kept.pop(place, None)
        if found is not None:
            self._size -= found[2]


def _lasting(outcome: Outcome) -> bool:
    """Whether the outcome would be the same a moment later, as far as the provider says."""
    return outcome.state is State.ANSWERED and not outcome.system_error and outcome.status == 200
