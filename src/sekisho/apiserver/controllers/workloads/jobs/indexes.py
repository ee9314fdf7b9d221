"""Sets of completion indexes, as the status of a Job writes them: ``0,2-4``."""

from __future__ import annotations

from collections.abc import Iterable


def parsed(text: str, completions: int) -> frozenset[int]:
    """The numbers of a text below a limit; parts that are none are left aside, as the original does."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        last = last or first
        if _is_number(first) and _is_number(last):
            found |= set(range(int(first), min(int(last) + 1, completions)))
    return frozenset(found)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


MAX_DIGITS = 10
"""Of an index: they are 32-bit numbers."""


def written(indexes: Iterable[int]) -> str:
    """Numbers as ``0,2-4``; two in a row are written one by one."""
    rows: list[list[int]] = []
    for number in sorted(indexes):
        if rows and rows[-1][1] == number - 1:
            rows[-1][1] = number
        else:
            rows.append([number, number])
    return ",".join(_span(first, last) for first, last in rows)


def _span(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}{',' if last == first + 1 else '-'}{last}"
