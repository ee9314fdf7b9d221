"""Mutants of a Rego source: one small change each, by the positions of the syntax tree.

Operators become their neighbours, constants others, steps of references misspelt, built-ins their twins;
a ``not`` comes or goes, and a statement, an element or a rule is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sekisho.diag import Source
from sekisho.policy.rules import walk
from sekisho.rego.dialect import Dialect
from sekisho.rego.nodes import (
    ArrayTerm,
    Call,
    Expr,
    Module,
    ObjectTerm,
    Ref,
    Rule,
    Scalar,
    SetTerm,
    SomeDecl,
    SomeIn,
    Term,
    TermExpr,
)
from sekisho.rego.parser import parse_module

OPERATORS = {
    "==": ("!=",),
    "!=": ("==",),
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "&": ("|",),
    "|": ("&",),
}

TWINS = {
    "startswith": "endswith",
    "endswith": "startswith",
    "strings.any_prefix_match": "strings.any_suffix_match",
    "strings.any_suffix_match": "strings.any_prefix_match",
    "trim_suffix": "trim_prefix",
    "lower": "upper",
    "count": "sum",
    "regex.match": "contains",
}


@dataclass(frozen=True)
class Mutant:
    """A changed source. ``kind`` says what was done, ``text`` what stands where something else stood."""

    kind: str
    start: int
    end: int
    text: str

    def apply(self, source: str) -> str:
        """The source with the change."""
        return source[: self.start] + self.text + source[self.end :]

    def describe(self, source: str) -> str:
        """The line before and after, without its indentation."""
        line = source.count("\n", 0, self.start) + 1
        old = " ".join(source[self.start : self.end].split())
        return f"line {line}: {self.kind}: {old} -> {' '.join(self.text.split()) or 'nothing'}"


def mutants(source: Source) -> Iterator[Mutant]:
    """Every mutant of a source, in the order of the text."""
    module = parse_module(source, dialect=Dialect.V1)
    found = {(row.start, row.end, row.text): row for row in _mutants(module, source.text)}
    return iter(sorted(found.values(), key=lambda row: (row.start, row.end, row.text)))


def _mutants(module: Module, text: str) -> Iterator[Mutant]:
    for rule in module.rules:
        yield Mutant("a rule left out", rule.start, rule.end, "")
    for node in walk(module.rules):
        if isinstance(node, Rule):
            yield from _bodies(node)
        elif isinstance(node, Expr):
            yield from _negation(node, text)
        elif isinstance(node, Call):
            yield from _call(node, text)
        elif isinstance(node, Scalar):
            yield from _constant(node, text)
        elif isinstance(node, Ref):
            yield from _steps(node, text)
        elif isinstance(node, ArrayTerm | SetTerm):
            yield from _elements([(item.start, item.end) for item in node.items])
        elif isinstance(node, ObjectTerm):
            yield from _elements([(key.start, value.end) for key, value in node.pairs])


def _bodies(rule: Rule) -> Iterator[Mutant]:
    """Statements that bind nothing, left out."""
    if len(rule.body) < 2:
        return
    for expr in rule.body:
        if not _binds(expr):
            yield Mutant("a statement left out", expr.start, expr.end, "true")


def _binds(expr: Expr) -> bool:
    statement = expr.statement
    if isinstance(statement, SomeDecl | SomeIn):
        return True
    return isinstance(statement, TermExpr) and _infix(statement.term) in (":=", "=")


def _infix(term: Term) -> str:
    return term.infix if isinstance(term, Call) else ""


def _negation(expr: Expr, text: str) -> Iterator[Mutant]:
    if expr.negated:
        at = text.index("not", expr.start)
        yield Mutant("not taken away", at, at + 4, "")
    elif isinstance(expr.statement, TermExpr) and not _binds(expr):
        yield Mutant("not added", expr.start, expr.start, "not ")


def _call(call: Call, text: str) -> Iterator[Mutant]:
    if call.infix in OPERATORS:
        left, right = call.args
        at = text.index(call.infix, left.end, right.start)
        for other in OPERATORS[call.infix]:
            yield Mutant("an operator", at, at + len(call.infix), other)
    name = text[call.name.start : call.name.end] if not call.infix else ""
    if name in TWINS:
        yield Mutant("a built-in", call.name.start, call.name.end, TWINS[name])


def _constant(scalar: Scalar, text: str) -> Iterator[Mutant]:
    old = text[scalar.start : scalar.end]
    if old.startswith('"'):
        yield Mutant("a constant", scalar.start, scalar.end, json.dumps(json.loads(old) + "_"))
    elif old.startswith("`"):
        yield Mutant("a constant", scalar.start, scalar.end, old[:-1] + "_`")
    elif re.fullmatch(r"-?\d+", old):
        yield Mutant("a constant", scalar.start, scalar.end, str(int(old) + 1))
    elif old in ("true", "false", "null"):
        yield Mutant("a constant", scalar.start, scalar.end, "false" if old != "false" else "true")


def _steps(ref: Ref, text: str) -> Iterator[Mutant]:
    for step in ref.path:
        if isinstance(step, Scalar) and isinstance(step.value, str):
            old = text[step.start : step.end]
            if re.fullmatch(r"\.?\w+", old):
                yield Mutant("a path", step.start, step.end, old + "_")


def _elements(spans: list[tuple[int, int]]) -> Iterator[Mutant]:
    """Elements of collections, left out one by one."""
    if len(spans) < 2:
        return
    for index, (start, end) in enumerate(spans):
        if index + 1 < len(spans):
            yield Mutant("an element left out", start, spans[index + 1][0], "")
        else:
            yield Mutant("an element left out", spans[index - 1][1], end, "")
