"""What a sandbox tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: ``kind`` is network (a verdict) or denied (a call), ``time`` seconds since the
    epoch. ``data`` has the rest, as docs/guide/sandbox.md lists it.
    """

    kind: str
    time: float
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A path that was written: ``kind`` is A (added), M (changed) or D (deleted)."""

    kind: str
    path: str
