"""Literals: constants, numbers and strings, and what messages call a term."""

from __future__ import annotations

import json
import math
import re
from typing import Final

from sekisho.rego import codes
from sekisho.rego.lexer import NUMBER
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Call,
    ObjectComp,
    ObjectTerm,
    Ref,
    Scalar,
    SetComp,
    SetTerm,
    TemplateString,
    Term,
    Var,
)
from sekisho.rego.parser.state import Failure, State
from sekisho.rego.values import Number

_CONSTANTS: Final = {"null": None, "true": True, "false": False}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PLAIN_DIGITS: Final = 4_000
"""Longer integers stay ``Number``: Python refuses to convert more than 4,300 digits."""

_LARGEST_EXPONENT: Final = 100_000
"""OPA's bound on a number's binary exponent: beyond it, printing takes quadratic time."""


class Literals(State):
    """The productions of literals."""

    __slots__ = ()

    def string(self) -> Scalar:
        r"""``"text"`` with JSON's escapes, or a raw string between backquotes."""
        i = self.i
        self.i = i + 1
        lexeme = self.lexemes[i]
        value = lexeme[1:-1]
        if lexeme[0] == '"' and "\\" in value:
            unescaped = unescape(lexeme)
            if unescaped is None:
                message = f"illegal string literal: {lexeme}"
                self.report(message, self.starts[i], self.ends[i], codes.LEXICAL)
                raise Failure
            value = unescaped
        return Scalar(value, start=self.starts[i], end=self.ends[i])

    def constant(self) -> Scalar:
        """``null | true | false``."""
        i = self.i
        self.i = i + 1
        return Scalar(_CONSTANTS[self.kinds[i]], start=self.starts[i], end=self.ends[i])

    def number(self) -> Scalar:
        """``["-"] ["."] digits ["." digits] [exponent]``, exact."""
        first = self.i
        text = ""
        if self.kinds[self.i] == "minus":
            text = "-"
            self.i += 1
            if self.kinds[self.i] not in {NUMBER, "."}:
                raise self.unexpected("expected number")
        if self.kinds[self.i] == ".":
            text += "."
            self.i += 1
            if self.kinds[self.i] != NUMBER:
                raise self.unexpected("expected number")
        lexeme = self.lexemes[self.i]
        if not text.endswith(".") and len(lexeme) > 1 and lexeme[0] == "0" and lexeme[1] not in ".eE":
            raise self.unexpected("expected number without leading zero")
        if text.endswith(".") and "." in lexeme:
            raise self.unexpected("invalid float")
        value = number(text + lexeme)
        if isinstance(value, str):
            at = self.i
            self.report(value, self.starts[at], self.ends[at], codes.LEXICAL)
            raise Failure
        self.i += 1
        return Scalar(value, start=self.starts[first], end=self.ends[self.i - 1])


_VALUE_NAMES: Final[dict[type, str]] = {
    Var: "var",
    Ref: "ref",
    ArrayTerm: "array",
    SetTerm: "set",
    ObjectTerm: "object",
    ArrayComp: "arraycomprehension",
    SetComp: "setcomprehension",
    ObjectComp: "objectcomprehension",
    Call: "call",
    TemplateString: "templatestring",
}


def value_name(term: Term) -> str:
    """What messages call a term of this form."""
    if not isinstance(term, Scalar):
        if isinstance(term, Var) and term.name in {"input", "data"}:
            return "ref"
        return _VALUE_NAMES[type(term)]
    value = term.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def number(text: str) -> int | Number | str:
    """The value of a decimal literal: an int where it is written as one, else exact; or why it is refused."""
    digits = text.lstrip("-")
    if digits.isdigit() and len(digits) <= _PLAIN_DIGITS and text != "-0":
        return int(text)
    mantissa, _, exponent = digits.lower().partition("e")
    if len(exponent.lstrip("+-0")) > 9:
        return "number too big"
    value = Number(text)
    if not value:
        return value
    leading = mantissa.replace(".", "").lstrip("0")[:17]
    binary = (value.adjusted() + math.log10(int(leading)) - len(leading) + 1) / math.log10(2)
    return "number too big" if abs(math.floor(binary) + 1) > _LARGEST_EXPONENT else value


def unescape(literal: str) -> str | None:
    """The text that a quoted literal with escapes denotes; None if an escape is malformed.

    Half a surrogate pair becomes U+FFFD, as in Go.
    """
    try:
        text = json.loads(literal)
    except ValueError:
        return None
    assert isinstance(text, str)
    return _SURROGATE.sub("\ufffd", text)
