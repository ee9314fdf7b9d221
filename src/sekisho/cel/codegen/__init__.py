"""Trees to Python functions."""

from __future__ import annotations

from sekisho.cel.codegen.expressions import generate

__all__ = ["generate"]
