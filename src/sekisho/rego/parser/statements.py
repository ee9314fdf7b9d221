"""Statements: expressions with their modifiers, and bodies of them."""

from __future__ import annotations

from sekisho.rego.lexer import IDENTIFIER
from sekisho.rego.nodes import (
    Body,
    Call,
    Every,
    Expr,
    NotBody,
    Ref,
    SomeDecl,
    SomeIn,
    Statement,
    Term,
    TermExpr,
    Var,
    With,
)
from sekisho.rego.parser.state import Failure
from sekisho.rego.parser.terms import Terms


class Statements(Terms):
    """The productions of statements."""

    __slots__ = ()

    def query(self, end: str) -> Body:
        """``literal {(";" | newline) literal} [";"]`` up to the token ``end``, which is left."""
        kinds = self.kinds
        i = self.i
        if kinds[i] == end:
            self.report("found empty body", self.starts[i], self.ends[i])
            raise Failure
        body: list[Expr] = []
        while True:
            body.append(self.literal())
            kind = kinds[self.i]
            if kind == ";":
                self.i += 1
            elif kind == end:
                return tuple(body)
            elif not self.after_newline(self.i):
                raise self.unexpected(rf"expected \n or ; or {end}")

    def sentence(self) -> Body:
        """``literal {";" literal}``: a query at the top level, which ends with its line."""
        body = [self.literal()]
        while self.kinds[self.i] == ";":
            self.i += 1
            body.append(self.literal())
        return tuple(body)

    def literal(self) -> Expr:
        """``["not"] (expression | "{" query "}") {with} | some | every``."""
        i = self.i
        kind = self.kinds[i]
        start = self.starts[i]
        if kind == IDENTIFIER:
            return self._finish(TermExpr(self.expression(), start=start), start)
        if self.names_reference(i):
            self.kinds[i] = IDENTIFIER
            return self._finish(TermExpr(self.expression(), start=start), start)
        if kind == "not":
            return self._negation(start)
        if kind == "some":
            return self.some()
        if kind == "every":
            return self.every()
        return self._finish(TermExpr(self.expression(), start=start), start)

    def _negation(self, start: int) -> Expr:
        self.i += 1
        i = self.i
        kind = self.kinds[i]
        if kind in {"some", "every"}:
            raise self.unexpected(f"illegal negation of '{kind}'")
        if self.not_bodies and kind == "{":
            self.i += 1
            return self._finish(NotBody(self.body("}"), start=start), start)
        if self.names_reference(i):
            self.kinds[i] = IDENTIFIER
        statement = TermExpr(self.expression(), start=self.starts[i])
        if not self.not_bodies:
            return self._finish(statement, start, negated=True)
        end = statement.end = self.ends[self.i - 1]
        inner = Expr(statement, start=statement.start, end=end)
        return self._finish(NotBody((inner,), start=start), start)

    def _finish(self, statement: Statement, start: int, *, negated: bool = False) -> Expr:
        statement.end = self.ends[self.i - 1]
        withs = self.modifiers() if self.kinds[self.i] == "with" else ()
        return Expr(statement, negated, withs, start=start, end=self.ends[self.i - 1])

    def expression(self) -> Term:
        """``infix [(":=" | "=") infix]``."""
        start = self.starts[self.i]
        left = self.infix()
        at = self.i
        kind = self.kinds[at]
        if kind not in {"assign", "eq"}:
            return left
        self.i = at + 1
        right = self.infix()
        name = Var(kind, start=self.starts[at], end=self.ends[at])
        return Call(name, (left, right), self.lexemes[at], start=start, end=self.ends[self.i - 1])

    def modifiers(self) -> tuple[With, ...]:
        """``{"with" target "as" infix}``; a target is a variable or a reference."""
        withs: list[With] = []
        while self.kinds[self.i] == "with":
            start = self.starts[self.i]
            self.i += 1
            if self.kinds[self.i] != IDENTIFIER:
                raise self.unexpected("expected ident")
            target = self.term()
            if not isinstance(target, (Var, Ref)):
                raise self.unexpected("expected with target path")
            if self.kinds[self.i] != "as":
                raise self.unexpected("expected as keyword")
            self.i += 1
            value = self.infix()
            withs.append(With(target, value, start=start, end=self.ends[self.i - 1]))
        return tuple(withs)

    # --- some and every -----------------------------------------------------------------------------------

    def some(self) -> Expr:
        """``"some" [infix ","] infix "in" infix {with} | "some" var {"," var}``."""
        start = self.starts[self.i]
        mark = self.mark()
        self.i += 1
        try:
            term = self.infix()
        except Failure:
            term = None
        if not isinstance(term, Call):
            self.back(mark)
            return self._declaration(start)
        if term.infix != "in":
            raise self.unexpected("expected `x in xs` or `x, y in xs` expression")
        key = term.args[0] if len(term.args) == 3 else None
        value, domain = term.args[-2:]
        return self._finish(SomeIn(key, value, domain, start=start), start)

    def _declaration(self, start: int) -> Expr:
        names: list[Var] = []
        while True:
            self.i += 1
            if self.kinds[self.i] != IDENTIFIER:
                raise self.unexpected("expected var")
            names.append(self.variable())
            if self.kinds[self.i] != ",":
                break
        end = self.ends[self.i - 1]
        return Expr(SomeDecl(tuple(names), start=start, end=end), start=start, end=end)

    def every(self) -> Expr:
        """``"every" [var ","] var "in" infix "{" query "}" {with}``."""
        start = self.starts[self.i]
        self.i += 1
        term = self.infix()
        if not isinstance(term, Call) or term.infix != "in":
            raise self.unexpected("expected `x[, y] in xs { ... }` expression")
        key = term.args[0] if len(term.args) == 3 else None
        value, domain = term.args[-2:]
        if key is not None and not isinstance(key, Var):
            raise self.unexpected("expected key to be a variable")
        if not isinstance(value, Var):
            raise self.unexpected("expected value to be a variable")
        if self.kinds[self.i] != "{":
            raise self.unexpected("missing body")
        self.i += 1
        body = self.body("}")
        return self._finish(Every(key, value, domain, body, start=start), start)
