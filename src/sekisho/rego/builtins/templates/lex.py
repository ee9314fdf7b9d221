"""Go's text/template: text to texts and the tokens of actions. Messages are those of Go's lexer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from sekisho.rego.faults import BuiltinFault


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an action. ``spaced``: white space stands before it."""

    kind: str
    text: str
    place: int
    spaced: bool


_SPACE: Final = " \t\r\n"
_TOKENS: Final = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\[^\n])*")
      | (?P<raw>`[^`]*`)
      | (?P<char>'(?:[^'\\\n]|\\[^\n])+')
      | (?P<declare>:=)
      | (?P<assign>=)
      | (?P<pipe>\|)
      | (?P<left>\()
      | (?P<right>\))
      | (?P<variable>\$\w*)
      | (?P<number>[+-]?(?:\.?[0-9])(?:[eEpP][+-]|[\w.])*|[+-])
      | (?P<field>\.[^\W0-9]\w*)
      | (?P<dot>\.)
      | (?P<word>\w+)
      | (?P<other>[!-~])""",
    re.VERBOSE,
)


class Lexer:
    """Cuts a template into texts and actions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        """Refuse the template at this place, or where the lexer stands."""
        line = self.text.count("\n", 0, self.at if at is None else at) + 1
        raise BuiltinFault(f"template: template:{line}: {message}")

    def piece(self) -> tuple[str, list[Token] | None, int] | None:
        """The next text, and the tokens of the action after it; None at the end."""
        text, start = self.text, self.at
        if start == len(text):
            return None
        opening = text.find("{{", start)
        if opening == -1:
            self.at = len(text)
            return text[start:], None, start
        after = opening + 2
        before = text[start:opening]
        if text[after : after + 1] == "-" and text[after + 1 : after + 2] in tuple(_SPACE):
            before = before.rstrip(_SPACE)
            after += 2
        self.at = after
        if text.startswith("/*", after):
            self._comment(after)
            return before, [], start
        tokens = self._tokens()
        return before, tokens, start

    def _close(self, at: int) -> int | None:
        """The end of the action's right delimiter, if it stands here."""
        if self.text.startswith("}}", at):
            return at + 2
        if self.text[at : at + 1] in tuple(_SPACE) and self.text.startswith("-}}", at + 1):
            return self._trimmed(at + 4)
        return None

    def _trimmed(self, at: int) -> int:
        while at < len(self.text) and self.text[at] in _SPACE:
            at += 1
        return at

    def _comment(self, start: int) -> None:
        end = self.text.find("*/", start)
        if end == -1:
            self.fail("unclosed comment", start)
        closed = self._close(end + 2)
        if closed is None:
            self.fail("comment ends before closing delimiter", start)
        self.at = closed

    def _tokens(self) -> list[Token]:
        tokens: list[Token] = []
        depth = 0
        spaced = False
        text = self.text
        while True:
            closed = self._close(self.at)
            if closed is not None:
                if depth:
                    self.fail("unclosed left paren")
                tokens.append(Token("end", "}}", self.at, spaced))
                self.at = closed
                return tokens
            if self.at == len(text):
                self.fail("unclosed action")
            if text[self.at] in _SPACE:
                self.at += 1
                spaced = True
                continue
            token = self._token(spaced)
            depth += {"left": 1, "right": -1}.get(token.kind, 0)
            if depth < 0:
                self.fail("unexpected right paren")
            tokens.append(token)
            spaced = False

    def _token(self, spaced: bool) -> Token:
        text, start = self.text, self.at
        found = _TOKENS.match(text, start)
        if found is None:
            self._unknown(text[start])
        kind, word = found.lastgroup or "", found.group()
        if kind == "other":
            if word == '"':
                self.fail("unterminated quoted string")
            if word == "`":
                self.fail("unterminated raw quoted string")
            if word == "'":
                self.fail("unterminated character constant")
            if word == ":":
                self.fail("expected :=")
        self.at = found.end()
        if kind == "dot" and self.at == len(text):
            self.fail('illegal number syntax: "."')
        if kind in {"field", "variable", "word"} and not self._ends():
            self._unknown(text[self.at], bad=True)
        if kind == "word" and word in {"true", "false", "nil"}:
            kind = "nil" if word == "nil" else "bool"
        return Token(kind, word, start, spaced)

    def _ends(self) -> bool:
        """Whether a word may end here."""
        return (
            self.at == len(self.text)
            or self.text[self.at] in _SPACE + ".,|:=()"
            or self._close(self.at) is not None
        )

    def _unknown(self, char: str, *, bad: bool = False) -> NoReturn:
        name = f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")
        if char == ":":
            self.fail("expected :=")
        self.fail(f"bad character {name}" if bad else f"unrecognized character in action: {name}")
