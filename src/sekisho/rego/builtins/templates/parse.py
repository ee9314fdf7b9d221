"""Go's text/template: text to a tree. Messages are those of Go's parser."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from sekisho.diag import Limit
from sekisho.lang.golang import gotext
from sekisho.rego.builtins.templates.lex import Lexer, Token
from sekisho.rego.faults import BuiltinFault

SIZE: Final = Limit("a template", 1_000_000, "characters", "templates are written by hand")
DEPTH: Final = 100
"""Levels of parentheses and control structures: more than anybody writes, less than the stack bears."""

FUNCTIONS: Final = frozenset(
    {
        *("and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js"),
        *("urlquery", "call", "eq", "ne", "lt", "le", "gt", "ge"),
    },
)


@dataclass(slots=True)
class Node:
    """A piece of a template: its kind, its place in the text, and what it is made of.

    ========  =====================================================================
    kind      made of
    ========  =====================================================================
    text      ``value``: the text
    action    ``pipe``
    if, with  ``pipe``, ``body``, ``otherwise``
    range     likewise
    template  ``value``: the name; ``pipe`` or None
    break, continue
    pipe      ``names`` (declared variables), ``assigns``, ``parts``: commands
    command   ``parts``: operands
    field     ``names``: .a.b
    variable  ``names``: $x.a
    chain     ``parts[0]`` indexed by ``names``
    call      ``value``: a function's name
    dot, nil
    constant  ``value``: true, a number or a string
    ========  =====================================================================

    ``shown`` is how messages write it.
    """

    kind: str
    place: int
    shown: str = ""
    value: Any = None
    names: list[str] = field(default_factory=list)
    parts: list[Node] = field(default_factory=list)
    assigns: bool = False
    pipe: Node | None = None
    body: list[Node] = field(default_factory=list)
    otherwise: list[Node] = field(default_factory=list)


class Parser:
    """Parses a template and those that it defines."""

    def __init__(self, text: str) -> None:
        if len(text) > SIZE.value:
            raise BuiltinFault(str(SIZE))
        self.templates: dict[str, list[Node]] = {}
        self._lexer = Lexer(text)
        self._tokens: list[Token] = []
        self._next = 0
        self._variables = ["$"]
        self._ranges = 0
        self._depth = 0
        self._pending: list[Token] | None = None

    def parse(self) -> list[Node]:
        """The main template. Raises BuiltinFault ``template: template:LINE: …``."""
        body, closing = self._list(top=True)
        if closing:
            self._fail(f"unexpected {{{{{closing}}}}}")
        return body

    def _fail(self, message: str) -> NoReturn:
        at = self._tokens[min(self._next, len(self._tokens)) - 1].place if self._tokens else self._lexer.at
        self._lexer.fail(message, at)

    # --- lists and control structures ---

    def _list(self, *, top: bool = False) -> tuple[list[Node], str]:
        """Nodes up to ``end``, ``else`` or the end of the text; which of them it was."""
        out: list[Node] = []
        while True:
            if self._pending is None:
                piece = self._lexer.piece()
                if piece is None:
                    if top:
                        return out, ""
                    self._lexer.fail("unexpected EOF", len(self._lexer.text))
                before, self._pending, start = piece
                if before:
                    out.append(Node("text", start, value=before))
            tokens, self._pending = self._pending, None
            if not tokens:
                continue
            self._tokens, self._next = tokens, 0
            word = tokens[0].text if tokens[0].kind == "word" else ""
            if word in {"end", "else"}:
                self._next = 1
                if word == "end":
                    self._finish("end")
                return out, word
            node = self._action(word, top=top)
            if node is not None:
                out.append(node)

    def _finish(self, context: str) -> None:
        token = self._take()
        if token.kind != "end":
            self._unexpected(token, context)

    def _action(self, word: str, *, top: bool) -> Node | None:
        place = self._tokens[0].place
        if word in {"if", "with", "range"}:
            self._next = 1
            return self._control(word, place)
        if word in {"break", "continue"}:
            self._next = 1
            if not self._ranges:
                self._fail(f"{{{{{word}}}}} outside {{{{range}}}}")
            self._finish(f"{{{{{word}}}}}")
            return Node(word, place, shown=f"{{{{{word}}}}}")
        if word in {"template", "block"}:
            self._next = 1
            return self._invocation(word)
        if word == "define":
            self._next = 1
            if not top:
                self._unexpected(self._tokens[0], "command")
            self._define()
            return None
        pipe = self._pipeline("command", "end")
        return Node("action", place, shown=f"{{{{{pipe.shown}}}}}", pipe=pipe)

    def _control(self, word: str, place: int) -> Node:
        self._enter()
        known = len(self._variables)
        pipe = self._pipeline(word, "end")
        self._ranges += word == "range"
        body, closing = self._list()
        self._ranges -= word == "range"
        otherwise: list[Node] = []
        if closing == "else":
            token = self._peek()
            if token.kind == "word" and token.text == word and word in {"if", "with"}:
                self._next += 1
                otherwise = [self._control(word, token.place)]
            else:
                self._finish("else")
                otherwise, closing = self._list()
                if closing != "end":
                    self._fail("expected end; found {{else}}")
        del self._variables[known:]
        self._depth -= 1
        return Node(word, place, pipe=pipe, body=body, otherwise=otherwise)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            self._fail("max expression depth exceeded")

    def _invocation(self, word: str) -> Node:
        place = self._peek().place
        name = self._name(f"{word} clause")
        pipe = None
        if word == "block" or self._peek().kind != "end":
            known = len(self._variables)
            pipe = self._pipeline(f"{word} clause", "end")
            if word == "template":
                del self._variables[known:]
        else:
            self._next += 1
        if word == "block":
            self._body(name)
        shown = f"{{{{template {gotext.quote(name)}{f' {pipe.shown}' if pipe else ''}}}}}"
        return Node("template", place, shown, name, pipe=pipe)

    def _name(self, context: str) -> str:
        token = self._take()
        if token.kind not in {"string", "raw"}:
            self._unexpected(token, context)
        return self._unquoted(token)

    def _define(self) -> None:
        name = self._name("define clause")
        self._finish("define clause")
        self._body(name)

    def _body(self, name: str) -> None:
        """The body of a template that is defined here, with variables of its own."""
        self._enter()
        variables, ranges = self._variables, self._ranges
        self._variables, self._ranges = ["$"], 0
        body, closing = self._list()
        if closing != "end":
            self._fail("unexpected {{else}} in define clause")
        self._variables, self._ranges = variables, ranges
        self._depth -= 1
        if body and self.templates.get(name):
            self._fail(f"template: multiple definition of template {gotext.quote(name)}")
        if body or name not in self.templates:
            self.templates[name] = body

    # --- tokens ---

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        shown = (
            f"<{token.text}>"
            if token.kind == "word" and token.text in _KEYWORDS
            else gotext.quote(token.text)
        )
        self._fail(f"unexpected {shown} in {context}")

    def _unquoted(self, token: Token) -> str:
        if token.kind == "raw":
            return token.text[1:-1]
        try:
            return str(ast.literal_eval(token.text))
        except (SyntaxError, ValueError):
            self._fail("invalid syntax")

    # --- pipelines ---

    def _pipeline(self, context: str, closing: str) -> Node:
        pipe = Node("pipe", self._peek().place)
        self._declarations(pipe, context)
        while (token := self._peek()).kind != closing:
            if token.kind not in _OPERANDS:
                self._next += 1
                self._unexpected(token, context)
            pipe.parts.append(self._command())
        self._next += 1
        if not pipe.parts:
            self._fail(f"missing value for {context}")
        for stage, command in enumerate(pipe.parts[1:], start=2):
            if command.parts[0].kind in {"dot", "nil", "constant"}:
                self._fail(f"non executable command in pipeline stage {stage}")
        declared = ", ".join(pipe.names) + (" = " if pipe.assigns else " := ") if pipe.names else ""
        pipe.shown = declared + " | ".join(command.shown for command in pipe.parts)
        return pipe

    def _declarations(self, pipe: Node, context: str) -> None:
        while self._peek().kind == "variable":
            follower = self._tokens[self._next + 1]
            if follower.kind in {"declare", "assign"}:
                pipe.assigns = follower.kind == "assign"
                pipe.names.append(self._peek().text)
                self._variables.append(self._peek().text)
                self._next += 2
                return
            if follower.text != ",":
                return
            pipe.names.append(self._peek().text)
            self._variables.append(self._peek().text)
            self._next += 2
            if context != "range" or len(pipe.names) >= 2:
                self._fail(f"too many declarations in {context}")
            if self._peek().kind not in {"variable", "end", "right"}:
                self._fail("range can only initialize variables")

    def _command(self) -> Node:
        command = Node("command", self._peek().place)
        while True:
            operand = self._operand()
            if operand is not None:
                command.parts.append(operand)
            token = self._peek()
            if token.kind in {"end", "right"}:
                break
            if token.kind == "pipe":
                self._next += 1
                break
            if operand is None or not token.spaced:
                self._next += 1
                self._unexpected(token, "operand")
        if not command.parts:
            self._fail("empty command")
        command.shown = " ".join(
            f"({part.shown})" if part.kind == "pipe" else part.shown for part in command.parts
        )
        return command

    def _operand(self) -> Node | None:
        term = self._term()
        if term is None:
            return None
        names: list[str] = []
        place = self._peek().place
        while (token := self._peek()).kind == "field" and not token.spaced:
            names.append(token.text[1:])
            self._next += 1
        if not names:
            return term
        if term.kind in {"field", "variable"}:
            term.names += names
            term.place = place
            term.shown += "".join(f".{name}" for name in names)
            return term
        if term.kind in {"constant", "nil", "dot"}:
            self._fail(f"unexpected . after term {gotext.quote(term.shown)}")
        inner = f"({term.shown})" if term.kind == "pipe" else term.shown
        shown = inner + "".join(f".{name}" for name in names)
        return Node("chain", place, shown, names=names, parts=[term])

    def _term(self) -> Node | None:
        token = self._peek()
        kind, text = token.kind, token.text
        if kind not in _OPERANDS:
            return None
        self._next += 1
        if kind == "word":
            if text not in FUNCTIONS:
                self._fail(f"function {gotext.quote(text)} not defined")
            return Node("call", token.place, text, text)
        if kind == "variable":
            if text not in self._variables:
                self._fail(f"undefined variable {gotext.quote(text)}")
            return Node("variable", token.place, text, names=[text])
        if kind == "field":
            return Node("field", token.place, text, names=[text[1:]])
        if kind in {"dot", "nil"}:
            return Node(kind, token.place, text)
        if kind == "left":
            self._enter()
            pipe = self._pipeline("parenthesized pipeline", "right")
            self._depth -= 1
            return pipe
        if kind in {"string", "raw"}:
            return Node("constant", token.place, text, self._unquoted(token))
        return Node("constant", token.place, text, text == "true" if kind == "bool" else self._number(token))

    def _number(self, token: Token) -> int | float:
        text = token.text
        if token.kind == "char":
            try:
                char = ast.literal_eval(text)
            except (SyntaxError, ValueError):
                char = ""
            if len(char) != 1:
                self._fail(f"malformed character constant: {text}")
            return ord(char)
        bare = text.replace("_", "")
        try:
            if re.fullmatch(r"[+-]?0[0-7]+", bare):
                return int(bare, 8)
            number = int(bare, 0)
        except ValueError:
            try:
                return float(bare)
            except ValueError:
                self._fail(f"bad number syntax: {gotext.quote(text)}")
        if not -(2**63) <= number < 2**63:
            self._fail(f"integer overflow: {gotext.quote(text)}")
        return number


_OPERANDS: Final = frozenset(
    {"word", "dot", "nil", "variable", "field", "bool", "number", "char", "left", "string", "raw"},
)
_KEYWORDS: Final = frozenset(
    {"define", "else", "end", "if", "range", "template", "with", "block", "break", "continue"},
)
