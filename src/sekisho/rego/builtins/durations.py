"""Durations as Go's time.ParseDuration reads them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from sekisho.rego.builtins.gotext import quote
from sekisho.rego.builtins.table import BuiltinFault

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")


def nanoseconds(text: str) -> int:
    """The nanoseconds of ``1h2.5s``, or of a bare integer. Raises BuiltinFault in Go's words."""
    bare = text[1:] if text[:1] in {"+", "-"} else text
    if bare.isascii() and bare.isdigit():
        return int(text) if len(bare) < 20 else _invalid(text)
    total, at = Fraction(0), 0
    while at < len(bare):
        found = _PART.match(bare, at)
        assert found is not None
        whole, part, unit = found.groups()
        if not whole and not part:
            _invalid(text)
        if not unit:
            raise BuiltinFault(f"time: missing unit in duration {quote(text)}")
        if unit not in _UNITS:
            raise BuiltinFault(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
        total += Fraction(f"{whole or 0}.{part or 0}") * _UNITS[unit]
        at = found.end()
    if not bare or total >= 2**63:
        _invalid(text)
    return -int(total) if text.startswith("-") else int(total)


def _invalid(text: str) -> int:
    raise BuiltinFault(f"time: invalid duration {quote(text)}")
