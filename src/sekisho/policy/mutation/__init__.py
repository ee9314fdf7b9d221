"""Gatekeeper's mutators: Assign, AssignMetadata, ModifySet and AssignImage.

What reads and applies them is imported when it is first asked for; ``snapshot`` is what everybody needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from sekisho.policy.mutation.snapshot import (
    GROUP,
    NO_MUTATORS,
    NO_OCCASION,
    Change,
    Mutation,
    Occasion,
    Snapshot,
    is_mutator,
)

if TYPE_CHECKING:
    from sekisho.policy.mutation.load import load_mutator
    from sekisho.policy.mutation.location import Location, LocationError, parse_location
    from sekisho.policy.mutation.mutator import Mutator
    from sekisho.policy.mutation.system import Mutators

_LATER: Final = {
    "Location": "location",
    "LocationError": "location",
    "Mutator": "mutator",
    "Mutators": "system",
    "load_mutator": "load",
    "parse_location": "location",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(name)


__all__ = [
    "GROUP",
    "NO_MUTATORS",
    "NO_OCCASION",
    "Change",
    "Location",
    "LocationError",
    "Mutation",
    "Mutator",
    "Mutators",
    "Occasion",
    "Snapshot",
    "is_mutator",
    "load_mutator",
    "parse_location",
]
