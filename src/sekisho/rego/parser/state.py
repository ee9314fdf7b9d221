"""Where a parse stands: tokens, position, errors, and the way back."""

from __future__ import annotations

from typing import Final, NamedTuple

from sekisho.diag import Code, Diagnostic, DiagnosticError, Limit, Source, Span
from sekisho.rego import codes
from sekisho.rego.dialect import Dialect
from sekisho.rego.lexer import (
    EOF,
    IDENTIFIER,
    ILLEGAL,
    KEYWORDS,
    SOFT_KEYWORDS,
    Tokens,
    tokenize,
)
from sekisho.rego.nodes import Node

SIZE: Final = Limit(
    "a Rego source", 1_000_000, "characters", "two seconds of work at worst; real policies have a hundredth"
)
NESTING: Final = Limit(
    "nesting", 64, "levels", "deeper terms overflow the stack of the stages that read them"
)
ERRORS: Final = Limit("errors of one source", 10, "errors", "more are seldom independent")

WORDS: Final = KEYWORDS | SOFT_KEYWORDS


class Failure(Exception):
    """The production at hand cannot be parsed; the reason is in ``State.errors``."""


class Error(NamedTuple):
    """A reported error, a diagnostic in the making."""

    message: str
    start: int
    end: int
    code: Code
    help: str


class Mark(NamedTuple):
    """A place to come back to."""

    position: int
    errors: int
    depth: int


class State:
    """Tokens, position and errors. ``i`` is the number of the next token.

    Failing is an exception; a production that tries something else instead goes back to a ``Mark``.
    """

    __slots__ = (
        "deepest",
        "depth",
        "dialect",
        "ends",
        "errors",
        "i",
        "keywords",
        "kinds",
        "lexemes",
        "not_bodies",
        "source",
        "starts",
        "text",
        "tokens",
        "wildcards",
    )

    def __init__(self, source: Source, dialect: Dialect, keywords: frozenset[str]) -> None:
        self.source = source
        self.text = source.text
        self.dialect = dialect
        self.keywords = keywords | SOFT_KEYWORDS if dialect is Dialect.V1 else keywords
        self.not_bodies = "not" in keywords
        self.tokens: Tokens = tokenize(source.text, self.keywords)
        self.kinds = self.tokens.kinds
        self.lexemes = self.tokens.lexemes
        self.starts = self.tokens.starts
        self.ends = self.tokens.ends
        self.errors: list[Error] = []
        self.i = 0
        self.depth = 0
        self.deepest = 0
        self.wildcards = 0

    # --- reading ------------------------------------------------------------------------------------------

    def touches(self, i: int) -> bool:
        """Whether nothing stands between token ``i`` and the one before it."""
        return self.starts[i] == self.ends[i - 1]

    def after_newline(self, i: int) -> bool:
        """Whether token ``i`` stands on a later line than the one before it ends."""
        return self.text.find("\n", self.ends[i - 1], self.starts[i]) >= 0

    def names_reference(self, i: int) -> bool:
        """Whether token ``i`` is a keyword that begins a reference: ``if.x``, ``contains["y"]``."""
        return self.is_keyword(self.kinds[i]) and self.kinds[i + 1] in {".", "["} and self.touches(i + 1)

    def is_keyword(self, kind: str) -> bool:
        """Whether tokens of this kind are keywords that may be steps of a reference."""
        return kind in WORDS

    # --- failing ------------------------------------------------------------------------------------------

    def report(self, message: str, start: int, end: int, code: Code = codes.PARSE, help: str = "") -> None:
        """Note an error and go on."""
        self.errors.append(Error(message, start, end, code, help))

    def report_at(self, message: str, node: Node, code: Code = codes.PARSE, help: str = "") -> None:
        """Note an error at a node."""
        self.report(message, node.start, node.end, code, help)

    def unexpected(self, note: str = "", *, code: Code = codes.PARSE, help: str = "") -> Failure:
        """Note that the next token does not belong there."""
        i = self.i
        kind = self.kinds[i]
        if kind == ILLEGAL:
            message = self.tokens.faults[i] or "illegal token"
            self.report(message, self.starts[i], self.ends[i], codes.LEXICAL)
            return Failure()
        what = "keyword" if kind in WORDS else "token"
        message = f"unexpected {kind} {what}"
        if note:
            message = f"{message}: {note}"
        self.report(message, self.starts[i], self.ends[i], code, help or self._hint(i))
        return Failure()

    def white_space(self, note: str) -> Failure:
        """Note that white space before the next token does not belong there."""
        at = self.ends[self.i - 1]
        self.report(f"unexpected whitespace token: {note}", at, self.starts[self.i])
        return Failure()

    def _hint(self, i: int) -> str:
        """What to do if a word on this line is a keyword elsewhere."""
        if self.dialect is Dialect.V1:
            return ""
        line = self.source.position(self.starts[i]).line
        for j in range(i, max(-1, i - 40), -1):
            if self.source.position(self.starts[j]).line != line:
                break
            word = self.lexemes[j]
            if self.kinds[j] == IDENTIFIER and word in SOFT_KEYWORDS and word not in self.keywords:
                return f"`{word}` is a keyword after `import future.keywords.{word}` or `import rego.v1`"
        return ""

    def diagnostics(self) -> DiagnosticError:
        """The errors as diagnostics."""
        return DiagnosticError(
            [
                Diagnostic(
                    code=error.code,
                    message=error.message,
                    at=Span(self.source, error.start, error.end),
                    help=error.help,
                )
                for error in self.errors[: ERRORS.value]
            ]
        )

    # --- going back ---------------------------------------------------------------------------------------

    def mark(self) -> Mark:
        """The place where the parse stands now."""
        return Mark(self.i, len(self.errors), self.depth)

    def back(self, mark: Mark) -> None:
        """Return to a place, and forget what went wrong since."""
        self.i = mark.position
        del self.errors[mark.errors :]
        self.depth = mark.depth

    def deeper(self) -> None:
        """Enter one level."""
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        if self.depth > NESTING.value:
            i = self.i
            self.report(str(NESTING), self.starts[i], self.ends[i], codes.TOO_DEEP)
            raise Failure

    def wildcard(self) -> str:
        """A fresh name for ``_``."""
        self.wildcards += 1
        return f"${self.wildcards - 1}"

    @property
    def at_end(self) -> bool:
        """Whether all tokens have been read."""
        return self.kinds[self.i] == EOF
