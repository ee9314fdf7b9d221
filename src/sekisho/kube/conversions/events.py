"""Events: the same object in the words of the core group and of ``events.k8s.io``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]

NAMES: Final[Mapping[str, str]] = {
    "count": "deprecatedCount",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "involvedObject": "regarding",
    "lastTimestamp": "deprecatedLastTimestamp",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
}
"""Fields of the core group's Events → those of ``events.k8s.io``. All others have one name."""

_BACK: Final = {new: old for old, new in NAMES.items()}
_ALWAYS: Final = {"reportingComponent": "", "reportingInstance": ""}
"""Fields that an Event of the core group writes though they are empty."""


def to_events(value: Mapping[str, Any]) -> Json:
    """An Event of ``events.k8s.io/v1``."""
    found = {NAMES.get(name, name): part for name, part in value.items()}
    for name, empty in _ALWAYS.items():
        if found.get(NAMES.get(name, name)) == empty:
            del found[NAMES.get(name, name)]
    return {**found, "apiVersion": "events.k8s.io/v1"}


def to_core(value: Mapping[str, Any]) -> Json:
    """An Event of the core group."""
    found = {_BACK.get(name, name): part for name, part in value.items()}
    return {**_ALWAYS, **found, "apiVersion": "v1"}
