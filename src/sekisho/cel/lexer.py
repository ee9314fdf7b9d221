"""Text to tokens, by the lexical grammar of the CEL specification (cel-go's ``CEL.g4``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

INT: Final = "NUM_INT"
UINT: Final = "NUM_UINT"
FLOAT: Final = "NUM_FLOAT"
STRING: Final = "STRING"
BYTES: Final = "BYTES"
IDENT: Final = "IDENTIFIER"
ESCAPED: Final = "ESC_IDENTIFIER"
EOF: Final = "<EOF>"

WORDS: Final = frozenset({"in", "true", "false", "null"})
"""Identifiers that are tokens of their own; a token's kind is then the word."""

_ESCAPE: Final = (
    r"""\\(?:[abfnrtv"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"""
)
_TEXT: Final = "|".join(
    (
        rf'"""(?:{_ESCAPE}|[^\\])*?"""',
        rf"'''(?:{_ESCAPE}|[^\\])*?'''",
        rf'"(?:{_ESCAPE}|[^\\"\n\r])*"',
        rf"'(?:{_ESCAPE}|[^\\'\n\r])*'",
        r'[rR]"""[\s\S]*?"""',
        r"[rR]'''[\s\S]*?'''",
        r'[rR]"[^"\n\r]*"',
        r"[rR]'[^'\n\r]*'",
    )
)
_TOKEN: Final = re.compile(
    "|".join(
        (
            r"(?P<skip>[\t \r\n\f]+|//[^\n]*)",
            rf"(?P<BYTES>[bB](?:{_TEXT}))",
            rf"(?P<STRING>{_TEXT})",
            r"(?P<NUM_FLOAT>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)",
            r"(?P<NUM_UINT>(?:0x[0-9a-fA-F]+|[0-9]+)[uU])",
            r"(?P<NUM_INT>0x[0-9a-fA-F]+|[0-9]+)",
            r"(?P<IDENTIFIER>[A-Za-z_][A-Za-z0-9_]*)",
            r"(?P<ESC_IDENTIFIER>`[A-Za-z0-9_.\-/ ]+`)",
            r"(?P<op>[=!<>]=|&&|\|\||[][{}()<>.,\-!?:+*/%])",
        )
    )
)


class Token(NamedTuple):
    """``kind`` is one of the names above, a word, or the operator itself."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.start + (len(self.text) if self.kind != EOF else 0)


def tokens(text: str, refuse: Callable[[int, str], None]) -> list[Token]:
    """The tokens of a text, ``EOF`` last. What is no token is given to ``refuse`` with its offset."""
    found: list[Token] = []
    at, length = 0, len(text)
    match = _TOKEN.match
    while at < length:
        token = match(text, at)
        if token is None:
            end = _recover(text, at)
            refuse(at, text[at:end])
            at = end
            continue
        at = token.end()
        kind = token.lastgroup or ""
        if kind == "skip":
            continue
        value = token.group()
        if kind == "op" or (kind == IDENT and value in WORDS):
            kind = value
        found.append(Token(kind, value, token.start()))
    found.append(Token(EOF, EOF, length))
    return found


def _recover(text: str, at: int) -> int:
    """Where to go on after what is no token, as cel-go does: after the character that made it none."""
    if text[at] in "\"'":
        begun = _BEGUN.match(text, at)
        assert begun is not None
        return min(begun.end() + (text[begun.end() : begun.end() + 1] == "\\") * 2, len(text))
    return min(at + (2 if text[at] in "|&=" else 1), len(text))


_BEGUN: Final = re.compile(rf"""(["'])(?:{_ESCAPE}|(?!\1)[^\\\n\r])*""")
"""A text that does not end, up to what ends the line or is no escape."""
