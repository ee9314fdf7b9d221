"""Characters to tokens, with one regular expression.

``tokenize`` gives four parallel lists, since lists of integers and strings cost a tenth of a list of objects.
A token's kind is the name that OPA's messages use for it: ``identifier``, ``number``, ``string``, ``plus``,
``eq``, ``[``, ``if``. White space and comments are no tokens: whether two tokens touch follows from their
offsets. Text that is no token becomes one of the kind ``illegal``, with its reason in ``faults``; the
parser reports it when it gets there, so a fault behind a syntax error does not hide it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from sekisho.diag import Limit

IDENTIFIER: Final = "identifier"
NUMBER: Final = "number"
STRING: Final = "string"
ILLEGAL: Final = "illegal"
EOF: Final = "eof"
PART: Final = "template-string-part"
PART_END: Final = "template-string-end"
RAW_PART: Final = "raw-template-string-part"
RAW_END: Final = "raw-template-string-end"

KEYWORDS: Final = frozenset(
    {"package", "import", "as", "default", "else", "not", "some", "with", "null", "true", "false"}
)
"""Reserved in every dialect."""

SOFT_KEYWORDS: Final = frozenset({"in", "every", "if", "contains"})
"""Reserved in v1, and in v0 once they are imported; identifiers otherwise."""

_KINDS: Final = {
    "[": "[",
    "]": "]",
    "{": "{",
    "}": "}",
    "(": "(",
    ")": ")",
    ",": ",",
    ":": ":",
    ".": ".",
    ";": ";",
    "+": "plus",
    "-": "minus",
    "*": "mul",
    "/": "div",
    "%": "rem",
    "&": "and",
    "|": "or",
    "=": "eq",
    ":=": "assign",
    "==": "equal",
    "!=": "neq",
    "<": "lt",
    ">": "gt",
    "<=": "lte",
    ">=": "gte",
    **{word: word for word in KEYWORDS},
}


# Groups of the pattern below, the commonest first.
_WORD, _PUNCTUATION, _TEXT, _NUMBER, _COMMENT, _RAW, _TEMPLATE, _OTHER = range(1, 9)
_CLASSES: Final = {
    _WORD: IDENTIFIER,
    _PUNCTUATION: ILLEGAL,
    _TEXT: STRING,
    _NUMBER: NUMBER,
    _RAW: STRING,
    _OTHER: ILLEGAL,
}
_TOKEN: Final = re.compile(
    r"""[ \t\r\n]*(?:
      ([A-Za-z_][A-Za-z_\d]*)
    | ([][{}(),.;+*/%&|-] | [:=!<>]=?)
    | ("[^"\\\n]*(?:\\.[^"\\\n]*)*"?)
    | ([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?[A-Za-z_\d]*)
    | (\#[^\n]*)
    | (`[^`]*`?)
    | (\$["`])
    | ([^ \t\r\n])
    )""",
    re.VERBOSE,
)
_NUMBER_FORM: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPE: Final = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPES: Final = frozenset('"\\/bfnrtu')
_PART_TEXT: Final = re.compile(r'[^"\\\n{]*(?:\\.[^"\\\n{]*)*')
_RAW_TEXT: Final = re.compile(r"[^`\\{]*(?:\\\{?[^`\\{]*)*")

TEMPLATE_NESTING: Final = Limit(
    "nesting of template strings", 20, "levels", "nobody can read more; each level is one of our stack"
)


class Tokens:
    """The tokens of a text: parallel lists, ended by tokens of the kind ``eof``.

    ``comments`` are the offsets of comments, from ``#`` to the end of the line. ``faults`` gives the reason
    why the token with this number is illegal. The lexeme of a part of a template string is its inner text.
    """

    __slots__ = ("comments", "ends", "faults", "kinds", "lexemes", "starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.kinds: list[str] = []
        self.lexemes: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.comments: list[tuple[int, int]] = []
        self.faults: dict[int, str] = {}

    def add(self, kind: str, lexeme: str, start: int, end: int) -> None:
        """Append one token."""
        self.kinds.append(kind)
        self.lexemes.append(lexeme)
        self.starts.append(start)
        self.ends.append(end)

    def refuse(self, fault: str, start: int, end: int) -> None:
        """Append a token that is none, with the reason."""
        self.faults[len(self.kinds)] = fault
        self.add(ILLEGAL, self.text[start:end], start, end)

    def reserve(self, words: Collection[str], since: int) -> None:
        """Make keywords of these words, from the token with number ``since`` on."""
        kinds, lexemes = self.kinds, self.lexemes
        for i in range(since, len(kinds)):
            if lexemes[i] in words and kinds[i] == IDENTIFIER:
                kinds[i] = lexemes[i]


def tokenize(text: str, keywords: Collection[str] = ()) -> Tokens:
    """The tokens of a text in which ``keywords`` are reserved beside those of every dialect."""
    return _Lexer(text, keywords).run()


class _Lexer:
    """One run over one text."""

    __slots__ = ("known", "nested", "text", "tokens")

    def __init__(self, text: str, keywords: Collection[str]) -> None:
        self.text = text
        self.tokens = Tokens(text)
        self.known = {**_KINDS, **{word: word for word in keywords}}
        self.nested = 0

    def run(self) -> Tokens:
        last = len(self.text)
        position = 1 if self.text.startswith(_BYTE_ORDER_MARK) else 0
        while position < last:
            position = self.plain(position)
        for _ in range(3):  # the parser looks two tokens ahead
            self.tokens.add(EOF, "", last, last)
        return self.tokens

    def plain(self, position: int) -> int:
        """Read tokens up to and with the next template string, or to the end of the text."""
        tokens, known = self.tokens, self.known
        kinds, lexemes, starts, ends = tokens.kinds, tokens.lexemes, tokens.starts, tokens.ends
        for match in _TOKEN.finditer(self.text, position):
            group = match.lastindex
            assert group is not None
            lexeme = match[group]
            kind = known.get(lexeme)
            if kind is None:
                kind = IDENTIFIER if group == _WORD else self.classify(match, group, lexeme)
                if kind == _TEMPLATE_START:
                    return self.template(match.start(group))
                if not kind:
                    continue
            kinds.append(kind)
            lexemes.append(lexeme)
            starts.append(match.start(group))
            ends.append(match.end())
        return len(self.text)

    def classify(self, match: re.Match[str], group: int, lexeme: str) -> str:
        """The kind of a token that is no word; empty if it has been dealt with."""
        if group == _COMMENT:
            self.tokens.comments.append(match.span(group))
            return ""
        if group == _TEMPLATE:
            return _TEMPLATE_START
        fault = _fault(group, lexeme)
        if fault is None:
            return _CLASSES[group]
        self.tokens.refuse(fault, match.start(group), match.end())
        return ""

    def template(self, start: int) -> int:
        """Read a template string: part ``{`` tokens ``}`` part … end."""
        tokens, text = self.tokens, self.text
        raw = text[start + 1] == "`"
        quote, pattern = ("`", _RAW_TEXT) if raw else ('"', _PART_TEXT)
        begin = start + 2
        self.nested += 1
        if TEMPLATE_NESTING.exceeded_by(self.nested):
            tokens.refuse(str(TEMPLATE_NESTING), start, begin)
            return len(text)
        while True:
            match = pattern.match(text, begin)
            assert match is not None
            end = match.end()
            stop = text[end : end + 1]
            if stop not in {quote, "{"}:
                tokens.refuse("non-terminated string", start, end)
                return end
            if not raw and _bad_escape(match[0], "{"):
                tokens.refuse("illegal escape sequence", start, end + 1)
            elif stop == quote:
                tokens.add(RAW_END if raw else PART_END, match[0], start, end + 1)
            else:
                tokens.add(RAW_PART if raw else PART, match[0], start, end + 1)
            if stop == quote:
                self.nested -= 1
                return end + 1
            start = begin = self.expression(end + 1)
            if not begin:
                return len(text)

    def expression(self, position: int) -> int:
        """Read the tokens of an expression and its closing brace; 0 if there is no such brace."""
        tokens, depth = self.tokens, 0
        while match := _TOKEN.match(self.text, position):
            group = match.lastindex
            assert group is not None
            position = match.end()
            lexeme = match[group]
            kind = self.known.get(lexeme) or (
                IDENTIFIER if group == _WORD else self.classify(match, group, lexeme)
            )
            if kind == _TEMPLATE_START:
                position = self.template(match.start(group))
            elif kind:
                tokens.add(kind, lexeme, match.start(group), position)
            if kind == "{":
                depth += 1
            elif kind == "}":
                if not depth:
                    return position
                depth -= 1
        return 0


_TEMPLATE_START: Final = "template-string"


def _fault(group: int, lexeme: str) -> str | None:
    """Why a lexeme is no token; None if it is one. Empty: there is no more to say than that it is none."""
    if group == _TEXT:
        return _text_fault(lexeme)
    if group == _NUMBER:
        return _number_fault(lexeme)
    if group == _RAW:
        return None if len(lexeme) > 1 and lexeme.endswith("`") else "non-terminated string"
    if lexeme in "!$":
        return f"illegal {lexeme} character"
    return _CHARACTERS.get(lexeme, "")


_BYTE_ORDER_MARK: Final = "\ufeff"
_CHARACTERS: Final = {
    "\0": "illegal null character",
    _BYTE_ORDER_MARK: "illegal byte-order mark",
    "\ufffd": "illegal utf-8 character",
}


def _text_fault(lexeme: str) -> str | None:
    if "\\" not in lexeme:
        return None if len(lexeme) > 1 and lexeme.endswith('"') else "non-terminated string"
    if _bad_escape(lexeme, ""):
        return "illegal escape sequence"
    closed = len(lexeme) > 1 and _ESCAPE.sub("", lexeme).endswith('"', 1)
    return None if closed else "non-terminated string"


def _bad_escape(lexeme: str, more: str) -> bool:
    if "\\" not in lexeme:
        return False
    return any(c not in _ESCAPES and (not more or c not in more) for c in _ESCAPE.findall(lexeme))


def _number_fault(lexeme: str) -> str | None:
    match = _NUMBER_FORM.match(lexeme)
    assert match is not None
    rest = lexeme[match.end() :]
    if not rest:
        return None
    if rest.startswith("."):
        return "expected fraction"
    return "expected exponent" if rest[0] in "eE" else "illegal number format"
