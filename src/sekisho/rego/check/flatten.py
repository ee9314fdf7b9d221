"""Taking terms apart: calls and references become expressions of their own, as OPA's compiler has them.

Ordering needs that where the parts of one expression must run at different times, and negation needs it
always: ``not startswith(input.x, "a")`` looks up ``input.x`` before the ``not``, and fails if there is none.
"""

from __future__ import annotations

from collections.abc import Callable

from sekisho.rego.check.bindings import CLOSING, is_equation, term_vars
from sekisho.rego.check.globals import ROOTS
from sekisho.rego.check.program import FunctionWith
from sekisho.rego.check.scope import needs_evaluation
from sekisho.rego.nodes import (
    ArrayTerm,
    Call,
    Every,
    Expr,
    Node,
    ObjectTerm,
    Ref,
    Scalar,
    SetTerm,
    SomeIn,
    Term,
    TermExpr,
    Var,
    With,
)

EQ = Var("eq")


class Flattener:
    """Takes the terms of one expression apart; ``made`` are the expressions that must come before it."""

    __slots__ = ("_fresh", "_withs", "made")

    def __init__(self, fresh: Callable[[], str], withs: tuple[With, ...]) -> None:
        self._fresh = fresh
        self._withs = withs
        self.made: list[Expr] = []

    def take(self, term: Term) -> Var:
        """A variable that is equal to the term from now on."""
        new = Var(self._fresh(), start=term.start, end=term.end)
        self.made.append(equation(new, term, term, self._withs))
        return new

    # --- calls --------------------------------------------------------------------------------------------

    def calls(self, term: Term) -> Term:
        """The term with each call in it taken out."""
        if isinstance(term, Call):
            return self.take(self.arguments(term))
        if isinstance(term, Ref):
            return self._reference(term)
        return _rebuilt(term, self.calls)

    def arguments(self, call: Call) -> Call:
        """The call with the calls in its operands taken out."""
        args = tuple([self.calls(arg) for arg in call.args])
        return Call(call.name, args, call.infix, start=call.start, end=call.end)

    def _reference(self, ref: Ref) -> Ref:
        head = self.calls(ref.head)
        path = tuple([step if isinstance(step, Scalar) else self.calls(step) for step in ref.path])
        if not isinstance(head, Var):
            head = self.take(head)
        return Ref(head, path, start=ref.start, end=ref.end)

    # --- references ---------------------------------------------------------------------------------------

    def references(self, term: Term) -> Term:
        """The term with each reference in it taken out, itself included."""
        if isinstance(term, Ref):
            return self.take(self.steps(term))
        return _rebuilt(term, self.references)

    def steps(self, ref: Ref) -> Ref:
        """The reference with the references in its steps taken out."""
        path = tuple([step if isinstance(step, Scalar) else self.references(step) for step in ref.path])
        return Ref(ref.head, path, start=ref.start, end=ref.end)

    def inside(self, term: Term) -> Term:
        """The term with the references inside it taken out, itself left."""
        return self.steps(term) if isinstance(term, Ref) else self.references(term)

    # --- references that bind -----------------------------------------------------------------------------

    def unbound(self, term: Term, bound: set[str]) -> Term:
        """The term with each reference in it taken out that binds a variable; ``bound`` grows by those."""
        if isinstance(term, Ref):
            if term_vars(term) <= bound:
                return term
            taken = self.take(self.unbound_steps(term, bound))
            bound |= term_vars(term)
            return taken
        if isinstance(term, Call):
            args = tuple([self.unbound(arg, bound) for arg in term.args])
            return Call(term.name, args, term.infix, start=term.start, end=term.end)
        return _rebuilt(term, lambda part: self.unbound(part, bound))

    def unbound_steps(self, ref: Ref, bound: set[str]) -> Ref:
        """The reference with the binding references in its steps and head taken out."""
        head = ref.head if isinstance(ref.head, Var) else self.unbound(ref.head, bound)
        path = tuple([step if isinstance(step, Scalar) else self.unbound(step, bound) for step in ref.path])
        return Ref(head, path, start=ref.start, end=ref.end)

    def inside_unbound(self, term: Term, bound: set[str]) -> Term:
        """The term with the binding references inside it taken out, itself left."""
        return self.unbound_steps(term, bound) if isinstance(term, Ref) else self.unbound(term, bound)


def _rebuilt(term: Term, part: Callable[[Term], Term]) -> Term:
    if isinstance(term, (ArrayTerm, SetTerm)):
        items = tuple([part(item) for item in term.items])
        return type(term)(items, start=term.start, end=term.end)
    if isinstance(term, ObjectTerm):
        pairs = tuple([(part(k), part(v)) for k, v in term.pairs])
        return ObjectTerm(pairs, start=term.start, end=term.end)
    return term


def equation(left: Term, right: Term, at: Node, withs: tuple[With, ...] = ()) -> Expr:
    """``left = right``, standing where ``at`` stands."""
    call = Call(EQ, (left, right), "=", start=at.start, end=at.end)
    return Expr(TermExpr(call, start=at.start, end=at.end), False, withs, start=at.start, end=at.end)


def is_comparison(call: Call) -> bool:
    """Whether this is ``a == b``."""
    return isinstance(call.name, Var) and call.name.name == "equal" and len(call.args) == 2


