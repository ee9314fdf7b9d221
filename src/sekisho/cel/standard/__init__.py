"""The standard library of CEL."""

from __future__ import annotations

from typing import Final

from sekisho.cel.library import Library
from sekisho.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    LIST,
    MAP,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
)

STANDARD: Final = Library(
    name="standard",
    types=(BOOL, BYTES, DOUBLE, DURATION, DYN, INT, LIST, MAP, NULL, STRING, TIMESTAMP, TYPE, UINT),
)
