"""Reads the text format of protocol buffers, as far as it needs no schema.

A message is a ``Message``: the values of each field name, in their order. Names in brackets (extensions, types
packed in an Any) keep their brackets. Scalars are str and bytes (quoted), or ``Word`` (numbers, enumerations).
"""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(
    r"""(?P<skip>[\s,;]+|\#[^\n]*)"""
    r"""|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<word>[-+]?[A-Za-z0-9_.+-]+|\[[^\]"]*/[^\]"]*\]|\[[A-Za-z_][\w.]*\](?=\s*[:{]))"""
    r"""|(?P<mark>[{}<>:\[\]])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_SIMPLE = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v"}


class Word(str):
    """A value that is not quoted."""

    __slots__ = ()


class Message(dict[str, list[Any]]):
    """The fields of a message, each with its values."""

    def one(self, name: str, default: Any = None) -> Any:
        """The last value of a field, as for fields that are not repeated."""
        values = self.get(name)
        return values[-1] if values else default

    def all(self, name: str) -> list[Any]:
        """All values of a field."""
        return self.get(name, [])


def parse(text: str) -> Message:
    """The message that a text is."""
    return _Reader(text).message("")


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ValueError(f"no text proto at {text[at : at + 30]!r}")
            at = found.end()
            if found.lastgroup != "skip":
                self.tokens.append((str(found.lastgroup), found.group()))
        self.tokens.append(("mark", ""))
        self.at = 0

    def next(self) -> tuple[str, str]:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def peek(self) -> str:
        return self.tokens[self.at][1]

    def message(self, end: str) -> Message:
        found = Message()
        while self.peek() != end:
            _, name = self.next()
            if self.peek() == ":":
                self.next()
            for value in self.values():
                found.setdefault(name, []).append(value)
        self.next()
        return found

    def values(self) -> list[Any]:
        if self.peek() != "[":
            return [self.value()]
        self.next()
        found = []
        while self.peek() != "]":
            found.append(self.value())
        self.next()
        return found

    def value(self) -> Any:
        kind, text = self.next()
        if text in ("{", "<"):
            return self.message("}" if text == "{" else ">")
        if kind != "text":
            return Word(text)
        data = _unquote(text)
        while self.tokens[self.at][0] == "text":
            data += _unquote(self.next()[1])
        return data


def _unquote(text: str) -> bytes:
    out = b""
    at = 0
    inner = text[1:-1]
    for found in _ESCAPE.finditer(inner):
        out += inner[at : found.start()].encode() + _character(found)
        at = found.end()
    return out + inner[at:].encode()


def _character(found: re.Match[str]) -> bytes:
    octal, hexa, short, long, simple = found.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if hexa:
        return bytes([int(hexa, 16)])
    if short or long:
        return chr(int(short or long, 16)).encode("utf-8", "surrogatepass")
    return _SIMPLE.get(simple, simple.encode())
