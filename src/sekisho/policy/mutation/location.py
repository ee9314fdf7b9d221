"""The location of a mutator: which fields of an object it is about (policy.md 1.7).

Names separated by dots, each perhaps followed by one list step: ``spec.containers[name: web].image``. Names
with other characters than letters, digits, ``_`` and ``-``, or with a digit first, stand in quotes of either
kind, where a backslash takes the next character as it is. The value of a list step is a name, a whole number,
or ``*`` for every item. Blanks may stand between any two of these. Texts of errors are Gatekeeper's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from sekisho.diag import Limit
from sekisho.lang.golang.gotext import quote

STEPS: Final = Limit(
    "a location", 100, "steps", "no object is nested deeper, and each step is a level of recursion"
)
INTEGER_MAX: Final = 2**63 - 1


class LocationError(Exception):
    """A text that is no location. ``position`` is the offset of what is wrong in it, in characters."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Field:
    """A step into an object."""

    name: str

    def __str__(self) -> str:
        return _quoted(self.name)


@dataclass(frozen=True, slots=True)
class Item:
    """A step into a list: to the item whose field ``key`` has this value; to every item if it is None."""

    key: str
    value: str | int | None

    @property
    def every(self) -> bool:
        """Whether it is ``*``."""
        return self.value is None

    def __str__(self) -> str:
        value = _quoted(self.value) if isinstance(self.value, str) else self.value
        return f"[{_quoted(self.key)}: {'*' if value is None else value}]"

    def __eq__(self, other: object) -> bool:
        # 1 and True are equal in Python, and must not be here; nor 1 and "1", which are not anyway.
        return isinstance(other, Item) and (self.key, type(self.value), self.value) == (
            other.key,
            type(other.value),
            other.value,
        )

    def __hash__(self) -> int:
        return hash((self.key, self.value))


Step = Field | Item


@dataclass(frozen=True, slots=True)
class Location:
    """A parsed location. Its text form parses to an equal one."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        out = [
            f".{step}" if index and isinstance(step, Field) else str(step)
            for index, step in enumerate(self.steps)
        ]
        return "".join(out)

    def starts_with(self, other: Location) -> bool:
        """Whether the other one is a prefix of this one, or the same."""
        return self.steps[: len(other.steps)] == other.steps


class _Token(NamedTuple):
    """``kind`` is what Gatekeeper calls it."""

    kind: str
    text: str
    position: int

    def __str__(self) -> str:
        return f"{self.kind}: {quote(self.text)}"


_KINDS: Final = {".": "SEPARATOR", "[": "LBRACKET", "]": "RBRACKET", "*": "GLOB", ":": "COLON"}
_TOKEN: Final = re.compile(
    r"""(?P<INT>[0-9]+)|(?P<IDENT>[A-Za-z_-][A-Za-z0-9_-]*)|(?P<MARK>[.\[\]*:])"""
    r"""|(?P<QUOTED>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<OPEN>["'](?s:.*))""",
    re.DOTALL,
)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_ESCAPE: Final = re.compile(r"\\(.?)", re.DOTALL)


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens, the last one EOF or the first ERROR."""
    at = 0
    while True:
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else at
        if at >= len(text):
            yield _Token("EOF", "", at)
            return
        found = _TOKEN.match(text, at)
        kind = found.lastgroup if found else None
        if found is None or kind is None:
            yield _Token("ERROR", text[at], at)
            return
        word = found.group()
        if kind == "OPEN":
            yield _Token("ERROR", _ESCAPE.sub(r"\1", word[1:]), at)
            return
        if kind == "QUOTED":
            kind, word = "IDENT", _ESCAPE.sub(r"\1", word[1:-1])
        elif kind == "MARK":
            kind = _KINDS[word]
        yield _Token(kind, word, at)
        at = found.end()


class _Parser:
    """One token ahead of what has been read, as the grammar needs."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._peek = next(self._tokens)
        self._read = self._peek

    def parse(self) -> Location:
        steps: list[Step] = []
        if self._peek.kind == "EOF":
            return Location(())
        while True:
            name = self._take("IDENT", "field name or eof")
            steps.append(Field(name.text))
            if self._peek.kind == "LBRACKET":
                self._advance()
                steps.append(self._item())
            if STEPS.exceeded_by(len(steps)):
                raise LocationError(str(STEPS), name.position)
            if self._peek.kind == "EOF":
                return Location(tuple(steps))
            dot = self._take("SEPARATOR", "'.' or eof")
            if self._peek.kind == "EOF":
                raise LocationError("trailing separators are forbidden", dot.position)

    def _item(self) -> Item:
        key = self._take("IDENT", "keyField in listSpec").text
        self._take("COLON", f"':' following keyField {key}")
        value: str | int | None = None
        if self._peek.kind == "GLOB":
            self._advance()
        elif self._peek.kind == "INT":
            value = _integer(self._advance(), key)
        else:
            value = self._take("IDENT", "key value or glob in listSpec").text
        self._take("RBRACKET", "']' following listSpec")
        return Item(key, value)

    def _take(self, kind: str, wanted: str) -> _Token:
        if self._peek.kind != kind:
            message = f"unexpected token: expected {wanted}, got: {self._peek}"
            raise LocationError(message, self._peek.position)
        return self._advance()

    def _advance(self) -> _Token:
        token = self._peek
        self._peek = next(self._tokens, token)
        return token


def _integer(token: _Token, key: str) -> int:
    """The number; there is no octal: 0123 is 123."""
    digits = token.text.lstrip("0") or "0"
    if len(digits) > len(str(INTEGER_MAX)) or int(digits) > INTEGER_MAX:
        message = (
            f"invalid integer: overflow in integer string: {token.text}: parsing key value for key: {key}"
        )
        raise LocationError(message, token.position)
    return int(digits)


def parse_location(text: str) -> Location:
    """The location that a text means, without steps for an empty one; raises LocationError."""
    return _Parser(text).parse()


_PLAIN: Final = re.compile(r"[A-Za-z_-][A-Za-z0-9_-]*\Z")


def _quoted(name: str) -> str:
    """The name as it is, or in double quotes where it would not be read as one name."""
    if _PLAIN.match(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