def negated(expr: Expr, fresh: Callable[[], str]) -> list[Expr]:
    """A negated expression, after what is looked up before it."""
    before = Flattener(fresh, ())
    if any(needs_evaluation(one.value) for one in expr.withs):
        withs = tuple([_with_taken(one, before) for one in expr.withs])
        expr = Expr(expr.statement, expr.negated, withs, start=expr.start, end=expr.end)
    statement = expr.statement
    if not isinstance(statement, TermExpr) or _is_plain(statement.term):
        return [*before.made, expr]
    apart = Flattener(fresh, expr.withs)
    term = statement.term
    if isinstance(term, Call):
        call = apart.arguments(term)
        if is_equation(call) or is_comparison(call):
            args = tuple([apart.inside(arg) for arg in call.args])
        else:
            args = tuple([apart.references(arg) for arg in call.args])
        term = Call(call.name, args, call.infix, start=call.start, end=call.end)
    else:
        term = apart.inside(apart.calls(term))
    return [*before.made, *apart.made, with_term(expr, term)]


def _with_taken(one: With, before: Flattener) -> With:
    """A modifier whose value is looked up before the expression, which is no part of it."""
    if not needs_evaluation(one.value) or (isinstance(one, FunctionWith) and one.replacement is not None):
        return one
    value = before.take(before.calls(one.value))
    if isinstance(one, FunctionWith):
        return FunctionWith(one.target, value, None, start=one.start, end=one.end)
    return With(one.target, value, start=one.start, end=one.end)


def _is_plain(term: Term) -> bool:
    """Whether negation can leave the term as it is."""
    if isinstance(term, Call):
        if is_equation(term) or is_comparison(term):
            return all(map(_is_simple_side, term.args))
        return all(isinstance(arg, (Var, Scalar, *CLOSING)) for arg in term.args)
    return _is_simple_side(term)


def _is_simple_side(term: Term) -> bool:
    if isinstance(term, Ref):
        return isinstance(term.head, Var) and all(isinstance(step, (Var, Scalar)) for step in term.path)
    return isinstance(term, (Var, Scalar, *CLOSING))


def with_term(expr: Expr, term: Term) -> Expr:
    """The expression with another term."""
    statement = TermExpr(term, start=expr.statement.start, end=expr.statement.end)
    return Expr(statement, expr.negated, expr.withs, start=expr.start, end=expr.end)


def apart(expr: Expr, fresh: Callable[[], str]) -> list[Expr]:
    """An expression with every call in its terms taken out, after the expressions that makes."""
    before = Flattener(fresh, ())
    withs = tuple([_with_taken(one, before) for one in expr.withs])
    inner = Flattener(fresh, withs)
    statement = expr.statement
    if isinstance(statement, TermExpr):
        term = statement.term
        term = inner.arguments(term) if isinstance(term, Call) else inner.calls(term)
        statement = TermExpr(term, start=statement.start, end=statement.end)
    elif isinstance(statement, SomeIn):
        statement = _some_apart(statement, inner)
    elif isinstance(statement, Every):
        statement = _through(statement, inner.take(inner.calls(statement.domain)))
    main = Expr(statement, expr.negated, withs, start=expr.start, end=expr.end)
    return [*before.made, *inner.made, main]


def _through(every: Every, domain: Term) -> Every:
    """The statement over another domain."""
    return Every(every.key, every.value, domain, every.body, start=every.start, end=every.end)


def _some_apart(some: SomeIn, inner: Flattener) -> SomeIn:
    key = None if some.key is None else inner.calls(some.key)
    domain = inner.calls(some.domain)
    if not isinstance(domain, (Var, Ref)):
        domain = inner.take(domain)
    return SomeIn(key, inner.calls(some.value), domain, start=some.start, end=some.end)


def lift(expr: Expr, bound: set[str], fresh: Callable[[], str]) -> list[Expr]:
    """An expression that may come next, with references that bind variables put where a planner has them.

    They stand as an expression, or as a side of an equation; in operands of calls, in patterns and in what
    ``some`` and ``every`` go through, a variable stands in their place.
    """
    known = bound | ROOTS
    taken = Flattener(fresh, expr.withs)
    statement = expr.statement
    if isinstance(statement, TermExpr):
        return [*taken.made, *_lift_term(expr, statement.term, known, taken)]
    if isinstance(statement, SomeIn):
        domain = taken.unbound(statement.domain, known)
        value = taken.unbound(statement.value, known)
        key = None if statement.key is None else taken.unbound(statement.key, known)
        some = SomeIn(key, value, domain, start=statement.start, end=statement.end)
        return [*taken.made, Expr(some, False, expr.withs, start=expr.start, end=expr.end)]
    if isinstance(statement, Every) and not term_vars(statement.domain) <= known:
        every = _through(statement, taken.unbound(statement.domain, known))
        return [*taken.made, Expr(every, False, expr.withs, start=expr.start, end=expr.end)]
    return [expr]


def _lift_term(expr: Expr, term: Term, known: set[str], taken: Flattener) -> list[Expr]:
    if not isinstance(term, Call):
        lifted = taken.inside_unbound(term, known)
    elif is_equation(term) or is_comparison(term):
        left, right = term.args
        # x = input.xs[x]: the reference binds its steps before the other side is looked at
        shared = (term_vars(left) & term_vars(right)) - known
        part = taken.unbound if shared else taken.inside_unbound
        sides = (part(left, known), part(right, known))
        lifted = Call(EQ, sides, term.infix, start=term.start, end=term.end)
    else:
        args = tuple([taken.unbound(arg, known) for arg in term.args])
        lifted = Call(term.name, args, term.infix, start=term.start, end=term.end)
    return [*taken.made, with_term(expr, lifted)]
