"""A plain reading of the contract between ordering and planner: what a checked body promises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sekisho.rego.check.program import FunctionWith, Rule
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Every,
    Expr,
    NotBody,
    ObjectComp,
    ObjectTerm,
    Ref,
    Scalar,
    SetComp,
    SetTerm,
    SomeDecl,
    SomeIn,
    TemplateString,
    TermExpr,
    Var,
)

ROOTS = {"input", "data"}


class Broken(AssertionError):
    """The body breaks its promise."""


class Reader:
    """Walks ordered bodies; ``arity`` tells how many operands a call's function takes."""

    def __init__(self, arity: Any) -> None:
        self.arity = arity

    def rule(self, rule: Rule) -> None:
        bound = set(ROOTS)
        for arg in rule.args or ():
            bound |= names(arg)
        self.body(rule.body, bound)
        for head in (*rule.suffix, rule.key, rule.value):
            if head is not None:
                self.value(head, bound)

    def body(self, body: Body, bound: set[str]) -> None:
        """Check a body; ``bound`` grows by what it binds."""
        for expr in body:
            self.expr(expr, bound)

    def expr(self, expr: Expr, bound: set[str]) -> None:
        for one in expr.withs:
            if not (isinstance(one, FunctionWith) and one.replacement is not None):
                self.value(one.value, bound)
        statement = expr.statement
        if isinstance(statement, TermExpr):
            if expr.negated:
                self.value(statement.term, bound)
            else:
                self.term(statement.term, bound)
        elif isinstance(statement, SomeIn):
            self.value(statement.domain, bound)
            for part in (statement.key, statement.value):
                if part is not None:
                    self.pattern(part, bound)
        elif isinstance(statement, Every):
            self.value(statement.domain, bound)
            inside = bound | {statement.value.name}
            if statement.key is not None:
                inside.add(statement.key.name)
            self.body(statement.body, inside)
        elif isinstance(statement, NotBody):
            self.body(statement.body, set(bound))
        else:
            assert isinstance(statement, SomeDecl)
            raise Broken("some x is gone")

    def term(self, term: Any, bound: set[str]) -> None:
        """A term that is an expression: references in it may bind."""
        if isinstance(term, Ref):
            self.reference(term, bound)
        elif isinstance(term, Call):
            if isinstance(term.name, Var) and term.name.name == "eq":
                for side in term.args:
                    if isinstance(side, Ref):
                        self.reference(side, bound)
                    else:
                        self.pattern(side, bound)
                return
            count = self.arity(term)
            for arg in term.args[:count]:
                self.value(arg, bound)
            for arg in term.args[count:]:
                self.pattern(arg, bound)
        else:
            self.value(term, bound)

    def reference(self, ref: Ref, bound: set[str]) -> None:
        """A reference whose steps may bind."""
        self.value(ref.head, bound)
        for step in ref.path:
            self.pattern(step, bound)

    def pattern(self, term: Any, bound: set[str]) -> None:
        """Variables in arrays and values of objects are bound; everything else has a value."""
        if isinstance(term, Var):
            bound.add(term.name)
        elif isinstance(term, (ArrayTerm, SetTerm)):
            for item in term.items:
                self.pattern(item, bound)
        elif isinstance(term, ObjectTerm):
            for key, value in term.pairs:
                self.pattern(key, bound)
                self.pattern(value, bound)
        else:
            self.value(term, bound)

    def value(self, term: Any, bound: set[str]) -> None:
        """A term of which every variable has a value."""
        if isinstance(term, Var):
            if term.name not in bound:
                raise Broken(f"{term.name} has no value")
        elif isinstance(term, Ref):
            self.values((term.head, *term.path), bound)
        elif isinstance(term, (ArrayTerm, SetTerm)):
            self.values(term.items, bound)
        elif isinstance(term, ObjectTerm):
            self.values((part for pair in term.pairs for part in pair), bound)
        elif isinstance(term, Call):
            self.values(term.args, bound)
        elif isinstance(term, (ArrayComp, SetComp, ObjectComp)):
            inside = set(bound)
            self.body(term.body, inside)
            self.values((term.key, term.value) if isinstance(term, ObjectComp) else (term.term,), inside)
        else:
            assert not isinstance(term, TemplateString)
            assert isinstance(term, Scalar)

    def values(self, terms: Iterable[Any], bound: set[str]) -> None:
        for term in terms:
            self.value(term, bound)


def names(term: Any) -> set[str]:
    """The variables of a pattern."""
    if isinstance(term, Var):
        return {term.name}
    if isinstance(term, (ArrayTerm, SetTerm)):
        return {name for item in term.items for name in names(item)}
    if isinstance(term, ObjectTerm):
        return {name for pair in term.pairs for part in pair for name in names(part)}
    return set()
