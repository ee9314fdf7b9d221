"""What an expression binds, and what must be bound before it: OPA's rules of safety, for nested terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeGuard

from sekisho.rego.check.globals import ROOTS
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
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
    SomeIn,
    Term,
    TermExpr,
    Var,
    With,
)

Arity = Callable[[Call], int]
"""How many operands the function of a call takes; negative if it is none."""

CLOSING: Final = (ArrayComp, SetComp, ObjectComp)


class Bindings:
    """What one expression needs bound before it, and what references in it bind; variables by name."""

    __slots__ = ("bound", "needs", "outputs")

    def __init__(self, bound: set[str]) -> None:
        self.bound = bound
        self.needs: set[str] = set()
        self.outputs: set[str] = set()

    def pattern(self, term: Term) -> None:
        """A term whose variables unification may bind: only its references and calls count."""
        if isinstance(term, Ref):
            self.reference(term)
        elif isinstance(term, (ArrayTerm, SetTerm)):
            for item in term.items:
                self.pattern(item)
        elif isinstance(term, ObjectTerm):
            for key, value in term.pairs:
                self.pattern(key)
                self.pattern(value)
        elif isinstance(term, Call):
            self.operands(term.args)

    def reference(self, ref: Ref) -> None:
        """A reference binds the variables of its steps, if its head is bound."""
        head = ref.head
        if isinstance(head, Var):
            if head.name not in self.bound and head.name not in ROOTS:
                self.needs.add(head.name)
                return
        else:
            self.operand(head)
        for step in ref.path:
            if not isinstance(step, Scalar):
                self._step(step)

    def _step(self, step: Term) -> None:
        if isinstance(step, Var):
            if step.name not in ROOTS:
                self.outputs.add(step.name)
        elif isinstance(step, (ArrayTerm, SetTerm)):
            for item in step.items:
                self._step(item)
        elif isinstance(step, ObjectTerm):
            for key, value in step.pairs:
                self._step(key)
                self._step(value)
        else:
            self.pattern(step)

    def operands(self, terms: Iterable[Term]) -> None:
        """Operands of a call."""
        for term in terms:
            self.operand(term)

    def operand(self, term: Term) -> None:
        """A term that is evaluated: its variables must be bound, but for those in steps of references."""
        if isinstance(term, Var):
            if term.name not in ROOTS:
                self.needs.add(term.name)
        elif isinstance(term, (ArrayTerm, SetTerm)):
            self.operands(term.items)
        elif isinstance(term, ObjectTerm):
            for key, value in term.pairs:
                self.operand(key)
                self.operand(value)
        elif isinstance(term, Ref):
            self.reference(term)
        elif isinstance(term, Call):
            self.operands(term.args)


def outputs(expr: Expr, bound: set[str], arity: Arity, *, nested: bool) -> set[str] | None:
    """The variables that an expression binds where ``bound`` are bound; None where it cannot come next.

    ``nested`` says that calls may stand inside terms; their operands must be bound before the expression, so
    None then also means that calls have to be taken out first.
    """
    if expr.negated or isinstance(expr.statement, NotBody):
        return set()
    for one in expr.withs:
        if not with_vars(one) <= bound:
            return None
    found = Bindings(bound)
    statement = expr.statement
    made: set[str] = set()
    if isinstance(statement, TermExpr):
        term = statement.term
        if not isinstance(term, Call):
            found.pattern(term)
        elif is_equation(term):
            for side in term.args:
                found.pattern(side)
            made = _equation_outputs(term, bound | found.outputs)
        else:
            made = _call_outputs(term, found, arity, nested=nested)
    elif isinstance(statement, SomeIn):
        found.operand(statement.domain)
        found.pattern(statement.value)
        if found.needs <= bound:
            _mark_all(statement.value, made)
            if statement.key is not None:
                _all_vars(statement.key, made)
    else:
        assert isinstance(statement, Every)
        found.operand(statement.domain)
    if nested and not found.needs <= bound:
        return None
    return found.outputs | made


def _call_outputs(call: Call, found: Bindings, arity: Arity, *, nested: bool) -> set[str]:
    count = arity(call)
    if nested or count < 0 or len(call.args) <= count:
        found.operands(call.args[:count] if count >= 0 else call.args)
    else:
        for arg in call.args:
            found.pattern(arg)
    made: set[str] = set()
    if count < 0 or len(call.args) <= count:
        return made
    given: set[str] = set()
    for arg in call.args[:count]:
        _mark_all(arg, given)
    if given <= found.bound | found.outputs:
        for arg in call.args[count:]:
            _mark_all(arg, made)
    return made


def is_equation(call: Call) -> bool:
    """Whether this is ``a = b`` or ``a := b``."""
    return isinstance(call.name, Var) and call.name.name == "eq" and len(call.args) == 2


def with_vars(one: With) -> set[str]:
    """The variables that a modifier needs."""
    found: set[str] = set()
    if isinstance(one.target, Ref):
        for step in one.target.path:
            _all_vars(step, found)
    if getattr(one, "replacement", None) is None:
        _all_vars(one.value, found)
    return found


def _equation_outputs(call: Call, safe: set[str]) -> set[str]:
    left, right = call.args
    if call.infix == ":=":
        assigned: set[str] = set()
        _all_vars(left, assigned)
        safe = safe - assigned
    unifier = _Unifier(safe)
    unifier.unify(left, right)
    return unifier.unified


def term_vars(term: Term) -> set[str]:
    """The variables of a term, those inside closures apart."""
    found: set[str] = set()
    _all_vars(term, found)
    return found


def _all_vars(term: Term, found: set[str]) -> None:
    if isinstance(term, Var):
        if term.name not in ROOTS:
            found.add(term.name)
    elif isinstance(term, Ref):
        _all_vars(term.head, found)
        for step in term.path:
            if not isinstance(step, Scalar):
                _all_vars(step, found)
    elif isinstance(term, (ArrayTerm, SetTerm)):
        for item in term.items:
            _all_vars(item, found)
    elif isinstance(term, ObjectTerm):
        for key, value in term.pairs:
            _all_vars(key, found)
            _all_vars(value, found)
    elif isinstance(term, Call):
        for arg in term.args:
            _all_vars(arg, found)


def expr_vars(expr: Expr) -> set[str]:
    """The variables of an expression, those inside closures apart."""
    found: set[str] = set()
    statement = expr.statement
    if isinstance(statement, TermExpr):
        _all_vars(statement.term, found)
    elif isinstance(statement, SomeIn):
        _all_vars(statement.domain, found)
        _all_vars(statement.value, found)
        if statement.key is not None:
            _all_vars(statement.key, found)
    elif isinstance(statement, Every):
        _all_vars(statement.domain, found)
    for one in expr.withs:
        found |= with_vars(one)
    return found


def _mark_all(term: Term, found: set[str]) -> None:
    """The variables that become bound when a term is unified with a value."""
    if isinstance(term, Var):
        if term.name not in ROOTS:
            found.add(term.name)
    elif isinstance(term, (ArrayTerm, SetTerm)):
        for item in term.items:
            _mark_all(item, found)
    elif isinstance(term, ObjectTerm):
        for _, value in term.pairs:
            _mark_all(value, found)
    elif isinstance(term, Ref):
        for step in term.path:
            _mark_all(step, found)


class _Unifier:
    """Which variables an equation binds, if those of ``safe`` are bound."""

    __slots__ = ("safe", "unified", "unknown")

    def __init__(self, safe: set[str]) -> None:
        self.safe = safe
        self.unified: set[str] = set()
        self.unknown: dict[str, set[str]] = {}

    def unify(self, a: Term, b: Term) -> None:
        """The two sides are equal."""
        if _is_var(b) and not _is_var(a):
            a, b = b, a
        if _is_var(a):
            self._var(a.name, b)
            return
        if isinstance(b, (ArrayTerm, ObjectTerm)) and not isinstance(a, (ArrayTerm, ObjectTerm)):
            a, b = b, a
        if isinstance(a, ArrayTerm):
            self._array(a, b)
        elif isinstance(a, ObjectTerm):
            self._object(a, b)

    def _var(self, name: str, b: Term) -> None:
        if _is_var(b):
            other: str = b.name
            if self._is_safe(other):
                self._mark(name)
            elif self._is_safe(name):
                self._mark(other)
            else:
                self.unknown.setdefault(name, set()).add(other)
                self.unknown.setdefault(other, set()).add(name)
        elif isinstance(b, (ArrayTerm, ObjectTerm)):
            self._all(name, b)
        elif self._is_evaluable(b):
            self._mark(name)

    def _is_evaluable(self, term: Term) -> bool:
        """Whether a side that is no pattern has a value now."""
        if isinstance(term, Ref):
            head = term.head
            if isinstance(head, Var):
                return head.name in self.safe or head.name in ROOTS
            return term_vars(head) <= self.safe
        if isinstance(term, Call):
            return term_vars(term) <= self.safe
        return True

    def _array(self, a: ArrayTerm, b: Term) -> None:
        if isinstance(b, ArrayTerm):
            if len(a.items) == len(b.items):
                for x, y in zip(a.items, b.items, strict=True):
                    self.unify(x, y)
        elif isinstance(b, (Var, Ref, Call, *CLOSING)) and self._is_evaluable(b):
            self._mark_term(a)

    def _object(self, a: ObjectTerm, b: Term) -> None:
        if isinstance(b, ObjectTerm):
            if len(a.pairs) == len(b.pairs):
                for key, value in a.pairs:
                    other = next((v for k, v in b.pairs if same_term(k, key)), None)
                    if other is not None:
                        self.unify(value, other)
        elif isinstance(b, (Var, Ref, Call, ObjectComp)) and self._is_evaluable(b):
            self._mark_term(a)

    def _is_safe(self, name: str) -> bool:
        return name in self.safe or name in self.unified

    def _mark_term(self, term: Term) -> None:
        found: set[str] = set()
        _mark_all(term, found)
        for name in found:
            self._mark(name)

    def _mark(self, name: str) -> None:
        self.unified.add(name)
        for other in self.unknown.pop(name, ()):
            if other not in self.unified:
                self._mark(other)
        for other, waits in list(self.unknown.items()):
            if name in waits:
                waits.discard(name)
                if not waits and other in self.unknown:
                    del self.unknown[other]
                    self._mark(other)

    def _all(self, name: str, b: Term) -> None:
        if self._is_safe(name):
            self._mark_term(b)
            return
        found: set[str] = set()
        _mark_all(b, found)
        waits = found - self.safe - self.unified
        if waits:
            self.unknown.setdefault(name, set()).update(waits)
        else:
            self._mark(name)


def _is_var(term: Term) -> TypeGuard[Var]:
    return isinstance(term, Var) and term.name not in ROOTS


def same_term(a: Any, b: Any) -> bool:
    """Whether two terms without closures are written alike, positions apart."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Scalar):
        return type(a.value) is type(b.value) and bool(a.value == b.value)
    if isinstance(a, Var):
        return bool(a.name == b.name)
    if isinstance(a, Ref):
        return same_term(a.head, b.head) and _same_all(a.path, b.path)
    if isinstance(a, (ArrayTerm, SetTerm)):
        return _same_all(a.items, b.items)
    if isinstance(a, ObjectTerm):
        return _same_all([t for p in a.pairs for t in p], [t for p in b.pairs for t in p])
    return a is b


def _same_all(a: Iterable[Term], b: Iterable[Term]) -> bool:
    left, right = list(a), list(b)
    return len(left) == len(right) and all(map(same_term, left, right))
