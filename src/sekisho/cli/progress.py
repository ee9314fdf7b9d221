"""Progress bars: on standard error, for long work, and only where a person looks at a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

LONG: Final = 500
"""Fewer items than this are done before a bar would be drawn."""


def progress(items: Sequence[T], title: str) -> Iterable[T]:
    """The items, with a bar that goes away when they are done."""
    if len(items) < LONG or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, description=title, console=Console(stderr=True), transient=True)
