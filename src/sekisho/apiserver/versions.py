"""Resource versions as clients write them, read as Go reads a uint64 (``strconv.ParseUint``)."""

from __future__ import annotations

from typing import Final

from sekisho.lang.golang.gotext import quote

MOST: Final = 2**64 - 1


class NoVersion(ValueError):
    """A text that is none. The exception's text is Go's."""


def version_of(text: str) -> int:
    """The number of a version. Raises NoVersion."""
    number = 0
    for char in text or " ":
        if not "0" <= char <= "9":
            raise NoVersion(f"strconv.ParseUint: parsing {quote(text)}: invalid syntax")
        number = number * 10 + int(char)
        if number > MOST:  # what follows is not looked at
            raise NoVersion(f"strconv.ParseUint: parsing {quote(text)}: value out of range")
    return number
