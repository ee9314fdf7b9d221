"""Syntax trees as short text, for tests: ``(plus a (mul b 2))``."""

from __future__ import annotations

import json
from functools import singledispatch

from sekisho.diag import Diagnostic, DiagnosticError, Source, Span
from sekisho.rego.dialect import Dialect
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Every,
    Expr,
    Module,
    Node,
    NotBody,
    ObjectComp,
    ObjectTerm,
    Ref,
    Rule,
    Scalar,
    SetComp,
    SetTerm,
    SomeDecl,
    SomeIn,
    TemplateString,
    TermExpr,
    Var,
)
from sekisho.rego.parser import parse_module, parse_query, parse_term
from sekisho.rego.values import Number


@singledispatch
def show(node: Node) -> str:
    raise AssertionError(node)


def shows(nodes: tuple[Node, ...]) -> str:
    return " ".join(map(show, nodes))


def body(exprs: Body) -> str:
    return "; ".join(map(show, exprs))


@show.register
def _(node: Scalar) -> str:
    return node.value.text if isinstance(node.value, Number) else json.dumps(node.value, ensure_ascii=False)


@show.register
def _(node: Var) -> str:
    return node.name


@show.register
def _(node: Ref) -> str:
    return show(node.head) + "".join(f"[{show(step)}]" for step in node.path)


@show.register
def _(node: ArrayTerm) -> str:
    return f"[{shows(node.items)}]"


@show.register
def _(node: SetTerm) -> str:
    return f"<{shows(node.items)}>"


@show.register
def _(node: ObjectTerm) -> str:
    return "{" + " ".join(f"{show(k)}: {show(v)}" for k, v in node.pairs) + "}"


@show.register
def _(node: ArrayComp) -> str:
    return f"[{show(node.term)} | {body(node.body)}]"


@show.register
def _(node: SetComp) -> str:
    return f"<{show(node.term)} | {body(node.body)}>"


@show.register
def _(node: ObjectComp) -> str:
    return "{" + f"{show(node.key)}: {show(node.value)} | {body(node.body)}" + "}"


@show.register
def _(node: Call) -> str:
    return f"({' '.join([show(node.name), *map(show, node.args)])})"


@show.register
def _(node: TemplateString) -> str:
    parts = [json.dumps(p) if isinstance(p, str) else show(p) for p in node.parts]
    return f"$({' '.join(parts)})"


@show.register
def _(node: TermExpr) -> str:
    return show(node.term)


@show.register
def _(node: SomeDecl) -> str:
    return f"some {shows(node.names)}"


@show.register
def _(node: SomeIn) -> str:
    key = f"{show(node.key)}, " if node.key is not None else ""
    return f"some {key}{show(node.value)} in {show(node.domain)}"


@show.register
def _(node: Every) -> str:
    key = f"{show(node.key)}, " if node.key is not None else ""
    return f"every {key}{show(node.value)} in {show(node.domain)} {{{body(node.body)}}}"


@show.register
def _(node: NotBody) -> str:
    return f"not {{{body(node.body)}}}"


@show.register
def _(node: Expr) -> str:
    text = ("not " if node.negated else "") + show(node.statement)
    return text + "".join(f" with {show(w.target)} as {show(w.value)}" for w in node.withs)


@show.register
def _(node: Rule) -> str:
    head = node.head
    text = ("default " if node.default else "") + show(head.ref)
    if head.args is not None:
        text += f"({shows(head.args)})"
    if head.key is not None:
        text += f" contains {show(head.key)}"
    if head.value is not None:
        text += f" {':=' if head.assign else '='} {show(head.value)}"
    if node.body:
        text += f" {{{body(node.body)}}}"
    return text + (f" else {show(node.orelse)}" if node.orelse is not None else "")


def module(text: str, dialect: str = "v1") -> Module:
    return parse_module(Source("p.rego", text), dialect=Dialect(dialect))


def rules(text: str, dialect: str = "v1") -> list[str]:
    return [show(rule) for rule in module(f"package p\n{text}", dialect).rules]


def query(text: str, dialect: str = "v1", keywords: tuple[str, ...] = ()) -> str:
    return body(parse_query(Source("q", text), dialect=Dialect(dialect), keywords=keywords))


def term(text: str, dialect: str = "v1") -> str:
    return show(parse_term(text, dialect=Dialect(dialect)))


def faults(text: str, dialect: str = "v1") -> list[str]:
    """The diagnostics of a module that is refused: ``line:column code message``."""
    try:
        module(text, dialect)
    except DiagnosticError as error:
        return [f"{place(d)} {d.code} {d.message}" for d in error.diagnostics]
    return []


def place(diagnostic: Diagnostic) -> str:
    assert isinstance(diagnostic.at, Span)
    line, column = diagnostic.at.begins
    return f"{line}:{column}"


def helps(text: str, dialect: str = "v1") -> list[str]:
    """What the diagnostics of a module advise."""
    try:
        module(text, dialect)
    except DiagnosticError as error:
        return [d.help for d in error.diagnostics]
    return []
