"""The two dialects of Rego."""

from __future__ import annotations

from enum import Enum


class Dialect(Enum):
    """Which Rego a source is written in: v0 (before OPA 1.0) or v1."""

    V0 = "v0"
    V1 = "v1"
