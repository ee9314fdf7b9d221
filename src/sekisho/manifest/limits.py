"""The limits of what is read, each with its reason."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Limit

FILE_SIZE: Final = Limit(
    "a file's size",
    128 * 1024 * 1024,
    "bytes",
    "the dump of a large cluster is smaller, and reading takes ten times the memory",
)

ALL_FILES: Final = Limit(
    "the size of all files", 1024 * 1024 * 1024, "bytes", "all of them are held in memory at once"
)

DEPTH: Final = Limit(
    "nesting", 200, "levels", "no manifest is half as deep, and deeper values overflow the stack"
)

NODES: Final = Limit(
    "what aliases stand for",
    400_000,
    "values",
    "Kubernetes' reader stops there too; a few lines of aliases of aliases would fill any memory",
)

REMARKS: Final = 100
"""No more duplicate keys than this are reported for one document: the hundredth says nothing new."""
