"""What a part of the demo is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command: what it shows, its arguments after ``sekisho``, the status it must end with.

    ``before`` is done in the folder first.
    """

    says: str
    run: tuple[str, ...]
    status: int = 0
    before: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the demo, run in a copy of one folder of the examples.

    ``why_not`` says why this machine cannot run it; empty if it can. ``play`` is called with the folder where
    more than commands is to be seen; how many of its steps failed.
    """

    title: str
    folder: str
    steps: tuple[Step, ...] = ()
    why_not: Callable[[], str] | None = None
    play: Callable[[Path], int] | None = None
