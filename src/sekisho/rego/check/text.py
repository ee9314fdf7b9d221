"""Terms as OPA writes them in messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from sekisho.rego.check.program import written_name
from sekisho.rego.lexer import KEYWORDS, SOFT_KEYWORDS
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Every,
    Expr,
    Import,
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
from sekisho.rego.values import Set, Value, unkey

_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z_0-9]*\Z")

_WORDS: Final = KEYWORDS | SOFT_KEYWORDS


def term_text(term: Any) -> str:
    """A term, an expression or a statement as OPA's ``String`` writes it, with the names of the source."""
    return _WRITERS[type(term)](term)


def step_text(value: Value) -> str:
    """A ground step of a reference, with its dot or brackets."""
    if isinstance(value, str) and _NAME.match(value) and value not in _WORDS:
        return f".{value}"
    return f"[{value_text(value)}]"


def path_text(path: Iterable[Value]) -> str:
    """The reference from ``data`` that this path is."""
    return "data" + "".join(map(step_text, path))


def value_text(value: Value) -> str:
    """A value as OPA writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(map(value_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{value_text(unkey(k))}: {value_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Set):
        return "{" + ", ".join(map(value_text, value)) + "}" if len(value) else "set()"
    return getattr(value, "text", None) or str(value)


def import_text(node: Import) -> str:
    """``import data.a as b``."""
    text = "import " + term_text(node.path)
    return f"{text} as {node.alias}" if node.alias else text


def _ref(ref: Ref) -> str:
    head = term_text(ref.head)
    steps = (
        step_text(step.value) if isinstance(step, Scalar) else f"[{term_text(step)}]" for step in ref.path
    )
    return head + "".join(steps)


def _items(items: Iterable[Any]) -> str:
    return ", ".join(map(term_text, items))


def _pairs(term: ObjectTerm) -> str:
    return "{" + ", ".join(f"{term_text(k)}: {term_text(v)}" for k, v in term.pairs) + "}"


def _body(body: Body) -> str:
    return "; ".join(map(term_text, body)) or "true"


def _template(term: TemplateString) -> str:
    parts = (p.replace("{", "\\{") if isinstance(p, str) else "{" + term_text(p) + "}" for p in term.parts)
    return f'$"{"".join(parts)}"'


def _expr(expr: Expr) -> str:
    text = ("not " if expr.negated else "") + term_text(expr.statement)
    withs = (f" with {term_text(w.target)} as {term_text(w.value)}" for w in expr.withs)
    return text + "".join(withs)


def _statement(statement: TermExpr) -> str:
    term = statement.term
    if isinstance(term, Call) and term.infix and len(term.args) == 2:
        return f"{term_text(term.args[0])} {term.infix} {term_text(term.args[1])}"
    return term_text(term)


def _some_in(some: SomeIn) -> str:
    key = f"{term_text(some.key)}, " if some.key is not None else ""
    return f"some {key}{term_text(some.value)} in {term_text(some.domain)}"


def _every(every: Every) -> str:
    key = f"{term_text(every.key)}, " if every.key is not None else ""
    return f"every {key}{term_text(every.value)} in {term_text(every.domain)} {{ {_body(every.body)} }}"


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    Scalar: lambda t: value_text(t.value),
    Var: lambda t: written_name(t.name) or "?",
    Ref: _ref,
    ArrayTerm: lambda t: f"[{_items(t.items)}]",
    SetTerm: lambda t: f"{{{_items(t.items)}}}" if t.items else "set()",
    ObjectTerm: _pairs,
    ArrayComp: lambda t: f"[{term_text(t.term)} | {_body(t.body)}]",
    SetComp: lambda t: f"{{{term_text(t.term)} | {_body(t.body)}}}",
    ObjectComp: lambda t: f"{{{term_text(t.key)}: {term_text(t.value)} | {_body(t.body)}}}",
    Call: lambda t: f"{term_text(t.name)}({_items(t.args)})",
    TemplateString: _template,
    Expr: _expr,
    TermExpr: _statement,
    SomeDecl: lambda t: f"some {_items(t.names)}",
    SomeIn: _some_in,
    Every: _every,
    NotBody: lambda t: f"not {{ {_body(t.body)} }}",
}
