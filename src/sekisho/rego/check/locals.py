"""The terms of one rule: local variables get unique names, references become absolute."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Final

from sekisho.rego import codes
from sekisho.rego.check.draft import Closing, Closure, Step
from sekisho.rego.check.errors import Stage
from sekisho.rego.check.globals import ModuleNames
from sekisho.rego.check.program import SEPARATOR
from sekisho.rego.check.scope import (
    WHY,
    Occurrence,
    Scope,
    declared_names,
)
from sekisho.rego.check.withs import Modifiers
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Expr,
    Node,
    ObjectComp,
    ObjectTerm,
    Ref,
    Rule,
    Scalar,
    SetComp,
    SetTerm,
    TemplateString,
    Term,
    TermExpr,
    Var,
)


class Locals(Modifiers):
    """The resolution of one rule.

    ``scopes`` are those of the bodies around the term at hand; ``vars``, ``inner`` and ``closures`` are what
    the expression at hand mentions so far. ``place`` is where errors of an expression under ``not`` point.
    """

    __slots__ = ("clean", "closures", "counter", "inner", "names", "place", "reads", "rule", "scopes", "vars")

    def __init__(self, names: ModuleNames, rule: Rule | None) -> None:
        self.names = names
        self.rule = rule
        self.scopes: list[Scope] = []
        self.counter = 0
        self.place: Node | None = None
        self.clean = True
        self.reads: list[Ref | Var] = []
        self.vars: set[str] = set()
        self.inner: set[str] = set()
        self.closures: list[Closure] = []

    # --- errors and names ---------------------------------------------------------------------------------

    def error(self, message: str, node: Node, code: Any = codes.REDECLARED) -> None:
        """Report an error about local variables."""
        self.clean = False
        self.names.errors.add(Stage.LOCALS, code, message, (self.names.module, node))

    def fresh(self, name: str = "") -> str:
        """A name that nothing else in the rule has."""
        self.counter += 1
        return f"{name}{SEPARATOR}{self.counter}"

    def declared(self, name: str) -> str | None:
        """What a name is called that a scope around has met; None for one that none has."""
        for scope in reversed(self.scopes):
            new = scope.names.get(name)
            if new is not None:
                scope.counts[name] += 1
                return new
        return None

    def declare(self, var: Var, kind: Occurrence, at: Node, place: Node | None = None) -> Var:
        """Declare a variable in the innermost scope; ``at`` is where an error points."""
        name = var.name
        if name[0] == "$":
            return var
        scope = self.scopes[-1]
        seen = scope.kinds.get(name)
        if seen is not None:
            self.error(WHY[seen].format(name), at)
            return var
        new = self.fresh(name)
        scope.insert(name, new, kind)
        scope.places[name] = place or at
        return Var(new, start=var.start, end=var.end)

    def global_path(self, name: str) -> Ref | Var | None:
        """The rule or import that a name means, if no scope hides it."""
        found = self.names.globals.get(name)
        if found is None or any(name in scope.hidden for scope in self.scopes):
            return None
        found.used = True
        return found.path

    def undeclared(self, name: str) -> str:
        """Meet a name that no scope around declares: it belongs to the outermost body that mentions it."""
        new = name
        if len(self.scopes) > 1:
            for depth, scope in enumerate(self.scopes):
                if name in scope.level():
                    if depth:
                        new = scope.implied.get(name) or self.fresh(name)
                        scope.implied[name] = new
                    break
        self.scopes[-1].insert(name, new, Occurrence.SEEN)
        return new

    # --- terms --------------------------------------------------------------------------------------------

    def term(self, term: Term) -> Term:
        """The resolved term."""
        return _TERMS[type(term)](self, term)

    def scalar(self, term: Scalar) -> Term:
        """A constant is what it is."""
        return term

    def var(self, term: Var) -> Term:
        """A local variable, a wildcard, ``input``, ``data``, or a rule or import by its name."""
        name = term.name
        if name[0] == "$":
            self.vars.add(name)
            return term
        if name in self.names.roots:
            new = self._shadowed_root(name)
            if new is None:
                if name == "data":
                    self.reads.append(term)
                return term
        else:
            new = self.declared(name)
            if new is None:
                path = self.global_path(name)
                if path is not None:
                    return self._global(path, (), term)
                new = self.undeclared(name)
        self.vars.add(new)
        return term if new == name else Var(new, start=term.start, end=term.end)

    def _shadowed_root(self, name: str) -> str | None:
        """What ``input`` or ``data`` is called where v0 lets a variable hide it."""
        for scope in reversed(self.scopes):
            if name in scope.kinds:
                if scope.kinds[name] is Occurrence.SEEN:
                    return None
                scope.counts[name] += 1
                return scope.names[name]
        if self.names.strict:
            self.names.use_root(name)
        return None

    def _global(self, path: Ref | Var, steps: tuple[Term, ...], at: Node) -> Term:
        if isinstance(path, Ref):
            found: Ref | Var = Ref(path.head, path.path + steps, start=at.start, end=at.end)
        elif steps:
            found = Ref(path, steps, start=at.start, end=at.end)
        else:
            found = Var(path.name, start=at.start, end=at.end)
        head = found.head if isinstance(found, Ref) else found
        if isinstance(head, Var) and head.name == "data":
            self.reads.append(found)
        return found

    def ref(self, term: Ref) -> Term:
        """A reference: absolute, if it begins with a rule or an import."""
        head = term.head
        path = term.path
        if type(head) is not Var:
            return Ref(self.term(head), self._steps(path), start=term.start, end=term.end)
        name = head.name
        new: str | None = name
        if name in self.names.roots:
            new = self._shadowed_root(name)
            if new is None:
                steps = self._steps(path)
                scope = self.scopes[-1]
                if name not in scope.names:
                    scope.insert(name, name, Occurrence.SEEN)
                if steps is not path:
                    term = Ref(head, steps, start=term.start, end=term.end)
                if name == "data":
                    self.reads.append(term)
                return term
        elif name[0] != "$":
            new = self.declared(name)
            if new is None:
                found = self.global_path(name)
                if found is not None:
                    return self._global(found, self._steps(path), term)
                new = self.undeclared(name)
        assert new is not None
        self.vars.add(new)
        if new != name:
            head = Var(new, start=head.start, end=head.end)
        return Ref(head, self._steps(path), start=term.start, end=term.end)

    def _steps(self, path: tuple[Term, ...]) -> tuple[Term, ...]:
        for step in path:
            if type(step) is not Scalar:
                return tuple([self.term(step) for step in path])
        return path

    def array(self, term: ArrayTerm) -> Term:
        """``[a, b]``."""
        return ArrayTerm(tuple([self.term(t) for t in term.items]), start=term.start, end=term.end)

    def set_term(self, term: SetTerm) -> Term:
        """``{a, b}``."""
        return SetTerm(tuple([self.term(t) for t in term.items]), start=term.start, end=term.end)

    def object(self, term: ObjectTerm) -> Term:
        """``{k: v}``."""
        pairs = tuple([(self.term(k), self.term(v)) for k, v in term.pairs])
        return ObjectTerm(pairs, start=term.start, end=term.end)

    # --- closures -----------------------------------------------------------------------------------------

    def comprehension(self, term: ArrayComp | SetComp | ObjectComp) -> Term:
        """``[t | body]``, ``{t | body}``, ``{k: v | body}``; its node gets its body when that is ordered."""
        heads = (term.key, term.value) if isinstance(term, ObjectComp) else (term.term,)
        outer = self._enter()
        scope = Scope(term.body, heads, declared_names(term.body))
        self.scopes.append(scope)
        steps = self.body(term.body)
        resolved = [self.head(head) for head in heads]
        self.leave(scope)
        node: Closing
        if isinstance(term, ObjectComp):
            node = ObjectComp(resolved[0].term, resolved[1].term, (), start=term.start, end=term.end)
        else:
            node = type(term)(resolved[0].term, (), start=term.start, end=term.end)
        self._exit(outer, Closure(node, steps, resolved))
        return node

    def _enter(self) -> tuple[set[str], set[str], list[Closure]]:
        outer = self.vars, self.inner, self.closures
        self.vars, self.inner, self.closures = set(), set(), []
        return outer

    def _exit(self, outer: tuple[set[str], set[str], list[Closure]], closure: Closure) -> None:
        self.vars, self.inner, self.closures = outer
        self.inner |= closure.all_vars()
        self.closures.append(closure)

    def leave(self, scope: Scope) -> None:
        """End the innermost scope, and report what it declares in vain."""
        self.scopes.pop()
        if self.clean:
            self._report_unused(scope)

    def _report_unused(self, scope: Scope) -> None:
        unused = [name for name, count in scope.counts.items() if count == 1]
        if self.names.strict:
            for name in unused:
                if scope.kinds[name] is Occurrence.ASSIGNED:
                    self._unused(f"assigned var {name} unused", scope.places[name])
        if self.clean:
            for name in unused:
                if scope.kinds[name] is Occurrence.DECLARED:
                    self._unused(f"declared var {name} unused", scope.places[name])

    def _unused(self, message: str, at: Node) -> None:
        self.clean = False
        help = "use `_` where a variable must stand, or remove it"
        where = (self.names.module, at)
        self.names.errors.add(Stage.LOCALS, codes.UNUSED, message, where, help=help)

    def head(self, term: Term) -> Step:
        """A term that is evaluated after a body: a head of a rule or of a comprehension."""
        outer = self._enter()
        resolved = self.term(term)
        expr = Expr(TermExpr(resolved, start=term.start, end=term.end), start=term.start, end=term.end)
        step = Step(expr, self.vars, self.closures, self.inner)
        self.vars, self.inner, self.closures = outer
        return step

    @abstractmethod
    def body(self, body: Body) -> list[Step]:
        """The resolved expressions of a body, as written."""

    @abstractmethod
    def call(self, term: Call) -> Term:
        """A call whose value is used."""

    @abstractmethod
    def template(self, term: TemplateString) -> Term:
        """A template string."""


_TERMS: Final[dict[type, Callable[[Locals, Any], Term]]] = {
    Scalar: Locals.scalar,
    Var: Locals.var,
    Ref: Locals.ref,
    ArrayTerm: Locals.array,
    SetTerm: Locals.set_term,
    ObjectTerm: Locals.object,
    ArrayComp: Locals.comprehension,
    SetComp: Locals.comprehension,
    ObjectComp: Locals.comprehension,
    Call: lambda self, term: self.call(term),
    TemplateString: lambda self, term: self.template(term),
}
