"""Collections, comprehensions and template strings.

Comprehensions come first, as in OPA: ``{a | b}`` is one, while ``{a | b, c}`` turns out to be a set with a
union in it only at the comma. What is parsed twice because of that is remembered by position, so hostile
nesting costs no more than its length.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from sekisho.diag import Source
from sekisho.rego import codes
from sekisho.rego.dialect import Dialect
from sekisho.rego.lexer import PART, PART_END, RAW_END, RAW_PART
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Every,
    Expr,
    ObjectComp,
    ObjectTerm,
    SetComp,
    SetTerm,
    SomeDecl,
    SomeIn,
    TemplateString,
    Term,
    TermExpr,
)
from sekisho.rego.parser.literals import Literals, unescape
from sekisho.rego.parser.state import Error, Failure

_Memo = tuple[Term | None, int, tuple[Error, ...]]


class Collections(Literals, ABC):
    """The productions of what stands in brackets and braces, and of template strings."""

    __slots__ = ("memo",)

    def __init__(self, source: Source, dialect: Dialect, keywords: frozenset[str]) -> None:
        super().__init__(source, dialect, keywords)
        self.memo: dict[int, _Memo] = {}

    @abstractmethod
    def term(self) -> Term:
        """One term without operators around it."""

    @abstractmethod
    def infix(self, left: Term | None = None, *, pair: bool = True) -> Term:
        """Terms joined by operators; ``left`` is a first one that has been read already."""

    @abstractmethod
    def items(self, end: str, first: tuple[Term, ...] = ()) -> tuple[Term, ...]:
        """A list of terms up to the token ``end``, which is left."""

    @abstractmethod
    def query(self, end: str) -> Body:
        """The expressions of a body up to the token ``end``, which is left."""

    @abstractmethod
    def literal(self) -> Expr:
        """One expression of a body."""

    def body(self, end: str) -> Body:
        """``query end``, with the closing token consumed."""
        self.deeper()
        body = self.query(end)
        self.i += 1
        self.depth -= 1
        return body

    # --- collections --------------------------------------------------------------------------------------

    def remembered(self, production: Callable[[], Term]) -> Term:
        """Parse a bracketed term, or say again what was found when it was last parsed at this position."""
        at = self.i
        known = self.memo.get(at)
        if known is not None:
            node, self.i, errors = known
            self.errors.extend(errors)
            if node is None:
                raise Failure
            return node
        before = len(self.errors)
        self.deeper()
        try:
            node = production()
        except Failure:
            self.memo[at] = (None, self.i, tuple(self.errors[before:]))
            raise
        self.depth -= 1
        self.memo[at] = (node, self.i, tuple(self.errors[before:]))
        return node

    def array(self) -> Term:
        """``"[" [list] "]" | "[" term "|" query "]"``."""
        return self.remembered(self._array)

    def _array(self) -> Term:
        start = self.starts[self.i]
        self.i += 1
        leading = self._leading_comma()
        if self.kinds[self.i] == "]" and not leading:
            items: tuple[Term, ...] = ()
        else:
            head = self.term()
            if self.kinds[self.i] == "or" and not leading:
                body = self._comprehension("]")
                if body is not None:
                    return ArrayComp(head, body, start=start, end=self.ends[self.i - 1])
            items = self._rest(self.infix(head, pair=False), "]")
        self.i += 1
        return ArrayTerm(items, start=start, end=self.ends[self.i - 1])

    def set_or_object(self) -> Term:
        """``"{" [list] "}" | "{" pairs "}" | "{" term "|" query "}" | "{" infix ":" term "|" query "}"``."""
        return self.remembered(self._set_or_object)

    def _set_or_object(self) -> Term:
        start = self.starts[self.i]
        self.i += 1
        if self.kinds[self.i] == "}":
            self.i += 1
            return ObjectTerm((), start=start, end=self.ends[self.i - 1])
        leading = self._leading_comma()
        head = self.term()
        if self.kinds[self.i] == "or" and not leading:
            body = self._comprehension("}")
            if body is not None:
                return SetComp(head, body, start=start, end=self.ends[self.i - 1])
        head = self.infix(head, pair=False)
        kind = self.kinds[self.i]
        if kind == ":":
            return self._object(head, start, leading=leading)
        if kind not in {",", "}"}:
            raise self.unexpected("non-terminated set")
        items = self._rest(head, "}")
        self.i += 1
        return SetTerm(items, start=start, end=self.ends[self.i - 1])

    def _leading_comma(self) -> bool:
        """A comma before the first item is let pass, as OPA does; then it is no comprehension."""
        if self.kinds[self.i] != ",":
            return False
        self.i += 1
        return True

    def _rest(self, first: Term, end: str) -> tuple[Term, ...]:
        kind = self.kinds[self.i]
        if kind == ",":
            self.i += 1
            return self.items(end, (first,))
        if kind != end:
            raise self.unexpected(f'expected "," or "{end}"')
        return (first,)

    def _comprehension(self, end: str) -> Body | None:
        """``"|" query end``; None, and back at the bar, if a comma shows that the bar is an operator."""
        mark = self.mark()
        self.i += 1
        try:
            return self.body(end)
        except Failure:
            if self.kinds[self.i] != ",":
                raise
        self.back(mark)
        return None

    def _object(self, key: Term, start: int, *, leading: bool) -> Term:
        """The rest of an object or its comprehension, from the first colon."""
        kinds = self.kinds
        self.i += 1
        value = self.term()
        if kinds[self.i] == "or" and not leading:
            body = self._comprehension("}")
            if body is not None:
                return ObjectComp(key, value, body, start=start, end=self.ends[self.i - 1])
        value = self.infix(value, pair=False)
        pairs = [(key, value)]
        while kinds[self.i] == ",":
            self.i += 1
            if kinds[self.i] == "}":
                break
            key = self.infix(pair=False)
            if kinds[self.i] != ":":
                raise self.unexpected('expected ":"')
            self.i += 1
            pairs.append((key, self.infix(pair=False)))
        if kinds[self.i] != "}":
            raise self.unexpected("non-terminated object")
        self.i += 1
        return ObjectTerm(tuple(pairs), start=start, end=self.ends[self.i - 1])

    # --- template strings ---------------------------------------------------------------------------------

    def template_string(self) -> TemplateString:
        r"""``$"text {literal} text"``; ``\{`` is a brace. The lexer has cut it into parts."""
        start = self.starts[self.i]
        self.deeper()
        if self.dialect is Dialect.V0:
            message = "template strings are not supported by current capabilities"
            help = "template strings are v1: use `sprintf`, or write the module in v1"
            self.report(message, start, self.ends[self.i], codes.TEMPLATE_STRING, help)
            raise Failure
        parts: list[str | Expr] = []
        while True:
            kind = self.kinds[self.i]
            text = self._part(kind)
            if text:
                parts.append(text)
            self.i += 1
            if kind in {PART_END, RAW_END}:
                break
            parts.append(self._template_expression())
            i = self.i
            if self.kinds[i] != "}":
                message = "expected } to end template string expression"
                self.report(message, self.starts[i], self.ends[i], codes.TEMPLATE_STRING)
                raise Failure
            self.i = i + 1
            if self.kinds[self.i] not in {PART, PART_END, RAW_PART, RAW_END}:
                raise self.unexpected()
        self.depth -= 1
        return TemplateString(tuple(parts), start=start, end=self.ends[self.i - 1])

    def _part(self, kind: str) -> str:
        i = self.i
        text = self.lexemes[i].replace("\\{", "{") if "\\" in self.lexemes[i] else self.lexemes[i]
        if kind in {RAW_PART, RAW_END} or "\\" not in text:
            return text
        unescaped = unescape(f'"{text}"')
        if unescaped is None:
            written = self.text[self.starts[i] : self.ends[i]]
            message = f"illegal template-string part: {written}"
            self.report(message, self.starts[i], self.ends[i], codes.TEMPLATE_STRING)
            raise Failure
        return unescaped

    def _template_expression(self) -> Expr:
        expr = self.literal()
        statement = expr.statement
        what = ""
        if expr.negated:
            what = "negation ('not')"
        elif isinstance(statement, Every):
            what = "'every'"
        elif isinstance(statement, (SomeDecl, SomeIn)):
            what = "'some'"
        elif isinstance(statement, TermExpr) and isinstance(statement.term, Call):
            name = statement.term.infix
            what = {"=": "unification ('=')", ":=": "assignment (':=')"}.get(name, "")
        if what:
            message = f"unexpected {what} in template-string expression"
            self.report_at(message, expr, codes.TEMPLATE_STRING)
            raise Failure
        return expr
