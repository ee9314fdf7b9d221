"""Reads the tables of Go tests: composite literals, and the names that they use.

Nothing is run. A literal becomes plain data: structs are ``Literal``, slices lists, maps dicts; what cannot be
known without Go (a function's result, a variable of another package) is a ``Name`` or a ``Call``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Name:
    """An identifier that is not known: ``gator.ErrInvalidCase``."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call: ``ptr.To("x")``."""

    name: str
    args: list[Any]


@dataclass(frozen=True)
class Literal:
    """A struct: its type, empty where it is implied, and its fields."""

    type: str
    fields: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or what it is when it is not given."""
        return self.fields.get(name, default)


class Unreadable(Exception):
    """Something that is no literal."""


TOKEN: Final = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<raw>`[^`]*`)|(?P<text>"(?:\\.|[^"\\])*")
    |(?P<number>-?\d+)|(?P<name>[A-Za-z_][\w.]*)|(?P<mark>:=|[^\s])""",
    re.DOTALL | re.VERBOSE,
)
WORDS: Final = {"nil": None, "true": True, "false": False}


def tokens(source: str) -> Iterator[tuple[str, str]]:
    """The tokens of a source: kind and text."""
    for found in TOKEN.finditer(source):
        if found.lastgroup is not None:
            yield found.lastgroup, found.group()


class Reader:
    """Reads values from tokens. ``names`` are those that are known."""

    def __init__(self, source: str, names: Mapping[str, Any]) -> None:
        self._tokens = [*tokens(source), ("end", "")]
        self._at = 0
        self._names = names

    def value(self) -> Any:
        """The next value."""
        kind, text = self._next()
        if kind == "raw":
            return text[1:-1]
        if kind == "text":
            return json.loads(text)
        if kind == "number":
            return int(text)
        if text == "&":
            return self.value()
        if text == "{":
            return self._composite("")
        if text == "[" or text == "map":
            return self._typed(text)
        if kind == "name":
            return self._named(text)
        raise Unreadable(text)

    def _typed(self, first: str) -> Any:
        """A slice, a map, or a conversion to one."""
        text = first
        while self._peek() not in ("{", "("):
            text += self._next()[1]
        if self._next()[1] == "(":
            (value,) = self._list(")")
            return value
        return self._composite(text)

    def _named(self, name: str) -> Any:
        if self._peek() == "[":  # type arguments
            while self._next()[1] != "]":
                continue
        if name == "struct":  # struct{}{}
            self._next()
            self._next()
        if self._peek() == "{":
            self._next()
            return self._composite(name)
        if self._peek() == "(":
            self._next()
            return Call(name, self._list(")"))
        if name in WORDS:
            return WORDS[name]
        return self._names.get(name, Name(name))

    def _list(self, end: str) -> list[Any]:
        found: list[Any] = []
        while self._peek() != end:
            found.append(self.value())
            if self._peek() == ",":
                self._next()
        self._next()
        return found

    def _composite(self, type: str) -> Any:
        pairs: list[tuple[Any, Any]] = []
        items: list[Any] = []
        while self._peek() != "}":
            value = self.value()
            if self._peek() == ":":
                self._next()
                pairs.append((value, self.value()))
            else:
                items.append(value)
            if self._peek() == ",":
                self._next()
        self._next()
        if pairs and isinstance(pairs[0][0], Literal):
            return [key for key, _ in pairs]  # a set
        if type.startswith("map") or (pairs and isinstance(pairs[0][0], str)):
            return dict(pairs)
        if pairs or not (items or type.startswith("[")):
            return Literal(
                type, {key.text if isinstance(key, Name) else str(key): value for key, value in pairs}
            )
        return items

    def _peek(self) -> str:
        return self._tokens[self._at][1]

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        if token[0] == "end":
            raise Unreadable("the source ends")
        self._at += 1
        return token


def constants(source: str, prefix: str = "") -> dict[str, Any]:
    """The string constants of a source, and the errors that it makes, by name."""
    found: dict[str, Any] = {}
    for name, text in re.findall(r"^\t(\w+)\s*=\s*(`[^`]*`|\"[^\"\n]*\")", source, re.MULTILINE):
        found[prefix + name] = text[1:-1] if text[0] == "`" else json.loads(text)
    for name, text in re.findall(r"^\t(\w+)\s*=\s*errors\.New\(\"([^\"\n]*)\"\)", source, re.MULTILINE):
        found[prefix + name] = Name(text)
    return found


def function(source: str, name: str) -> str:
    """The body of a function."""
    found = re.search(rf"^func {name}\(.*?^}}", source, re.MULTILINE | re.DOTALL)
    if found is None:
        raise Unreadable(f"there is no function {name}")
    return found.group()


def table(body: str, names: Mapping[str, Any]) -> list[Literal]:
    """The table of a test: the slice of structs that its body begins with, after variables that it uses."""
    known = dict(names)
    for variable, text in re.findall(
        r"^\t(\w+) := (schema\.GroupVersionKind\{.*?^\t\})", body, re.MULTILINE | re.DOTALL
    ):
        known[variable] = Reader(text, names).value()
    start = re.search(r":= \[\]struct \{.*?^\t\}\{", body, re.MULTILINE | re.DOTALL)
    if start is None:
        raise Unreadable("there is no table")
    rows = Reader("[]T{" + body[start.end() :], known).value()
    return [row if isinstance(row, Literal) else Literal("", {}) for row in rows]
