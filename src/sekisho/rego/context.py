"""What built-ins may ask of the evaluation they run in."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sekisho.lang.meter import Meter
from sekisho.rego.capabilities import Capabilities


@dataclass(slots=True, kw_only=True)
class EvalContext:
    """One evaluation's surroundings: shared by every built-in call of one query.

    ``now_ns`` is the time of the query in nanoseconds since 1970, the same for all its calls. ``cache`` is
    the per-query cache of nondeterministic built-ins, keyed by (name, operand keys). ``seeded`` is a source
    of randomness for those who want the same numbers again. ``services`` is what the embedder's own
    built-ins ask. ``printed`` takes the lines of ``print``, ``notes`` those of ``trace``.
    """

    now_ns: int
    meter: Meter
    capabilities: Capabilities
    seeded: random.Random | None = None
    cache: dict[Any, Any] = field(default_factory=dict)
    services: Mapping[str, Any] = field(default_factory=dict)
    printed: Callable[[str], None] | None = None
    notes: Callable[[str], None] | None = None

    @property
    def rng(self) -> random.Random:
        """The source of randomness; made when it is asked for, since hardly any policy does."""
        if self.seeded is None:
            self.seeded = random.Random()  # noqa: S311 - Rego's rand is no source of secrets
        return self.seeded
