"""The resolution of whole rules: arguments, heads, bodies and else branches."""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.rego import codes
from sekisho.rego.check.draft import RuleDraft, Step
from sekisho.rego.check.errors import Stage
from sekisho.rego.check.globals import ROOTS, ModuleNames
from sekisho.rego.check.names import EQ, Resolver
from sekisho.rego.check.program import written_name
from sekisho.rego.check.scope import Occurrence, Scope, all_names, declared_names, needs_evaluation
from sekisho.rego.check.tree import draft_kind, head_steps, rule_path
from sekisho.rego.nodes import (
    ArrayTerm,
    Call,
    Expr,
    ObjectTerm,
    Ref,
    Rule,
    Scalar,
    Term,
    TermExpr,
    Var,
)


class RuleResolver:
    """The resolution of one rule with its else branches, which share its arguments."""

    __slots__ = ("_arguments", "_names", "_pulled", "_rule", "_unused", "fresh", "resolver")

    def __init__(self, names: ModuleNames, rule: Rule) -> None:
        self._names = names
        self._rule = rule
        self.resolver = Resolver(names, rule)
        self.fresh = self.resolver.fresh
        self._arguments = Scope(())
        self._pulled: list[tuple[Var, Term]] = []
        self._unused: set[str] = set()

    def draft(self) -> RuleDraft:
        """The draft of the rule and its else branches. Errors go to the module's."""
        self._names.check_head(self._rule)
        head = self._rule.head
        args: tuple[Term, ...] | None = None
        if head.args:
            args = self._resolve_arguments(head.args)
        if args is None:
            return self._branch(self._rule, None)
        if self._names.strict:
            self._unused = {name for name in self._arguments.kinds if name[0] != "$"}
        draft = self._branch(self._rule, args)
        for name in sorted(self._unused):
            message = f"unused argument {name}. (hint: use _ (wildcard variable) instead)"
            self._names.report(Stage.LOCALS, codes.UNUSED, message, head, "write `_` in its place")
        return draft

    def _branch(self, rule: Rule, args: tuple[Term, ...] | None) -> RuleDraft:
        resolver = self.resolver
        head = rule.head
        scope = self._scope(rule)
        resolver.scopes = [scope]
        resolver.clean = True
        resolver.reads = []
        module = self._names.module
        steps = head_steps(rule)
        path = rule_path(module, rule)
        dynamic = steps[len(path) - len(module.package.path) :]
        draft = RuleDraft(module, rule, path, draft_kind(module, rule))
        draft.args = args
        draft.bound = set(scope.given)
        draft.steps = [self._pull(var, term) for var, term in self._pulled]
        draft.steps += resolver.body(rule.body)
        draft.suffix = [resolver.head(step) for step in dynamic]
        draft.key = None if head.key is None else resolver.head(head.key)
        value = head.value if head.value is not None else Scalar(True, start=head.start, end=head.end)
        draft.value = resolver.head(value)
        draft.reads = resolver.reads
        self._unused -= {name for name in self._unused if scope.counts.get(name, 0) > 1}
        resolver.leave(scope)
        if rule.orelse is not None:
            draft.orelse = self._branch(rule.orelse, args)
        return draft

    def _scope(self, rule: Rule) -> Scope:
        head = rule.head
        heads = [*head_steps(rule)[1:]]
        heads += [term for term in (head.key, head.value) if term is not None]
        arguments = self._arguments
        scope = Scope(rule.body, tuple(heads), declared_names(rule.body) if rule.body else ())
        scope.hidden |= arguments.hidden
        scope.names.update(arguments.names)
        scope.kinds.update(arguments.kinds)
        scope.counts.update(arguments.counts)
        scope.places.update(arguments.places)
        scope.given.update(arguments.given)
        return scope

    # --- arguments ----------------------------------------------------------------------------------------

    def _resolve_arguments(self, args: Iterable[Term]) -> tuple[Term, ...]:
        resolver = self.resolver
        scope = self._arguments
        resolver.scopes = [scope]
        for arg in args:
            scope.hidden.update(all_names(arg))
        resolved: list[Term] = []
        for arg in args:
            new = self._argument(arg)
            if needs_evaluation(new):
                var = Var(resolver.fresh(), start=arg.start, end=arg.end)
                self._pulled.append((var, new))
                new = var
            resolved.append(new)
        for arg in resolved:
            scope.given.update(all_names(arg))
        for _, term in self._pulled:
            self._check_pulled(term)
        return tuple(resolved)

    def _check_pulled(self, term: Term) -> None:
        """Report variables in an argument that must be evaluated: only other arguments bind them."""
        for name in all_names(term):
            if name not in self._arguments.given:
                message = f"var {written_name(name)} is unsafe"
                self._names.report(Stage.SAFE_BODIES, codes.UNSAFE_VAR, message, term)

    def _argument(self, term: Term) -> Term:
        if isinstance(term, Var):
            return self._variable(term)
        if isinstance(term, ArrayTerm):
            return ArrayTerm(tuple(map(self._argument, term.items)), start=term.start, end=term.end)
        if isinstance(term, ObjectTerm):
            pairs = tuple((k, self._argument(v)) for k, v in term.pairs)
            return ObjectTerm(pairs, start=term.start, end=term.end)
        if isinstance(term, Ref):
            head = term.head
            if isinstance(head, Var) and head.name not in ROOTS:
                head = self._variable(head)
            return Ref(head, tuple(map(self._argument, term.path)), start=term.start, end=term.end)
        if isinstance(term, Call):
            message = "rule arguments cannot contain calls"
            self._names.report(Stage.LOCALS, codes.ARGUMENT, message, term, "call it in the body")
            return term
        return term if isinstance(term, Scalar) else self.resolver.term(term)

    def _variable(self, term: Var) -> Var:
        scope = self._arguments
        name = term.name
        if name in ROOTS:
            message = f"args must not shadow {name} (use a different variable name)"
            self._names.report(Stage.RESOLVE, codes.ROOT_SHADOWED, message, self._rule)
            return term
        known = scope.names.get(name)
        if known is not None:
            scope.counts[name] += 1
            return Var(known, start=term.start, end=term.end)
        return self.resolver.declare(term, Occurrence.ARGUMENT, term)

    @staticmethod
    def _pull(var: Var, term: Term) -> Step:
        """An argument that must be evaluated is compared in the body."""
        call = Call(EQ, (var, term), start=term.start, end=term.end)
        names = {name for name in all_names(term) if name not in ROOTS}
        expr = Expr(TermExpr(call, start=term.start, end=term.end), start=term.start, end=term.end)
        return Step(expr, names | {var.name}, [], set())
