"""The ladder of enforcement: observe, warn, deny."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

API_VERSION: Final = "enforcement.sekisho.dev/v1alpha1"
"""The group of the kinds that lower enforcement: Rollout, Waiver, BreakGlass."""


class Rung(IntEnum):
    """The rungs, from the bottom."""

    OBSERVE = 0
    WARN = 1
    DENY = 2

    @property
    def word(self) -> str:
        """As objects of ours spell it: observe, warn, deny."""
        return self.name.lower()


RUNGS: Final = {rung.word: rung for rung in Rung}
