"""What a built-in raises when it refuses its operands: what ``lang`` raises, too."""

from __future__ import annotations

from sekisho.lang.faults import BuiltinFault

__all__ = ["BuiltinFault"]
