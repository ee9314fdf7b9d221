"""The limits of what is read, each with its reason."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Limit

FILE_SIZE: Final = Limit(
    "a file's size",
    64 * 1024 * 1024,
    "bytes",
    "no manifest is larger, and reading takes ten times the memory",
)

DEPTH: Final = Limit(
    "nesting", 200, "levels", "no manifest is half as deep, and deeper values overflow the stack"
)

NODES: Final = Limit(
    "what aliases stand for", 1_000_000, "values", "a few lines of aliases of aliases would fill any memory"
)
