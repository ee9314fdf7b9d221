"""Scopes: which names a body declares, which it merely mentions, and what they are called in the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Any, Final

from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Every,
    Expr,
    Node,
    NotBody,
    ObjectComp,
    ObjectTerm,
    Ref,
    SetComp,
    SetTerm,
    SomeDecl,
    SomeIn,
    TemplateString,
    Term,
    TermExpr,
    Var,
    With,
)


class Occurrence(IntEnum):
    """How a name came into a scope."""

    ARGUMENT = 1
    SEEN = 2
    ASSIGNED = 3
    DECLARED = 4


WHY: Final = {
    Occurrence.ARGUMENT: "arg {} redeclared",
    Occurrence.SEEN: "var {} referenced above",
    Occurrence.ASSIGNED: "var {} assigned above",
    Occurrence.DECLARED: "var {} declared above",
}


class Scope:
    """The names of one body.

    ``names`` maps those met so far to what they are called in the result, ``counts`` says how often they were
    met, ``places`` where they were declared. ``hidden`` are names that mean no import or rule anywhere in the
    body. ``implied`` are undeclared names that belong to this body, ``given`` the new names that have values
    before it begins: arguments, and what ``every`` declares.
    """

    __slots__ = (
        "_level",
        "body",
        "counts",
        "given",
        "heads",
        "hidden",
        "implied",
        "kinds",
        "names",
        "places",
    )

    def __init__(self, body: Body, heads: tuple[Term, ...] = (), hidden: Iterable[str] = ()) -> None:
        self.body = body
        self.heads = heads
        self.hidden = set(hidden)
        self.names: dict[str, str] = {}
        self.kinds: dict[str, Occurrence] = {}
        self.counts: dict[str, int] = {}
        self.places: dict[str, Node] = {}
        self.implied: dict[str, str] = {}
        self.given: set[str] = set()
        self._level: set[str] | None = None

    def insert(self, name: str, new: str, kind: Occurrence) -> None:
        """A name is met for the first time."""
        self.names[name] = new
        self.kinds[name] = kind
        self.counts[name] = 1

    def level(self) -> set[str]:
        """The names that occur in the body, closures apart, and are not declared in it."""
        if self._level is None:
            found: set[str] = set()
            for expr in self.body:
                _mentioned(expr, found)
            for head in self.heads:
                if needs_evaluation(head):
                    _mentioned(head, found)
            self._level = found - declared_names(self.body)
        return self._level


def declared_names(body: Body) -> set[str]:
    """The names that ``:=`` and ``some`` declare in a body, and in bodies of ``every`` and ``not`` in it."""
    found: set[str] = set()
    for expr in body:
        statement = expr.statement
        if isinstance(statement, TermExpr):
            term = statement.term
            if type(term) is Call and is_assignment(term):
                found.update(all_names(term.args[0]))
        elif isinstance(statement, SomeDecl):
            found.update(var.name for var in statement.names)
        elif isinstance(statement, SomeIn):
            found.update(all_names(statement.value))
            if statement.key is not None:
                found.update(all_names(statement.key))
        else:
            found |= declared_names(statement.body)
    return found


def is_assignment(call: Call) -> bool:
    """Whether this is ``a := b``."""
    return type(call.name) is Var and call.name.name == "assign" and len(call.args) == 2


def all_names(term: Term) -> Iterator[str]:
    """Every variable in a pattern, in whatever position."""
    if isinstance(term, Var):
        yield term.name
    elif isinstance(term, Ref):
        yield from all_names(term.head)
        for step in term.path:
            yield from all_names(step)
    elif isinstance(term, (ArrayTerm, SetTerm)):
        for item in term.items:
            yield from all_names(item)
    elif isinstance(term, ObjectTerm):
        for key, value in term.pairs:
            yield from all_names(key)
            yield from all_names(value)
    elif isinstance(term, Call):
        for arg in term.args:
            yield from all_names(arg)


def bound_names(term: Term) -> Iterator[Var]:
    """The variables that unifying a value with this pattern binds."""
    if isinstance(term, Var):
        yield term
    elif isinstance(term, ArrayTerm):
        for item in term.items:
            yield from bound_names(item)
    elif isinstance(term, ObjectTerm):
        for _, value in term.pairs:
            yield from bound_names(value)
    elif isinstance(term, Ref):
        for step in term.path:
            yield from variables(step)


def variables(term: Term) -> Iterator[Var]:
    """Every variable of a term without closures, heads of references apart."""
    if isinstance(term, Var):
        yield term
    elif isinstance(term, (ArrayTerm, SetTerm)):
        for item in term.items:
            yield from variables(item)
    elif isinstance(term, ObjectTerm):
        for key, value in term.pairs:
            yield from variables(key)
            yield from variables(value)
    elif isinstance(term, Ref):
        for step in term.path:
            yield from variables(step)
    elif isinstance(term, Call):
        for arg in term.args:
            yield from variables(arg)


def needs_evaluation(term: Term) -> bool:
    """Whether a term holds a reference, a call or a comprehension."""
    kind = type(term)
    if kind is ArrayTerm or kind is SetTerm:
        return any(map(needs_evaluation, term.items))  # type: ignore[union-attr]
    if isinstance(term, ObjectTerm):
        return any(needs_evaluation(k) or needs_evaluation(v) for k, v in term.pairs)
    return kind in _EVALUATED or (isinstance(term, Var) and term.name in {"input", "data"})


_EVALUATED: Final = frozenset({Ref, Call, ArrayComp, SetComp, ObjectComp, TemplateString})


# --- what a body mentions outside its closures ------------------------------------------------------------


def _mentioned(node: Any, found: set[str]) -> None:
    mention = _MENTIONS.get(type(node))
    if mention is not None:
        mention(node, found)


def _var(node: Var, found: set[str]) -> None:
    found.add(node.name)


def _ref(node: Ref, found: set[str]) -> None:
    _mentioned(node.head, found)
    for step in node.path:
        _mentioned(step, found)


def _items(node: ArrayTerm | SetTerm, found: set[str]) -> None:
    for item in node.items:
        _mentioned(item, found)


def _pairs(node: ObjectTerm, found: set[str]) -> None:
    for key, value in node.pairs:
        _mentioned(key, found)
        _mentioned(value, found)


def _call(node: Call, found: set[str]) -> None:
    for arg in node.args:
        _mentioned(arg, found)


def _expr(node: Expr, found: set[str]) -> None:
    _mentioned(node.statement, found)
    for modifier in node.withs:
        _with(modifier, found)


def _with(node: With, found: set[str]) -> None:
    if isinstance(node.target, Ref):
        for step in node.target.path:
            _mentioned(step, found)
    _mentioned(node.value, found)


def _some_in(node: SomeIn, found: set[str]) -> None:
    if node.key is not None:
        _mentioned(node.key, found)
    _mentioned(node.value, found)
    _mentioned(node.domain, found)


def _not(node: NotBody, found: set[str]) -> None:
    if not is_explicit(node):
        _mentioned(node.body[0], found)


def is_explicit(node: NotBody) -> bool:
    """Whether ``not`` has a body in braces; else it negates one expression."""
    return node.body[0].end < node.end or len(node.body) > 1


_MENTIONS: Final[dict[type, Callable[[Any, set[str]], None]]] = {
    Var: _var,
    Ref: _ref,
    ArrayTerm: _items,
    SetTerm: _items,
    ObjectTerm: _pairs,
    Call: _call,
    Expr: _expr,
    TermExpr: lambda node, found: _mentioned(node.term, found),
    SomeIn: _some_in,
    Every: lambda node, found: _mentioned(node.domain, found),
    NotBody: _not,
}
