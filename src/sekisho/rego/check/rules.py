"""The resolution of whole rules: arguments, heads, bodies and else branches."""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.rego import codes
from sekisho.rego.check.draft import RuleDraft, Step
from sekisho.rego.check.errors import Stage
from sekisho.rego.check.flatten import equation
from sekisho.rego.check.globals import ROOTS, ModuleNames
from sekisho.rego.check.names import Resolver
from sekisho.rego.check.program import written_name
from sekisho.rego.check.scope import Occurrence, Scope, all_names, declared_names, needs_evaluation
from sekisho.rego.check.tree import draft_kind, head_steps, rule_path
from sekisho.rego.nodes import (
    ArrayTerm,
    Call,
    ObjectTerm,
    Ref,
    Rule,
    Scalar,
    Term,
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
        self._pulled: list[Step] = []
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
        draft.steps = list(self._pulled)
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
        """The patterns of the arguments; what must be evaluated is compared in the body instead."""
        resolver = self.resolver
        scope = self._arguments
        resolver.scopes = [scope]
        evaluated = [needs_evaluation(arg) and not _is_root(arg) for arg in args]
        for arg in args:
            scope.hidden.update(all_names(arg))
        resolved = [arg if late else self._pattern(arg) for arg, late in zip(args, evaluated, strict=True)]
        for arg, late in zip(resolved, evaluated, strict=True):
            if not late:
                scope.given.update(all_names(arg))
        for i, arg in enumerate(args):
            if evaluated[i]:
                resolved[i] = self._pull(arg)
        return tuple(resolved)

    def _pattern(self, term: Term) -> Term:
        if isinstance(term, Var):
            return self._variable(term)
        if isinstance(term, ArrayTerm):
            return ArrayTerm(tuple(map(self._pattern, term.items)), start=term.start, end=term.end)
        if isinstance(term, ObjectTerm):
            pairs = tuple((k, self._pattern(v)) for k, v in term.pairs)
            return ObjectTerm(pairs, start=term.start, end=term.end)
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

    def _pull(self, term: Term) -> Var:
        """The variable that stands for an argument to evaluate, in which only other arguments bind."""
        if isinstance(term, Call):
            message = "rule arguments cannot contain calls"
            self._names.report(Stage.LOCALS, codes.ARGUMENT, message, term, "call it in the body")
        step = self.resolver.head(term)
        var = Var(self.resolver.fresh(), start=term.start, end=term.end)
        given = self._arguments.given
        unbound = step.vars - given
        if isinstance(term, Ref) and isinstance(term.head, Var) and term.head.name in ROOTS:
            unbound.add(term.head.name)
        for name in unbound:
            message = f"var {written_name(name)} is unsafe"
            self._names.report(Stage.SAFE_BODIES, codes.UNSAFE_VAR, message, term)
        given.add(var.name)
        made = equation(var, step.term, term)
        self._pulled.append(Step(made, step.vars | {var.name}, step.closures, step.inner))
        return var


def _is_root(term: Term) -> bool:
    return isinstance(term, Var) and term.name in ROOTS
