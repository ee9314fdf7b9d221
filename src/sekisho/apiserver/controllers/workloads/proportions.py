"""How a Deployment that is scaled in the middle of a rollout spreads over its ReplicaSets.

Facts from ``controller/deployment/sync.go`` and ``util/deployment_util.go``: each ReplicaSet in use grows or
shrinks in proportion to what it is of the whole, the larger ones first; what is left goes to the largest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

PREFIX: Final = "deployment.kubernetes.io/"
DESIRED: Final = f"{PREFIX}desired-replicas"
MOST: Final = f"{PREFIX}max-replicas"
"""Annotations of a ReplicaSet: how many Pods its Deployment wanted, and allowed, when it was last scaled."""


class Part(NamedTuple):
    """A ReplicaSet in use. ``most`` is how many Pods its Deployment allowed before; 0 if that is unknown."""

    name: str
    size: int
    made: str
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a Deployment wants: so many Pods, so many more for a while; ``there`` is how many it has."""

    wanted: int
    surge: int
    there: int

    @property
    def allowed(self) -> int:
        """All Pods that there may be."""
        return self.wanted + self.surge if self.wanted > 0 else 0


def sizes(parts: Sequence[Part], whole: Whole) -> dict[str, int]:
    """The new size of each part."""
    to_add = whole.allowed - sum(part.size for part in parts)
    found = {part.name: part.size for part in parts}
    if not to_add:
        return found
    ordered = _ordered(parts, growing=to_add > 0)
    added = 0
    for part in ordered:
        share = _share(part, whole, to_add - added)
        found[part.name] += share
        added += share
    largest = ordered[0].name
    found[largest] = max(0, found[largest] + to_add - added)
    return found


def _ordered(parts: Sequence[Part], *, growing: bool) -> list[Part]:
    """The larger ones first; of one size the newer ones where more are made, else the older ones."""
    by_age = sorted(parts, key=lambda part: (part.made, part.name), reverse=growing)
    return sorted(by_age, key=lambda part: -part.size)


def _share(part: Part, whole: Whole, left: int) -> int:
    if not part.size or not left:
        return 0
    fraction = _fraction(part, whole)
    return min(fraction, left) if left > 0 else max(fraction, left)


def _fraction(part: Part, whole: Whole) -> int:
    """By how much a part changes if it stays the same part of the whole."""
    if whole.wanted == 0:
        return -part.size
    before = part.most or whole.there
    if not before:
        return 0
    return math.floor(part.size * (whole.wanted + whole.surge) / before + 0.5) - part.size
