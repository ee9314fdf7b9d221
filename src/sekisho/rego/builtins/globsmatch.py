"""regex.globs_match: whether some text matches two simple expressions both.

They have characters, ``.``, sets such as ``[a-z]``, each optionally with ``+`` or ``*``. The search follows
the library that OPA uses, step by step, so that the answers are OPA's: it is not complete (``xa*`` and ``x``
are said to have nothing in common).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from sekisho.diag import Limit
from sekisho.lang.meter import Exhausted
from sekisho.rego.faults import BuiltinFault

if TYPE_CHECKING:
    from sekisho.lang.meter import Meter

LENGTH: Final = Limit("a glob expression", 1_000, "tokens", "the search recurses over them")

_FLAGS: Final = frozenset("+*")


@dataclass(frozen=True, slots=True)
class _Token:
    """What one character may be, as ranges (None: anything), and how often: once, ``+`` or ``*``."""

    ranges: tuple[tuple[int, int], ...] | None
    kind: str  # character, dot or set: tokens of different kinds are never the same
    flag: str = ""

    def meets(self, other: _Token) -> bool:
        """Whether one character fits both."""
        if self.ranges is None or other.ranges is None:
            return True
        return any(a <= d and c <= b for a, b in self.ranges for c, d in other.ranges)


def intersect(left: str, right: str, meter: Meter) -> bool:
    """Whether the two have a text in common. Raises BuiltinFault for what is no such expression."""
    meter.charge(len(left) + len(right))
    a, b = _simplified(_tokens(left)), _simplified(_tokens(right))
    for tokens in (a, b):
        if len(tokens) > LENGTH.value:
            raise Exhausted(LENGTH)
    trimmed = _trimmed(a, b)
    if trimmed is None:
        return False
    try:
        return _Search(*trimmed, meter).normal((0, 0))
    except RecursionError:
        raise Exhausted(LENGTH) from None


# --- reading ----------------------


def _tokens(text: str) -> list[_Token]:
    out: list[_Token] = []
    at = 0
    while at < len(text):
        at, char, escaped = _rune(text, at)
        token = _Token(((ord(char), ord(char)),), "character")
        if not escaped:
            if char == ".":
                token = _Token(None, "dot")
            elif char == "[":
                at, token = _set(text, at)
            elif char == "]":
                raise _invalid(text, at, "set-close ']' with no preceding '['")
            elif char in _FLAGS:
                raise _invalid(text, at, f"flag '{char}' must be preceded by a non-flag")
        if at < len(text) and text[at] in _FLAGS:
            token = replace(token, flag=text[at])
            at += 1
        elif text[at:] == "\\":
            raise _invalid(text, at, "input ends with a \\ (escape) character")
        out.append(token)
    return out


def _rune(text: str, at: int) -> tuple[int, str, bool]:
    if text[at] != "\\":
        return at + 1, text[at], False
    if at + 1 == len(text):
        raise _invalid(text, at, "input ends with a \\ (escape) character")
    return at + 2, text[at + 1], True


def _set(text: str, at: int) -> tuple[int, _Token]:
    ranges: list[tuple[int, int]] = []
    previous = ""
    while at < len(text):
        at, char, escaped = _rune(text, at)
        if escaped or char not in "-]":
            ranges.append((ord(char), ord(char)))
            previous = char
            continue
        if char == "]":
            return at, _Token(tuple(sorted(set(ranges))), "set")
        if not previous:
            raise _invalid(text, at, "range character '-' must be preceded by a Unicode character")
        if at >= len(text) - 1:
            raise _invalid(text, at, "range character '-' must be followed by a Unicode character")
        at, char, escaped = _rune(text, at)
        if not escaped and char in "]-":
            raise _invalid(text, at, "range character '-' cannot be followed by a special symbol")
        if char < previous:
            message = f"range is out of order: '{char}' comes before '{previous}' in Unicode"
            raise _invalid(text, at, message)
        ranges.append((ord(previous), ord(char)))
        previous = ""
    raise _invalid(text, at, "found [ without matching ]")


def _invalid(text: str, at: int, message: str) -> BuiltinFault:
    return BuiltinFault(f"input:{text}, pos:{at}, {message}: the input provided is invalid")


def _simplified(tokens: list[_Token]) -> list[_Token]:
    """Neighbours that repeat the same become one."""
    out: list[_Token] = []
    for token in tokens:
        last = out[-1] if out else None
        same = last and (last.kind, last.ranges) == (token.kind, token.ranges)
        if last and same and last.flag and token.flag:
            out[-1] = replace(last, flag="+" if "+" in {last.flag, token.flag} else "*")
        else:
            out.append(token)
    return out


def _trimmed(a: list[_Token], b: list[_Token]) -> tuple[list[_Token], list[_Token]] | None:
    """Both without the single characters that fit at their ends, but for one; None when one does not fit."""
    left = 0
    while left < min(len(a), len(b)) and not a[left].flag and not b[left].flag:
        if not a[left].meets(b[left]):
            return None
        left += 1
    left = max(left - 1, 0)
    i, j = len(a) - 1, len(b) - 1
    while i >= left and j >= left and not a[i].flag and not b[j].flag:
        if not a[i].meets(b[j]):
            return None
        i, j = i - 1, j - 1
    if i < len(a) - 1:
        i, j = i + 1, j + 1
    return a[left : i + 1], b[left : j + 1]


# --- the search ----------------------

Place: TypeAlias = tuple[int, int]
"""How far each expression has been read."""


class _Search:
    """Depth first, each place once."""

    def __init__(self, left: list[_Token], right: list[_Token], meter: Meter) -> None:
        self.sides = left, right
        self.meter = meter
        self.known: dict[tuple[str, int, Place], bool] = {}

    def normal(self, place: Place) -> bool:
        """Both from here: characters fit one by one up to the first that repeats."""
        i, j = place
        a, b = self.sides
        while i < len(a) and j < len(b):
            self.meter.charge(1)
            if a[i].flag or b[j].flag:
                side = 0 if a[i].flag else 1
                flag = self.sides[side][(i, j)[side]].flag
                return self.plus(side, (i, j)) if flag == "+" else self.star(side, (i, j))
            if not a[i].meets(b[j]):
                return False
            i, j = i + 1, j + 1
        return i == len(a) and j == len(b)

    def plus(self, side: int, place: Place) -> bool:
        """``side`` repeats here, at least once."""
        token, other = self._here(side, place), self._here(1 - side, place)
        if not token.meets(other):
            return False
        if self.star(side, _moved(place, 1 - side)):
            return True
        return bool(other.flag) and self.normal(_moved(place, side))

    def star(self, side: int, place: Place) -> bool:
        """``side`` repeats here: it takes what fits from the other one, up to where its next token fits."""
        memo = "*", side, place
        if memo not in self.known:
            self.known[memo] = self._star(side, place)
        return self.known[memo]

    def _star(self, side: int, place: Place) -> bool:
        tokens, others = self.sides[side], self.sides[1 - side]
        token = tokens[place[side]]
        after = _moved(place, side)
        following = tokens[after[side]] if after[side] < len(tokens) else None
        for at in range(place[1 - side], len(others)):
            self.meter.charge(1)
            there = (after[0], at) if side == 0 else (at, after[1])
            if following and following.meets(others[at]) and self.normal(there):
                return True
            if not token.meets(others[at]):
                return False
        return following is None

    def _here(self, side: int, place: Place) -> _Token:
        return self.sides[side][place[side]]


def _moved(place: Place, side: int) -> Place:
    return (place[0] + 1, place[1]) if side == 0 else (place[0], place[1] + 1)
