"""Functions of texts: ``contains``, ``startsWith``, ``endsWith``, ``matches``."""

from __future__ import annotations

from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.standard.rows import match_cost, rows, search_cost, second_cost
from sekisho.cel.state import State
from sekisho.cel.types import BOOL, STRING
from sekisho.lang import re2

_TWO: Final = (STRING, STRING)


def contains(state: State, text: str, part: str) -> bool:
    """``text.contains(part)``."""
    # Python's search is not linear in the worst case: a charge keeps the clock looked at.
    state.meter.charge((len(text) >> 8) + (min(len(text) * len(part), 1 << 40) >> 20))
    return part in text


def matches(state: State, text: str, pattern: str) -> bool:
    """``text.matches(pattern)``: RE2, anywhere in the text."""
    try:
        return re2.compile(pattern, state.meter).search(text, state.meter)
    except re2.PatternError as wrong:
        raise CelError(str(wrong)) from None


TEXTS: Final = (
    *rows("contains", contains, ("contains_string", _TWO, BOOL), member=True, context=True, cost=search_cost),
    *rows("endsWith", str.endswith, ("ends_with_string", _TWO, BOOL), member=True, cost=second_cost),
    *rows("startsWith", str.startswith, ("starts_with_string", _TWO, BOOL), member=True, cost=second_cost),
    *rows("matches", matches, ("matches", _TWO, BOOL), context=True, cost=match_cost),
    *rows("matches", matches, ("matches_string", _TWO, BOOL), member=True, context=True, cost=match_cost),
)
