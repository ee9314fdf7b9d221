"""GraphQL's tokens, from graphql-core's lexer, with the messages and positions that gqlparser gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sekisho.lang.golang import gotext
from sekisho.rego.faults import BuiltinFault

if TYPE_CHECKING:
    from graphql.language import Token

Node = dict[str, Any]

_VALUED: Final = frozenset({"Name", "Int", "Float", "String", "BlockString"})
_QUOTES: Final = {"String": 1, "BlockString": 3}


class Tokens:
    """The tokens of a document, and what every rule does with them.

    ``kind`` and ``value`` are those of the token not yet taken, ``places`` those of the nodes by ``id``.
    """

    def __init__(self, text: str) -> None:
        from graphql import Source
        from graphql.language.lexer import Lexer

        self.places: dict[int, tuple[int, int]] = {}
        self.place = (1, 1)
        self._lexer = Lexer(Source(text))
        self._advance()

    # --- tokens ---

    def _advance(self) -> None:
        from graphql import GraphQLSyntaxError

        try:
            self._token: Token = self._lexer.advance()
        except GraphQLSyntaxError as error:
            self.kind, self.value = "<Invalid>", ""
            for where in error.locations or ():
                self.place = (where.line, where.column)
            self._comments: list[Node] = []
            return
        token = self._token
        self.kind, self.value = token.kind.value, token.value or ""
        if self.kind == "&":
            self.value = ""
        # gqlparser counts a string's column from behind its first quotes
        self.place = (token.line, token.column + _QUOTES.get(self.kind, 0))
        self._comments = []
        while (before := token.prev) is not None and before.kind.value == "Comment":
            self._comments.append({"Value": f"#{before.value}"})
            token = before
        self._comments.reverse()

    def take(self) -> str:
        """Take the token; its value."""
        value = self.value
        self._advance()
        return value

    def comments(self) -> Node | None:
        """The comments before the next token."""
        return {"List": self._comments} if self._comments else None

    def skip(self, kind: str) -> bool:
        """Take the token if it is of this kind; whether it was."""
        if self.kind != kind:
            return False
        self._advance()
        return True

    def expect(self, kind: str) -> str:
        """Take a token that must be of this kind; its value."""
        if self.kind != kind:
            self.fail(f"Expected {kind}, found {self.kind}")
        return self.take()

    def keyword(self, word: str) -> Node | None:
        """Take a keyword; the comments before it."""
        if self.kind != "Name" or self.value != word:
            self.fail(f"Expected {gotext.quote(word)}, found {self._shown()}")
        comments = self.comments()
        self._advance()
        return comments

    def _shown(self) -> str:
        if self.kind in _VALUED and self.value:
            return f"{self.kind} {gotext.quote(self.value)}"
        return self.kind

    def unexpected(self) -> NoReturn:
        """Refuse the token."""
        self.fail(f"Unexpected {self._shown()}")

    def fail(self, message: str) -> NoReturn:
        """Refuse the document at this place."""
        line, column = self.place
        raise BuiltinFault(f"{message} in GraphQL string at location {line}:{column}")

    def node(self, place: tuple[int, int], **members: Any) -> Node:
        """A node without the members that are empty."""
        made = {name: value for name, value in members.items() if value is not None and value != []}
        self.places[id(made)] = place
        return made

    def some(self, opening: str, closing: str, rule: Callable[[], Any]) -> tuple[list[Any], Node | None]:
        """One or more in brackets, if there are brackets; and the comments before the closing one."""
        if not self.skip(opening):
            return [], None
        out: list[Any] = []
        while self.kind != closing:
            out.append(rule())
        if not out:
            self.fail(f"expected at least one definition, found {self.kind}")
        comments = self.comments()
        self._advance()
        return out, comments

    def separated(self, separator: str, rule: Callable[[], str]) -> list[str]:
        """One or more with a separator between, and perhaps before them."""
        self.skip(separator)
        out = [rule()]
        while self.skip(separator):
            out.append(rule())
        return out

    def name(self) -> str:
        """Take a name."""
        return self.expect("Name")
