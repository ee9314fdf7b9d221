"""glob.match and glob.quote_meta: ``*``, ``**``, ``?``, ``[a-z]``, ``[!abc]``, ``{a,b}``, and delimiters.

``*`` and ``?`` stop at a delimiter, ``**`` does not. A glob is translated to RE2.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sekisho.diag import Limit
from sekisho.lang import re2
from sekisho.lang.meter import Exhausted
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import BOOLEAN, NULL, STRING, Array, Function, Union
from sekisho.rego.values import Value

LENGTH: Final = Limit("a glob", 10_000, "characters", "its expression grows with it")

_SPECIAL: Final = re.compile(r"[*?\\\[\]{}]")


class _Wrong(Exception):
    """What is wrong with a glob."""


def _match(context: EvalContext, pattern: Value, delimiters: Value, text: Value) -> bool:
    glob = operands.string(pattern, 1)
    if delimiters is None:
        characters = ""
    elif type(delimiters) is list:
        characters = "".join(_character(delimiters, item) for item in delimiters) or "."
    else:
        operands.wrong_type(2, delimiters, "array", "null")
    subject = operands.string(text, 3)
    try:
        expression = _expression(glob, characters)
    except _Wrong as wrong:
        raise BuiltinFault(str(wrong)) from None
    try:
        compiled = re2.compile(expression, context.meter)
    except re2.PatternError:
        raise BuiltinFault("the glob is too large") from None
    return compiled.search(subject, context.meter)


def _character(delimiters: list[Value], item: Value) -> str:
    if type(item) is not str:
        operands.wrong_element(2, delimiters, item, "string")
    if len(item) != 1:
        operands.wrong_element(2, delimiters, item, "rune")
    return str(item)


@lru_cache(maxsize=256)
def _expression(glob: str, delimiters: str) -> str:
    """The RE2 expression of a glob. Raises _Wrong."""
    if len(glob) > LENGTH.value:
        raise Exhausted(LENGTH)
    return _Translation(glob.partition("\0")[0], delimiters).whole()


class _Translation:
    """Reads a glob from left to right. ``level`` counts the braces open."""

    def __init__(self, glob: str, delimiters: str) -> None:
        self.glob = glob
        self.at = 0
        self.level = 0
        inside = "".join(map(_in_class, delimiters))
        self.one = f"[^{inside}]" if inside else "."
        self.out: list[str] = []

    def whole(self) -> str:
        while self.at < len(self.glob):
            char = self.glob[self.at]
            self.at += 1
            self.out.append(self.element(char))
        return rf"(?s)\A(?:{''.join(self.out)}{')' * self.level})\z"

    def element(self, char: str) -> str:
        match char:
            case "{":
                self.level += 1
                return "(?:"
            case "," if self.level:
                return "|"
            case "}" if self.level:
                self.level -= 1
                return ")"
            case "[":
                return self.range()
            case "?":
                return self.one
            case "*":
                if self.glob[self.at : self.at + 1] == "*":
                    self.at += 1
                    return ".*"
                return f"{self.one}*"
            case "\\":
                char = self.glob[self.at : self.at + 1]
                self.at += 1
        return re2.quote_meta(char)

    def range(self) -> str:
        """A class: characters, or one range, optionally negated."""
        glob = self.glob
        negated = glob[self.at : self.at + 1] == "!"
        self.at += negated
        low = glob[self.at : self.at + 1]
        if glob[self.at + 1 : self.at + 2] == "-" and low:
            high, close = glob[self.at + 2 : self.at + 3], glob[self.at + 3 : self.at + 4]
            if not high or not close:
                raise _Wrong("unexpected end of input")
            if close != "]":
                raise _Wrong("expected close range character")
            if high < low:
                raise _Wrong(f"hi character '{high}' should be greater than lo '{low}'")
            self.at += 4
            return f"[{'^' * negated}{_in_class(low)}-{_in_class(high)}]"
        characters = self.characters()
        if not characters:
            raise _Wrong("could not parse range")
        return f"[{'^' * negated}{''.join(map(_in_class, characters))}]"

    def characters(self) -> str:
        out = ""
        while self.at < len(self.glob):
            char = self.glob[self.at]
            self.at += 1
            if char == "]":
                return out
            if char == "\\":
                char = self.glob[self.at : self.at + 1]
                self.at += 1
            out += char
        raise _Wrong("unexpected end of input")


def _in_class(char: str) -> str:
    return f"\\x{{{ord(char):x}}}"


def _quote_meta(context: EvalContext, pattern: Value) -> str:
    glob = operands.string(pattern, 1)
    context.meter.text(2 * len(glob))
    return _SPECIAL.sub(r"\\\g<0>", glob)


row(
    "glob.match",
    Function((STRING, Union((NULL, Array(dynamic=STRING))), STRING), BOOLEAN),
    _match,
    context=True,
)
row("glob.quote_meta", Function((STRING,), STRING), _quote_meta, context=True)
