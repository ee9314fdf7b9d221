"""The resolution of queries: like a body, but the values of its expressions and variables are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sekisho.rego.check.bindings import CLOSING, Arity, is_equation
from sekisho.rego.check.draft import Step
from sekisho.rego.check.flatten import equation
from sekisho.rego.check.globals import ModuleNames
from sekisho.rego.check.names import Resolver
from sekisho.rego.check.program import written_name
from sekisho.rego.check.scope import Scope, declared_names
from sekisho.rego.nodes import Body, Call, Expr, Ref, TermExpr, Var

_VOID: Final = frozenset({"internal.print", "internal.test_case"})


class Capture:
    """A resolved query: its steps, what its variables are called, and where each expression's value is."""

    __slots__ = ("expressions", "fresh", "steps", "variables")

    def __init__(self, fresh: Callable[[], str]) -> None:
        self.fresh = fresh
        self.steps: list[Step] = []
        self.variables: Mapping[str, str] = {}
        self.expressions: tuple[tuple[Expr, str | None], ...] = ()


def resolve_query(names: ModuleNames, body: Body, arity: Arity) -> Capture:
    """Resolve a query. Errors go to the module's.

    The value of a single expression without iteration may be false; other values must hold.
    """
    holds = len(body) > 1 or any(_iterates(expr.statement, names) for expr in body)
    resolver = Resolver(names, None)
    captured = Capture(resolver.fresh)
    scope = Scope(body, (), declared_names(body))
    resolver.scopes = [scope]
    expressions: list[tuple[Expr, str | None]] = []
    for expr in body:
        steps = resolver.body((expr,), captured.steps)
        if not steps:
            continue
        value = None
        if _has_value(steps[0].expr, arity):
            step = steps[0]
            var = Var(resolver.fresh(), start=expr.start, end=expr.end)
            value = var.name
            step.expr = equation(var, step.term, expr, step.expr.withs)
            step.vars.add(value)
            if holds:
                must = Expr(TermExpr(var, start=expr.start, end=expr.end), start=expr.start, end=expr.end)
                steps.append(Step(must, {value}, [], set()))
        expressions.append((expr, value))
        captured.steps += steps
    resolver.leave(scope)
    captured.expressions = tuple(expressions)
    shown: dict[str, str] = {}
    for step in captured.steps:
        for name in sorted(step.vars):
            written = written_name(name)
            if written and written != "_":
                shown[name] = written
    captured.variables = shown
    return captured


def _has_value(expr: Expr, arity: Arity) -> bool:
    """Whether the result shows a value: of a term or of a call that gives one."""
    if expr.negated or not isinstance(expr.statement, TermExpr):
        return False
    term = expr.statement.term
    if not isinstance(term, Call):
        return True
    if is_equation(term) or (isinstance(term.name, Var) and term.name.name in _VOID):
        return False
    return arity(term) == len(term.args)


def _iterates(node: Any, names: ModuleNames) -> bool:
    """Whether a reference with a variable step, or a relation, stands in it outside comprehensions."""
    if isinstance(node, CLOSING) or node is None or isinstance(node, str):
        return False
    if isinstance(node, Ref) and any(isinstance(step, Var) for step in node.path):
        return True
    if isinstance(node, Call) and isinstance(node.name, Var):
        function = names.functions.builtin(node.name.name)
        if function is not None and function.row is not None and function.row.relation:
            return True
    return any(_iterates(part, names) for part in _parts(node))


def _parts(node: Any) -> Iterator[Any]:
    for name in ("term", "head", "domain", "key", "value", "statement"):
        yield getattr(node, name, None)
    for name in ("path", "items", "args", "body", "parts"):
        yield from getattr(node, name, ())
    for pair in getattr(node, "pairs", ()):
        yield from pair
