"""The ladder of enforcement: observe, warn, deny."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

API_VERSION: Final = "enforcement.sekisho.dev/v1alpha1"
"""The group of the kinds that lower enforcement: Rollout and BreakGlass."""

WAIVERS: Final = "waivers.sekisho.dev/v1alpha1"
"""The group of Waiver and WaiverGrant: a group of its own, so that a team may be let write these alone."""

ANNOTATION: Final = "waivers.sekisho.dev/waive"
"""The annotation by which an object waives policies for itself (``waivernote``)."""


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
