"""Name resolution: what every variable, reference and call of a rule means, with unique local names.

One walk over a rule as parsed gives its draft: new terms, whose local variables are renamed, whose references
are absolute and whose calls name a built-in or a path; and with every expression what it mentions, which is
what ordering needs. Terms in which nothing changes are taken over as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sekisho.rego import codes
from sekisho.rego.check.draft import Captures, Closing, Closure, Step
from sekisho.rego.check.errors import Stage
from sekisho.rego.check.functions import PRINT, Function
from sekisho.rego.check.globals import ROOTS, ModuleNames
from sekisho.rego.check.metadata import METADATA
from sekisho.rego.check.program import SEPARATOR
from sekisho.rego.check.scope import (
    WHY,
    Occurrence,
    Scope,
    bound_names,
    declared_names,
    is_assignment,
    is_explicit,
    variables,
)
from sekisho.rego.check.text import term_text
from sekisho.rego.check.withs import Modifiers
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
    Rule,
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


class Resolver(Modifiers):
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
        equation = Call(EQ, (new, term), start=start, end=end)
        expr = Expr(TermExpr(equation, start=start, end=end), False, withs, start=start, end=end)
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


_TERMS: Final[dict[type, Callable[[Resolver, Any], Term]]] = {
    Scalar: Resolver.scalar,
    Var: Resolver.var,
    Ref: Resolver.ref,
    ArrayTerm: Resolver.array,
    SetTerm: Resolver.set_term,
    ObjectTerm: Resolver.object,
    ArrayComp: Resolver.comprehension,
    SetComp: Resolver.comprehension,
    ObjectComp: Resolver.comprehension,
    Call: Resolver.call,
    TemplateString: Resolver.template,
}

_STATEMENTS: Final[dict[type, Callable[[Resolver, Any, Expr, list[Step]], Expr | None]]] = {
    TermExpr: Resolver.term_expr,
    SomeDecl: Resolver.some_decl,
    SomeIn: Resolver.some_in,
    Every: Resolver.every,
    NotBody: Resolver.not_body,
}
