"""Name resolution: what every variable, reference and call of a rule means, with unique local names.

One walk over a rule as parsed gives its draft: new terms, whose local variables are renamed, whose references
are absolute and whose calls name a built-in or a path; and with every expression what it mentions, which is
what ordering needs. Terms in which nothing changes are taken over as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sekisho.rego import codes
from sekisho.rego.check.draft import Captures, Closure, Step
from sekisho.rego.check.errors import Stage
from sekisho.rego.check.flatten import equation
from sekisho.rego.check.functions import PRINT, Function
from sekisho.rego.check.globals import ROOTS
from sekisho.rego.check.locals import Locals
from sekisho.rego.check.metadata import METADATA
from sekisho.rego.check.scope import (
    Occurrence,
    Scope,
    bound_names,
    declared_names,
    is_assignment,
    is_explicit,
    variables,
)
from sekisho.rego.check.text import term_text
from sekisho.rego.nodes import (
    ArrayTerm,
    Body,
    Call,
    Every,
    Expr,
    Node,
    NotBody,
    ObjectTerm,
    Ref,
    Scalar,
    SetComp,
    SetTerm,
    SomeDecl,
    SomeIn,
    TemplateString,
    Term,
    TermExpr,
    Var,
)
from sekisho.rego.parser.literals import value_name

EQ: Final = Var("eq")
TEMPLATE: Final = Var("internal.template_string")
PRINTER: Final = Var("internal.print")


class Resolver(Locals):
    """The resolution of one rule."""

    __slots__ = ()

    # --- calls --------------------------------------------------------------------------------------------

    def call(self, term: Call) -> Term:
        """A call whose value is used."""
        return self._call(term, term, nested=True)

    def _call(self, term: Call, at: Node, *, nested: bool) -> Term:
        name, function = self._operator(term, at, nested=nested)
        args = tuple([self.term(arg) for arg in term.args])
        if function is not None:
            if function.text in METADATA and self.rule is not None and not args:
                return self.names.annotations.term(function.text, self.names.module, self.rule, term)
            call = Call(name, args, term.infix, start=term.start, end=term.end)
            where = (self.names.module, at)
            self.names.functions.check(function, call, where, nested=nested, outdated=self.names.outdated)
            return call
        return Call(name, args, term.infix, start=term.start, end=term.end)

    def _operator(self, term: Call, at: Node, *, nested: bool) -> tuple[Var | Ref, Function | None]:
        """The resolved operator, and what it means; None, with an error, if it is no function."""
        node = term.name
        head = node.head if isinstance(node, Ref) else node
        functions = self.names.functions
        where = (self.names.module, at)
        if not isinstance(head, Var):
            functions.undefined(term_text(node), where)
            return node, None
        hidden = next((s for s in reversed(self.scopes) if head.name in s.names), None)
        if hidden is not None and hidden.names[head.name] != head.name:
            if nested:
                message = f"called function {term_text(node)} shadowed"
                self.error(message, term, codes.FUNCTION_SHADOWED)
            else:
                hidden.counts[head.name] += 1
                functions.undefined(term_text(node), where)
            return node, None
        steps = node.path if isinstance(node, Ref) else ()
        path = self.global_path(head.name) if head.name not in self.names.roots else None
        if path is not None:
            node = self._joined(path, steps, node)
            head = node.head if isinstance(node, Ref) else node
            steps = node.path if isinstance(node, Ref) else ()
        return self._lookup(node, head, steps, where)

    @staticmethod
    def _joined(path: Ref | Var, steps: tuple[Term, ...], at: Node) -> Ref | Var:
        if isinstance(path, Ref):
            return Ref(path.head, path.path + steps, start=at.start, end=at.end)
        return Ref(path, steps, start=at.start, end=at.end) if steps else path

    def _lookup(
        self, node: Var | Ref, head: Term, steps: tuple[Term, ...], where: tuple[Any, Node]
    ) -> tuple[Var | Ref, Function | None]:
        assert isinstance(head, Var)
        functions = self.names.functions
        names = [step.value for step in steps if type(step) is Scalar and type(step.value) is str]
        found: Function | None = None
        if len(names) != len(steps):
            self._steps(steps)
        elif head.name == "data":
            found = functions.rule(tuple(names))
            if found is not None:
                assert isinstance(node, Ref)
                self.reads.append(node)
        else:
            found = functions.builtin(".".join((head.name, *names)))
            if found is not None and steps:
                node = Var(found.text, start=node.start, end=node.end)
        if found is None:
            functions.undefined(term_text(node), where)
        return node, found

    def template(self, term: TemplateString) -> Term:
        """``$"a {x}"`` is a call of ``internal.template_string`` with what may be undefined in sets."""
        parts: list[Term] = []
        for part in term.parts:
            if isinstance(part, str):
                parts.append(Scalar(part, start=term.start, end=term.end))
            else:
                self.scopes.append(Scope(()))
                parts.append(self._template_part(part))
                self.scopes.pop()
        if not parts:
            parts.append(Scalar("", start=term.start, end=term.end))
        array = ArrayTerm(tuple(parts), start=term.start, end=term.end)
        return Call(TEMPLATE, (array,), start=term.start, end=term.end)

    def _template_part(self, part: Expr) -> Term:
        assert isinstance(part.statement, TermExpr)
        term = part.statement.term
        if isinstance(term, Call):
            _, function = self._operator(term, term, nested=True)
            if function is not None and function.row is not None and function.row.relation:
                message = (
                    f"illegal call to relation built-in '{function.text}' that may cause multiple outputs"
                )
                where = (self.names.module, term)
                self.names.errors.add(Stage.TEMPLATES, codes.RELATION, message, where)
        outer = self._enter()
        resolved = self.term(term)
        withs = self.modifiers(part.withs)
        known = isinstance(resolved, Var) and resolved.name not in ROOTS
        if known or (not withs and self.names.always_defined(resolved)):
            held = self.vars, self.inner, self.closures
            self.vars, self.inner, self.closures = outer
            self.vars |= held[0]
            self.inner |= held[1]
            self.closures += held[2]
            return SetTerm((resolved,), start=term.start, end=term.end)
        return self._captured(resolved, part.start, part.end, outer, withs=withs)

    def _captured(
        self,
        term: Term,
        start: int,
        end: int,
        outer: tuple[set[str], set[str], list[Closure]],
        *,
        withs: tuple[Any, ...] = (),
        known: frozenset[str] | None = None,
    ) -> Term:
        """``{t | t = term}``: the term if it is defined. Its variables come from outside."""
        new = Var(self.fresh(), start=start, end=end)
        captures = Captures(term, set(self.vars), known)
        expr = equation(new, term, new, withs)
        step = Step(expr, self.vars | {new.name}, self.closures, self.inner)
        head = Step(Expr(TermExpr(new, start=start, end=end)), {new.name}, [], set())
        node = SetComp(new, (), start=start, end=end)
        closure = Closure(node, [step], [head])
        closure.captures = captures
        self._exit(outer, closure)
        return node

    # --- bodies -------------------------------------------------------------------------------------------

    def body(self, body: Body, before: Iterable[Step] = ()) -> list[Step]:
        """The resolved expressions of a body, as written; ``before`` are those that come before them."""
        steps: list[Step] = []
        earlier = list(before)
        for expr in body:
            self.vars, self.inner, self.closures = set(), set(), []
            statement = expr.statement
            resolved = _STATEMENTS[type(statement)](self, statement, expr, earlier)
            if resolved is not None:
                if resolved is not expr:
                    resolved.start, resolved.end = expr.start, expr.end
                step = Step(resolved, self.vars, self.closures, self.inner)
                steps.append(step)
                earlier.append(step)
        return steps

    def term_expr(self, statement: TermExpr, expr: Expr, before: list[Step]) -> Expr | None:
        """A term that must hold; ``:=`` declares, ``print`` is rewritten or dropped."""
        term = statement.term
        withs: tuple[Any, ...] | None = None
        if type(term) is Call:
            if is_assignment(term) and self.global_path("assign") is None:
                if expr.negated:
                    self.error("cannot assign vars inside negated expression", expr, codes.ASSIGNMENT)
                    return None
                resolved, withs = self._assignment(term, expr)
            elif type(term.name) is Var and term.name.name == PRINT and self.global_path(PRINT) is None:
                return self._print(term, expr, before)
            else:
                resolved = self._call(term, self.place or expr, nested=False)
        else:
            resolved = self.term(term)
        if withs is None:
            withs = self.modifiers(expr.withs) if expr.withs else ()
        if resolved is term and not withs:
            return expr
        return Expr(TermExpr(resolved, start=statement.start, end=statement.end), expr.negated, withs)

    def _assignment(self, call: Call, expr: Expr) -> tuple[Term, tuple[Any, ...]]:
        left, right = call.args
        self.names.check_override(left, expr)
        right = self.term(right)
        withs = self.modifiers(expr.withs) if expr.withs else ()
        left = self._assignee(left, expr)
        return Call(EQ, (left, right), ":=", start=call.start, end=call.end), withs

    def _assignee(self, term: Term, expr: Expr) -> Term:
        if isinstance(term, Var):
            new = self.declare(term, Occurrence.ASSIGNED, term, expr)
            self.vars.add(new.name)
            return new
        if isinstance(term, ArrayTerm):
            items = tuple(self._assignee(item, expr) for item in term.items)
            return ArrayTerm(items, start=term.start, end=term.end)
        if isinstance(term, ObjectTerm):
            pairs = tuple((self.term(k), self._assignee(v, expr)) for k, v in term.pairs)
            return ObjectTerm(pairs, start=term.start, end=term.end)
        self.error(f"cannot assign to {value_name(term)}", term, codes.ASSIGNMENT)
        return term

    def _print(self, call: Call, expr: Expr, before: list[Step]) -> Expr | None:
        known: set[str] = set()
        for step in before:
            known |= step.vars
        for scope in self.scopes[:-1]:
            known.update(scope.names.values())
        known |= self.scopes[-1].given
        frozen = frozenset(known)
        parts: list[Term] = []
        for arg in call.args:
            outer = self._enter()
            parts.append(self._captured(self.term(arg), arg.start, arg.end, outer, known=frozen))
        withs = self.modifiers(expr.withs) if expr.withs else ()
        if not self.names.keep_print:
            return None
        array = ArrayTerm(tuple(parts), start=call.start, end=call.end)
        printer = Call(PRINTER, (array,), start=call.start, end=call.end)
        return Expr(TermExpr(printer, start=call.start, end=call.end), expr.negated, withs)

    def some_decl(self, statement: SomeDecl, expr: Expr, _before: list[Step]) -> None:
        """``some x, y`` only declares."""
        for var in statement.names:
            self.declare(var, Occurrence.DECLARED, statement, expr)

    def some_in(self, statement: SomeIn, expr: Expr, _before: list[Step]) -> Expr:
        """``some k, v in xs`` declares what its patterns bind, but for what ``xs`` mentions."""
        taken = {var.name for var in variables(statement.domain)}
        if isinstance(statement.domain, Ref) and isinstance(statement.domain.head, Var):
            taken.add(statement.domain.head.name)
        domain = self.term(statement.domain)
        bound = {var.name: var for var in bound_names(statement.value)}
        if statement.key is not None:
            bound.update((var.name, var) for var in variables(statement.key))
        for name in sorted(bound):
            if name not in taken:
                self.declare(bound[name], Occurrence.DECLARED, statement, expr)
        value = self.term(statement.value)
        key = None if statement.key is None else self.term(statement.key)
        withs = self.modifiers(expr.withs) if expr.withs else ()
        return Expr(SomeIn(key, value, domain, start=statement.start, end=statement.end), False, withs)

    def every(self, statement: Every, expr: Expr, _before: list[Step]) -> Expr:
        """``every k, v in xs { body }``."""
        domain = self.term(statement.domain)
        names = [statement.value] if statement.key is None else [statement.key, statement.value]
        hidden = declared_names(statement.body) | {var.name for var in names}
        scope = Scope(statement.body, (), hidden)
        outer = self._enter()
        self.scopes.append(scope)
        first = statement.body[0]
        new = [self.declare(var, Occurrence.DECLARED, statement, first) for var in names]
        scope.given.update(var.name for var in new)
        steps = self.body(statement.body)
        self.leave(scope)
        key = new[0] if statement.key is not None else None
        node = Every(key, new[-1], domain, (), start=statement.start, end=statement.end)
        closure = Closure(node, steps, [])
        closure.declares = tuple(var.name for var in new)
        self._exit(outer, closure)
        withs = self.modifiers(expr.withs) if expr.withs else ()
        return Expr(node, False, withs)

    def not_body(self, statement: NotBody, expr: Expr, _before: list[Step]) -> Expr:
        """``not { body }``; without braces its one expression belongs to the body around it."""
        outer = self._enter()
        node = NotBody((), start=statement.start, end=statement.end)
        if is_explicit(statement):
            scope = Scope(statement.body, (), declared_names(statement.body))
            self.scopes.append(scope)
            steps = self.body(statement.body)
            self.leave(scope)
            self._exit(outer, Closure(node, steps, []))
        else:
            self.place = expr
            steps = self.body(statement.body)
            self.place = None
            closure = Closure(node, steps, [])
            closure.promoted = True
            self._exit(outer, closure)
            for step in steps:
                self.vars |= step.vars
        withs = self.modifiers(expr.withs) if expr.withs else ()
        return Expr(node, False, withs)


_STATEMENTS: Final[dict[type, Callable[[Resolver, Any, Expr, list[Step]], Expr | None]]] = {
    TermExpr: Resolver.term_expr,
    SomeDecl: Resolver.some_decl,
    SomeIn: Resolver.some_in,
    Every: Resolver.every,
    NotBody: Resolver.not_body,
}
