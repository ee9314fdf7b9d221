"""The values of tokens that are literals."""

from __future__ import annotations

import math
import re
from typing import Final

from sekisho.cel.lexer import FLOAT, UINT
from sekisho.cel.values import INT_MAX, UINT_MAX, UInt, Value

_DIGITS: Final = 20
"""Digits of the largest number."""


def number_value(kind: str, sign: str, text: str) -> Value:
    """The value of a numeric token, or None if it is out of range."""
    if kind == FLOAT:
        number = float(sign + text)
        return None if math.isinf(number) else number
    digits = text.rstrip("uU")
    base = 16 if digits.startswith("0x") else 10
    digits = digits.removeprefix("0x").lstrip("0") or "0"
    if len(digits) > _DIGITS:
        return None
    value = int(digits, base)
    if kind == UINT:
        return UInt(value) if value <= UINT_MAX else None
    if sign:
        return -value if value <= INT_MAX + 1 else None
    return value if value <= INT_MAX else None


_SIMPLE: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "`": "`",
    "?": "?",
}
_ESCAPED: Final = re.compile(
    r"\\(?:([abfnrtv\\'\"`?])|([0-3][0-7]{2})|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"
)


class EscapeError(Exception):
    """A text has an escape that stands for nothing."""


def text_value(token: str) -> str:
    """The value of a STRING token. Raises EscapeError for code points that do not exist."""
    raw, inner = _unquoted(token)
    if raw or "\\" not in inner:
        return inner
    return _ESCAPED.sub(_character, inner)


def bytes_value(token: str) -> bytes:
    """The value of a BYTES token: octal and hexadecimal escapes are bytes, all else is UTF-8."""
    raw, inner = _unquoted(token[1:])
    if raw or "\\" not in inner:
        return inner.encode("utf-8", "surrogatepass")
    out = bytearray()
    at = 0
    for escape in _ESCAPED.finditer(inner):
        out += inner[at : escape.start()].encode("utf-8", "surrogatepass")
        out += _bytes(escape)
        at = escape.end()
    out += inner[at:].encode("utf-8", "surrogatepass")
    return bytes(out)


def _unquoted(token: str) -> tuple[bool, str]:
    """Whether a text is raw, and what stands between its quotes, with line breaks as newlines."""
    token = token.replace("\r\n", "\n").replace("\r", "\n")
    raw = token[0] in "rR"
    if raw:
        token = token[1:]
    width = 3 if len(token) >= 6 and token[:3] in ('"""', "'''") else 1
    return raw, token[width:-width]


def _character(escape: re.Match[str]) -> str:
    simple, octal, *digits = escape.groups()
    if simple:
        return _SIMPLE[simple]
    point = int(octal, 8) if octal else int("".join(filter(None, digits)), 16)
    if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        raise EscapeError("invalid unicode code point")
    return chr(point)


def _bytes(escape: re.Match[str]) -> bytes:
    simple, octal, digits, *points = escape.groups()
    if simple:
        return _SIMPLE[simple].encode()
    if any(points):
        raise EscapeError("unable to unescape string")
    return bytes([int(octal, 8) if octal else int(digits, 16)])
