"""The text behind ``key: `` or ``- `` on one line of block-style YAML, read without a YAML parser.

Whatever these tables give is what libyaml and ``scalars`` give; what is not certain is ``UNSURE``, and the
parser decides. Results are remembered by text: manifests repeat the same words.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sekisho.manifest.scalars import is_json, plain, to_json, to_key


class Special:
    """What is no plain value. ``kind`` is one of the constants below."""

    __slots__ = ("detail", "kind")

    def __init__(self, kind: str, detail: Any = None) -> None:
        self.kind, self.detail = kind, detail


UNSURE: Final = Special("unsure")
NOTHING: Final = Special("nothing")
"""No text but perhaps a comment: the value is null, or on the next lines."""

ITEM: Final = Special("item")
"""A dash alone on its line."""

_REMEMBERED: Final = 50_000
"""No more texts than this are remembered, about 10 MB."""

_LONG: Final = 200
"""Longer texts do not repeat."""

_QUOTED: Final = re.compile(r'(?:"([^"\\]*)"' r"|'((?:[^']|'')*)'" r'|"((?:[^"\\]|\\["\\nrt])*)")(?: +#.*)?')
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}

_UNPLAIN: Final = frozenset(",[]{}#&*!|>'\"%@`?:")
"""Text that begins like this is no plain scalar, or one that is left to the parser."""

_LITERAL: Final = re.compile(r"\|([-+]?)(?: +#.*)?")
_FOLDED: Final = re.compile(r">(-?)(?: +#.*)?")

_TOKEN: Final = re.compile(
    r" *(?:([\[\]{},])"
    r'|(?:"([^"\\]*)"'
    r"|'([^']*)'"
    r"|([A-Za-z0-9_./$=-][A-Za-z0-9_./$=%@*-]*(?: [A-Za-z0-9_./$=%@*-]+)*))(:(?= ))?)"
)
_COMMENT: Final = re.compile(r"(?: +#.*)?")

FLOW_DEPTH: Final = 20
"""Brackets nested more deeply than this are left to the parser."""


class UnsureError(Exception):
    """The parser must decide."""


class Values(dict[str, Any]):
    """Text of a value → the value, or a ``Special``."""

    def __missing__(self, text: str) -> Any:
        value = _value(text)
        if len(text) <= _LONG and len(self) < _REMEMBERED:
            self[text] = value
        return value


class Keys(dict[str, str]):
    """Text of a key, perhaps in quotes → the key. Raises ``UnsureError`` where the parser must decide."""

    def __missing__(self, text: str) -> str:
        key = text[1:-1] if text[0] in "\"'" else to_key(plain(text))
        if key is None:
            raise UnsureError
        if len(text) <= _LONG and len(self) < _REMEMBERED:
            self[text] = key
        return key


def _value(text: str) -> Any:
    if "\t" in text:
        return UNSURE
    text = text.strip(" ")
    if not text or text[0] == "#":
        return NOTHING
    first = text[0]
    if first in "\"'":
        return _quoted(text)
    if first in "[{":
        return _flow(text)
    if first == "|":
        found = _LITERAL.fullmatch(text)
        return Special("literal", found[1]) if found else UNSURE
    if first == ">":
        found = _FOLDED.fullmatch(text)
        return Special("folded", found[1]) if found else UNSURE
    if text == "-":
        return ITEM
    if first in _UNPLAIN or text.startswith("- "):
        return UNSURE
    comment = text.find(" #")
    if comment >= 0:
        text = text[:comment].rstrip(" ")
    if ": " in text or text[-1] == ":":
        return UNSURE
    value = plain(text)
    return to_json(value) if is_json(value) else UNSURE


def _quoted(text: str) -> Any:
    found = _QUOTED.fullmatch(text)
    if found is None:
        return UNSURE
    double, single, escaped = found.groups()
    if double is not None:
        return double
    if single is not None:
        return single.replace("''", "'")
    return _ESCAPED.sub(lambda one: _ESCAPES[one[1]], escaped)


_Token = tuple[str | None, ...]
"""Bracket or comma, text in double quotes, in single quotes, plain text, a colon behind the text."""


def _flow(text: str) -> Any:
    """A list or mapping in brackets, if it is a simple one that ends on this line."""
    tokens: list[_Token] = []
    at = 0
    while (found := _TOKEN.match(text, at)) is not None:
        tokens.append(found.groups())
        at = found.end()
    if not _COMMENT.fullmatch(text, at):
        return UNSURE
    tokens.reverse()
    try:
        value = _collection(tokens, 1)
    except UnsureError:
        return UNSURE
    return UNSURE if tokens else Special("flow", value)


def _collection(tokens: list[_Token], depth: int) -> Any:
    opening = tokens.pop()[0] if tokens else None
    if opening not in ("[", "{") or depth > FLOW_DEPTH:
        raise UnsureError
    close = "]" if opening == "[" else "}"
    items: list[Any] = []
    fields: dict[str, Any] = {}
    while tokens and tokens[-1][0] != close:
        if opening == "[":
            items.append(_item(tokens, depth))
        else:
            key = _flow_key(tokens.pop())
            if key in fields:
                raise UnsureError
            fields[key] = _item(tokens, depth)
        if not tokens or tokens[-1][0] not in (",", close):
            raise UnsureError
        if tokens[-1][0] == ",":
            tokens.pop()
    if not tokens:
        raise UnsureError
    tokens.pop()
    return items if opening == "[" else fields


def _flow_key(token: _Token) -> str:
    key = _text(token)
    if token[4] is None or key is None:
        raise UnsureError
    return key if token[3] is None else KEYS[key]


def _item(tokens: list[_Token], depth: int) -> Any:
    if not tokens or tokens[-1][4] is not None:
        raise UnsureError
    token = tokens[-1]
    if token[0] is not None:
        return _collection(tokens, depth + 1)
    tokens.pop()
    text = _text(token)
    if token[3] is None:
        return text
    value = plain(token[3])
    if not is_json(value):
        raise UnsureError
    return to_json(value)


def _text(token: _Token) -> str | None:
    word = token[3]
    if word is None:
        return token[1] if token[1] is not None else token[2]
    if word == "-" or word.startswith("- "):
        raise UnsureError
    return word


def copied(value: Any) -> Any:
    """A value of a flow collection for one more use: nobody shares lists."""
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if type(value) is list:
        return [copied(item) for item in value]
    return value


VALUES: Final = Values()
KEYS: Final = Keys()
