"""Planning of bodies: statements, ``with``, negation.

A ``BodyPlanner`` appends instructions to one block. Nested blocks (``not``, ``every``, comprehensions) have a
planner of their own that starts with a copy of what is bound outside, and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Self

from sekisho.rego import nodes
from sekisho.rego.check.program import FunctionWith
from sekisho.rego.cover import MARK, place
from sekisho.rego.nodes import Expr, Ref, Scalar, Term, Var
from sekisho.rego.plan import ir
from sekisho.rego.plan.terms import Names, Surroundings, TermPlanner

if TYPE_CHECKING:
    from sekisho.rego.nodes import Body


class BodyPlanner(TermPlanner):
    """Plans the statements of a body into its block."""

    def __init__(self, unit: Surroundings, module: int, names: Names) -> None:
        super().__init__(unit, module, names)
        self.seen: list[tuple[Term, ir.Operand]] | None = None  # what was planned, where that is explained

    def nested(self) -> Self:
        """A planner for a block inside this one, in which nothing is explained."""
        inner = super().nested()
        inner.seen = None
        return inner

    def value(self, term: Term) -> ir.Operand:
        """Plan a term, and keep its operand where it is explained."""
        operand = super().value(term)
        if self.seen is not None and isinstance(term, Ref | nodes.Call):
            self.seen.append((term, operand))
        return operand

    def body(self, body: Body) -> None:
        """Plan all expressions of a body, in their order."""
        for expr in body:
            self.expression(expr)
            if self.seen is not None:
                self._held(expr, self.seen)
                self.seen.clear()

    def expression(self, expr: Expr) -> None:
        """Plan one expression with its modifiers."""
        outer = self.state
        if not isinstance(expr.statement, nodes.SomeDecl):
            self.mark(expr)
        self.modifiers(expr)
        if expr.negated:
            self._not(lambda inner: inner.statement(expr), expr)
        else:
            self.statement(expr)
        self.state = outer

    def mark(self, node: nodes.Node) -> None:
        """Let evaluation mark that it came to a node, if it marks anything."""
        if self.unit.covers:
            args = (ir.Const(place(self.module, node)),)
            self.emit(ir.CallBuiltin(self.local("m"), MARK, args, tested=True), node)

    def _held(self, expr: Expr, seen: list[tuple[Term, ir.Operand]]) -> None:
        """Note that an expression has held, with the values of the variables, references and calls in it."""
        statement = expr.statement
        whole = statement.term if isinstance(statement, nodes.TermExpr) else None
        found = {(term.start, term.end): operand for term, operand in seen if term is not whole}
        if isinstance(whole, Var | Ref):
            found |= {(term.start, term.end): operand for term, operand in seen if term is whole}
        for var in _variables(statement):
            operand = self.bound.get(var.name)
            if operand is not None:
                found.setdefault((var.start, var.end), operand)
        parts = tuple((start, end, operand) for (start, end), operand in sorted(found.items(), key=_place))
        self.emit(ir.Held(parts), expr)

    def statement(self, expr: Expr) -> None:
        """Plan the statement itself."""
        statement = expr.statement
        match statement:
            case nodes.TermExpr(term=term):
                self._term(term)
            case nodes.SomeDecl():
                pass
            case nodes.SomeIn():
                self._some_in(statement)
            case nodes.Every():
                self._every(statement)
            case nodes.NotBody(body=body):
                self._not(lambda inner: inner.body(body), statement)

    def _term(self, term: Term) -> None:
        operand = self.value(term)
        last = self.block[-1] if self.block else None
        if isinstance(last, ir.CallBuiltin) and last.dst == operand and isinstance(term, nodes.Call):
            last.tested = True
            return
        if operand not in ir.ROOTS and not self.holds(operand):
            self.emit(ir.Truthy(operand), term)

    def _not(self, plan: Callable[[BodyPlanner], None], node: nodes.Node) -> None:
        inner = self.nested()
        plan(inner)
        self.emit(ir.Not(inner.block), node)

    def _some_in(self, some: nodes.SomeIn) -> None:
        domain = self.value(some.domain)
        if some.key is not None and not self.open(some.key):
            self.unify_operand(some.value, self.index(domain, self.value(some.key), some.domain))
            return
        key = self.scan_name(some.key)
        value = self.local("e")
        self.scan(domain, key, value, some)
        if key is not None and some.key is not None:
            self.unify_operand(some.key, key)
        self.unify_operand(some.value, value)

    def scan_name(self, pattern: Term | None) -> str | None:
        """A local for the key of a scan; None where nobody asks for it."""
        if pattern is None or (isinstance(pattern, Var) and pattern.wildcard):
            return None
        return self.local("k")

    def _every(self, every: nodes.Every) -> None:
        domain = self.value(every.domain)
        inner = self.nested()
        key = value = None
        if every.key is not None and not every.key.wildcard:
            key = inner.local(every.key.name)
            inner.bound[every.key.name] = key
        if not every.value.wildcard:
            value = inner.local(every.value.name)
            inner.bound[every.value.name] = value
        inner.body(every.body)
        self.emit(ir.Every(domain, key, value, inner.block), every)

    def modifiers(self, expr: Expr) -> None:
        """Plan the ``with`` modifiers of an expression: what follows runs in a new state."""
        if not expr.withs:
            return
        replacements = tuple(self._replacement(each) for each in expr.withs)
        state = self.local("s")
        self.emit(ir.With(state, replacements), expr)
        self.state = state

    def _replacement(self, each: nodes.With) -> ir.Replace:
        path = target_path(each.target)
        if isinstance(each, FunctionWith):
            function = (self.unit.function_name(each.target),)
            if each.replacement is not None:
                other = self.unit.function_name(each.replacement)
                return ir.Replace(ir.Target.FUNCTION, function, other=other)
            return ir.Replace(ir.Target.FUNCTION, function, value=self.value(each.value))
        kind = ir.Target.INPUT if path[0] == ir.INPUT else ir.Target.DATA
        return ir.Replace(kind, path[1:], value=self.value(each.value))


def target_path(target: Var | Ref) -> tuple[str, ...]:
    """The steps of a ``with`` target, from ``input`` or ``data`` on."""
    if isinstance(target, Var):
        return (target.name,)
    assert isinstance(target.head, Var)
    steps = [step.value if isinstance(step, Scalar) else None for step in target.path]
    return (target.head.name, *(step for step in steps if step is not None))


_BODIES: Final = (nodes.ArrayComp, nodes.SetComp, nodes.ObjectComp, nodes.Every, nodes.NotBody)


def _variables(root: nodes.Node) -> Iterator[Var]:
    """The variables in a statement, without those of bodies inside it."""
    stack: list[object] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Var):
            yield node
        elif isinstance(node, nodes.Node) and not isinstance(node, _BODIES):
            stack.extend(getattr(node, name) for name in node.__dataclass_fields__)


def _place(item: tuple[tuple[int, int], ir.Operand]) -> tuple[int, int]:
    return item[0]
