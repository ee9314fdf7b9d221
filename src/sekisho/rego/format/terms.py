"""Terms as text.

What stands on several lines in the source does so again, with one item or group of items a line: a list
breaks where its items begin on different lines, where its first item is not on the line of its bracket, and
where comments stand in it. Everything else is joined into one line.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from sekisho.rego.dialect import Dialect
from sekisho.rego.format.page import Page
from sekisho.rego.lexer import KEYWORDS, SOFT_KEYWORDS
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Expr,
    Module,
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

Pair: TypeAlias = tuple[Term, Term]
T = TypeVar("T", Term, Pair)

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_INFIX: Final = {
    "equal": "==",
    "neq": "!=",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "plus": "+",
    "minus": "-",
    "mul": "*",
    "div": "/",
    "rem": "%",
    "and": "&",
    "or": "|",
}
"""Built-ins with an operator of their own: their calls by name are written with it."""

_TIGHTNESS: Final = {
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 1),
    "|": 2,
    "&": 3,
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/%", 5),
}
"""How tightly operators bind: the parser's table."""

PARENTHESES: Final = 20
"""Operators inside this many others have parentheses only where they must: the parser bounds nesting."""


class Terms(Page, ABC):
    """The forms of terms."""

    __slots__ = ("keywords", "nested")

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        soft = SOFT_KEYWORDS if module.dialect is Dialect.V1 else module.keywords
        self.keywords = KEYWORDS | soft
        self.nested = 0  # operators around the term at hand

    @abstractmethod
    def body(self, body: Body) -> None:
        """The expressions of a body, each on its line."""

    @abstractmethod
    def expression(self, expr: Expr) -> None:
        """One expression on the line at hand."""

    def term(self, term: Term, *, operand: bool = False) -> None:
        """A term; an operator that is an operand of another one is put in parentheses."""
        self.reach(term.start)
        _FORMS[type(term)](self, term, operand)
        self.reach(term.end)

    # --- single terms -------------------------------------------------------------------------------------

    def scalar(self, node: Scalar, _: bool) -> None:
        """A constant as it is written: raw strings, escapes and the digits of numbers stay."""
        written = self.text[node.start : node.end]
        if written == "-":
            self.write("0")  # ``-x`` is ``0 - x``
        elif isinstance(node.value, str) or not written.startswith("-"):
            self.write(written)
        else:
            self.write("".join(written.split()))

    def variable(self, node: Var, _: bool) -> None:
        """A name; ``_`` for wildcards."""
        self.write("_" if node.wildcard else node.name)

    def reference(self, node: Ref, _: bool) -> None:
        """``head.a["b c"][d]``: dots wherever the language lets them stand."""
        self.term(node.head, operand=True)
        for step in node.path:
            if isinstance(step, Scalar) and isinstance(step.value, str):
                self.step(step.value, self.text[step.start : step.end])
            else:
                self.write("[")
                self.term(step)
                self.write("]")
            self.reach(step.end)

    def step(self, name: str, written: str) -> None:
        """A step of a reference that is a string; a keyword in brackets stays there."""
        quoted = written[:1] == '"'
        if _NAME.fullmatch(name) and not (quoted and name in self.keywords):
            self.write(f".{name}")
        else:
            self.write(f"[{written if quoted else json.dumps(name, ensure_ascii=False)}]")

    def call(self, node: Call, operand: bool) -> None:
        """``f(x)``, or an operator between its operands."""
        operator = self.operator(node)
        if not operator:
            self.term(node.name)
            self.items(node.args, "()", (node.name.end, node.end), self.item, hugging=True)
            return
        bare = len(node.args) == 2
        parens = operand or not bare
        if parens:
            self.write("(")
        self.operands(node.args, operator)
        if parens:
            self.write(")")

    def operands(self, args: Sequence[Term], operator: str) -> None:
        """``left + right``; ``key, value in domain``; operators among the operands in parentheses."""
        *left, right = args
        own = _TIGHTNESS.get(operator, 0)
        plain = own > 0 and self.nested > PARENTHESES
        self.nested += 1
        for at, arg in enumerate(left):
            if at:
                self.write(", ")
            self.term(arg, operand=not plain or self._tightness(arg) < own)
        self.write(f" {operator} ")
        self.term(right, operand=not plain or self._tightness(right) <= own)
        self.nested -= 1

    def outermost(self, node: Call) -> None:
        """An operator that is a whole statement: operands that bind tighter need no parentheses."""
        operator = self.operator(node)
        left, right = node.args
        own = _TIGHTNESS.get(operator, 0)
        self.term(left, operand=own > 0 and self._tightness(left) < own)
        self.write(f" {operator} ")
        self.term(right, operand=own > 0 and self._tightness(right) <= own)

    def _tightness(self, term: Term) -> int:
        operator = self.operator(term)
        return _TIGHTNESS.get(operator, 0) if operator else len(_INFIX)

    @staticmethod
    def operator(node: Term) -> str:
        """The operator that a term is written with; empty if there is none."""
        if not isinstance(node, Call):
            return ""
        if node.infix:
            return node.infix
        name = node.name.name if isinstance(node.name, Var) else ""
        return _INFIX.get(name, "") if len(node.args) == 2 else ""

    def template(self, node: TemplateString, _: bool) -> None:
        """``$"text {x}"``: the text as it is written, expressions in their form."""
        at = node.start
        for part in node.parts:
            if isinstance(part, str):
                continue
            brace = self.text.rindex("{", at, self.first_comment(at, part.start)) + 1
            self.write(self.text[at:brace])
            self.reach(brace)
            at = part.end + len(gap(self.text, part.end))
            self.level += 1
            if self.holds_comments(brace, part.start):
                self.end_line(part.start)
                self.lead(part.start)
            self.expression(part)
            if self.holds_comments(part.end, at):
                self.end_line(at)
                self.lead(at)
                self.write("")
            self.level -= 1
        self.write(self.text[at : node.end])

    # --- lists --------------------------------------------------------------------------------------------

    def bracket(self, step: Term) -> None:
        """``[step]``; a name that follows a dot in the source gets quotes."""
        written = self.text[step.start : step.end]
        self.write("[")
        if isinstance(step, Scalar) and isinstance(step.value, str) and written[:1] not in '"`':
            self.write(f'"{step.value}"')
        else:
            self.term(step)
        self.write("]")
        self.reach(step.end)

    def array(self, node: ArrayTerm, _: bool) -> None:
        """``[a, b]``."""
        self.items(node.items, "[]", (node.start, node.end), self.item)

    def set(self, node: SetTerm, _: bool) -> None:
        """``{a, b}``; the empty one is ``set()``."""
        if node.items:
            self.items(node.items, "{}", (node.start, node.end), self.item)
        else:
            self.write("set()")

    def object(self, node: ObjectTerm, _: bool) -> None:
        """``{k: v}``."""
        self.items(node.pairs, "{}", (node.start, node.end), self.pair)

    def item(self, node: Term) -> None:
        """One item; a union in parentheses keeps them, since without it could open a comprehension."""
        union = isinstance(node, Call) and node.infix == "|" and self.text[node.start] == "("
        self.term(node, operand=union)

    def pair(self, pair: Pair) -> None:
        """``k: v``."""
        self.item(pair[0])
        self.write(": ")
        self.item(pair[1])

    def items(
        self,
        items: Sequence[T],
        brackets: str,
        span: tuple[int, int],
        one: Callable[[T], None],
        *,
        hugging: bool = False,
    ) -> None:
        """Items between brackets, on one line or grouped as their beginnings are in the source.

        ``span`` is from the opening bracket or before it to just past the closing one. ``hugging`` lists are
        on one line wherever all their items begin on one.
        """
        start, end = span
        self.write(brackets[0])
        starts = [_start(item) for item in items]
        rows = [self.row(begin) for begin in starts]
        breaks = [at > 0 and rows[at] > rows[at - 1] for at in range(len(items))]
        opened = bool(items) and not hugging and "\n" in self.text[start : starts[0]]
        if opened or any(breaks) or self.holds_comments(start, end, _spans(items)):
            self._lines(items, starts, breaks, end - 1, one)
        else:
            for at, item in enumerate(items):
                if at:
                    self.write(", ")
                one(item)
        self.write(brackets[1])
        self.reach(end)

    def _lines(
        self,
        items: Sequence[T],
        starts: Sequence[int],
        breaks: Sequence[bool],
        close: int,
        one: Callable[[T], None],
    ) -> None:
        self.end_line(starts[0] if items else close)
        self.level += 1
        for at, item in enumerate(items):
            if at == 0 or breaks[at]:
                self.lead(starts[at])
            one(item)
            last = at + 1 == len(items)
            self.write(", " if not last and not breaks[at + 1] else ",")
            if last or breaks[at + 1]:
                self.end_line(self.row_end(self.done) if last else starts[at + 1])
        self.lead(close)
        self.level -= 1

    # --- comprehensions -----------------------------------------------------------------------------------

    def array_comprehension(self, node: ArrayComp, _: bool) -> None:
        """``[term | body]``."""
        self._comprehension(node, "[]", node.term, node.body)

    def set_comprehension(self, node: SetComp, _: bool) -> None:
        """``{term | body}``."""
        self._comprehension(node, "{}", node.term, node.body)

    def object_comprehension(self, node: ObjectComp, _: bool) -> None:
        """``{key: value | body}``: key and value stay on the line of the brace."""
        self.write("{")
        self.term(node.key)
        self.write(": ")
        self._head(node.value)
        self.write(" |")
        self.block(node.body, node.key.start, (node.start, node.end - 1))
        self.write("}")

    def _comprehension(self, node: Term, brackets: str, head: Term, body: Body) -> None:
        self.write(brackets[0])
        if self.row(head.start) > self.row(node.start):
            self.reach(node.start)
            self.end_line(head.start)
            self.lead(head.start)
        self._head(head)
        self.write(" |")
        self.block(body, head.start, (node.start, node.end - 1))
        self.write(brackets[1])

    def _head(self, head: Term) -> None:
        self.term(head, operand=bool(self.operator(head)))

    def block(self, body: Body, after: int, span: tuple[int, int]) -> bool:
        """A body in brackets: on one line if it is on the line of ``after``. Whether it is."""
        start, close = span
        rows = {self.row(expr.start) for expr in body} | {self.row(after)}
        if len(rows) == 1 and not self.holds_comments(start, close, [(e.start, e.end) for e in body]):
            self.write(" ")
            for at, expr in enumerate(body):
                if at:
                    self.write("; ")
                self.expression(expr)
            return True
        self.end_line(body[0].start)
        self.level += 1
        self.body(body)
        self.lead(close)
        self.level -= 1
        return False


_GAP: Final = re.compile(r"(?:[\s;]+|#[^\n]*)*")


def gap(text: str, start: int) -> str:
    """The white space, comments and semicolons from here on."""
    match = _GAP.match(text, start)
    assert match is not None  # it may be empty
    return match.group()


def _start(item: Term | Pair) -> int:
    return item[0].start if isinstance(item, tuple) else item.start


def _spans(items: Sequence[Term | Pair]) -> list[tuple[int, int]]:
    """Where items, or the keys and values of pairs, stand."""
    return [
        (node.start, node.end) for item in items for node in (item if isinstance(item, tuple) else (item,))
    ]


_FORMS: Final[dict[type, Callable[..., None]]] = {
    Scalar: Terms.scalar,
    Var: Terms.variable,
    Ref: Terms.reference,
    Call: Terms.call,
    ArrayTerm: Terms.array,
    SetTerm: Terms.set,
    ObjectTerm: Terms.object,
    ArrayComp: Terms.array_comprehension,
    SetComp: Terms.set_comprehension,
    ObjectComp: Terms.object_comprehension,
    TemplateString: Terms.template,
}
