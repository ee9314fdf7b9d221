"""Safety: an order of each body in which every variable is bound before it is needed.

Expressions come as soon as they are safe, in the order written otherwise. Whole expressions are tried first;
where they do not suffice, the calls in them become expressions of their own, which is OPA's algorithm and
decides what is unsafe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from sekisho.rego import codes
from sekisho.rego.check.bindings import CLOSING, Arity, expr_vars, outputs, term_vars
from sekisho.rego.check.draft import Captures, Closure, RuleDraft, Step
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.check.flatten import apart, equation, lift, negated
from sekisho.rego.check.program import Rule, written_name
from sekisho.rego.check.scope import needs_evaluation
from sekisho.rego.lexer import SOFT_KEYWORDS
from sekisho.rego.nodes import (
    ArrayComp,
    Body,
    Call,
    Every,
    Expr,
    Module,
    Node,
    NotBody,
    ObjectComp,
    SetComp,
    Term,
    Var,
)

_Unsafe = list[tuple[Node, set[str]]]


class Orderer:
    """Orders the bodies of one rule. ``fresh`` makes names, ``arity`` knows the functions."""

    __slots__ = ("_arity", "_closures", "_errors", "_fresh", "_module", "unsafe")

    def __init__(self, module: Module, errors: Errors, arity: Arity, fresh: Callable[[], str]) -> None:
        self._module = module
        self._errors = errors
        self._arity = arity
        self._fresh = fresh
        self._closures: dict[int, Closure] = {}
        self.unsafe: _Unsafe = []

    # --- rules --------------------------------------------------------------------------------------------

    def rule(self, draft: RuleDraft) -> Rule:
        """The finished rule, with its else branches."""
        heads = [*draft.suffix]
        if draft.key is not None:
            heads.append(draft.key)
        assert draft.value is not None
        heads.append(draft.value)
        self._check_heads(draft, heads)
        body, terms = self.body(draft.steps, set(draft.bound), heads)
        self.report()
        count = len(draft.suffix)
        orelse = None if draft.orelse is None else self.rule(draft.orelse)
        return Rule(
            module=draft.module,
            node=draft.node,
            path=draft.path,
            kind=draft.kind,
            suffix=tuple(terms[:count]),
            args=draft.args,
            key=terms[count] if draft.key is not None else None,
            value=terms[-1],
            body=body,
            orelse=orelse,
            default=draft.node.default,
        )

    def _check_heads(self, draft: RuleDraft, heads: Iterable[Step]) -> None:
        """Report variables of the head that occur nowhere in the body."""
        known: set[str] | None = None
        told: set[str] = set()
        for head in heads:
            if head.vars <= draft.bound:
                continue
            if known is None:
                known = _level(draft.steps, heads) | draft.bound
            if needs_evaluation(head.term):
                continue
            missing = head.vars - known - told
            told |= missing
            for name in sorted(missing):
                self._report(Stage.SAFE_HEADS, name, _find(head.term, name), "")

    def report(self) -> None:
        """Report the unsafe variables found so far, each where it stands first."""
        places: dict[str, Node] = {}
        for node, names in self.unsafe:
            for name in names:
                if name not in places or node.start < places[name].start:
                    places[name] = node
        told = False
        for name, node in sorted(places.items(), key=lambda pair: pair[1].start):
            if written_name(name):
                told = True
                self._report(Stage.SAFE_BODIES, name, node, _advice(node, name))
        if places and not told:
            for node in {id(node): node for node in places.values()}.values():
                at = (self._module, node)
                self._errors.add(Stage.SAFE_BODIES, codes.UNSAFE_VAR, "expression is unsafe", at)
        self.unsafe = []

    def _report(self, stage: Stage, name: str, node: Node, help: str) -> None:
        written = written_name(name)
        message = f"var {written} is unsafe"
        if written in SOFT_KEYWORDS:
            message += f" (hint: `import future.keywords.{written}` to import a future keyword)"
        self._errors.add(stage, codes.UNSAFE_VAR, message, (self._module, node), help=help)

    # --- bodies -------------------------------------------------------------------------------------------

    def body(self, steps: list[Step], bound: set[str], heads: list[Step]) -> tuple[Body, list[Term]]:
        """The ordered body, and the head terms to evaluate after it. ``bound`` grows by what it binds."""
        given = set(bound)
        found = len(self.unsafe)
        ordered = self._whole(steps, bound, heads)
        if ordered is not None and all(head.vars <= bound for head in heads):
            self._close_heads(heads, bound, steps)
            return tuple(ordered), [head.term for head in heads]
        del self.unsafe[found:]
        terms: list[Term] = []
        steps = list(steps)
        for head in heads:
            if needs_evaluation(head.term) and not head.vars <= given:
                var = Var(self._fresh(), start=head.term.start, end=head.term.end)
                made = equation(var, head.term, head.term)
                steps.append(Step(made, head.vars | {var.name}, head.closures, head.inner))
                terms.append(var)
            else:
                terms.append(head.term)
        bound.clear()
        bound |= given
        ordered = self._whole(steps, bound, heads)
        if ordered is None:
            del self.unsafe[found:]
            bound.clear()
            bound |= given
            ordered = self._flat(steps, bound)
        for head, term in zip(heads, terms, strict=True):
            if term is head.term:
                self._close_heads([head], bound, steps)
        return tuple(ordered), terms

    def _close_heads(self, heads: Iterable[Step], bound: set[str], steps: list[Step]) -> None:
        level: set[str] | None = None
        for head in heads:
            if head.closures:
                if level is None:
                    level = _level(steps, heads)
                self._close_all(head, bound, level)

    def _whole(self, steps: list[Step], bound: set[str], heads: Iterable[Step]) -> list[Expr] | None:
        """An order of whole expressions; None if there is none."""
        level: set[str] = set()
        for step in steps:
            if step.inner:
                level = _level(steps, heads)
                break

        def place(step: Step) -> list[Expr] | None:
            expr = step.expr
            if step.vars <= bound:
                self._close_all(step, bound, level)
                return negated(expr, self._fresh) if _is_negation(expr) else [expr]
            near = bound & step.vars
            made = outputs(expr, near, self._arity, nested=True)
            if made is None or not step.vars - near <= made:
                return None
            self._close_all(step, bound, level)
            return lift(expr, near, self._fresh)

        ordered, waiting = _schedule(steps, bound, level, place)
        return None if waiting else ordered

    def _flat(self, steps: list[Step], bound: set[str]) -> list[Expr]:
        """OPA's order of the body with its calls taken apart; what is unsafe goes to ``unsafe``."""
        for step in steps:
            self._register(step.closures)
        flat: list[Step] = []
        for step in steps:
            flat += [self._step(expr) for expr in self._apart(step.expr)]
        level = _level(flat, ())

        def place(step: Step) -> list[Expr] | None:
            expr = step.expr
            near = bound & step.vars
            made = outputs(expr, near, self._arity, nested=False) or set()
            if not step.vars - near <= made:
                return None
            self._close_all(step, bound, level)
            return negated(expr, self._fresh) if _is_negation(expr) else lift(expr, near, self._fresh)

        ordered, waiting = _schedule(flat, bound, level, place)
        self._note_unsafe(waiting, bound, level)
        return ordered

    def _note_unsafe(self, waiting: list[Step], bound: set[str], level: set[str]) -> None:
        for step in waiting:
            made = outputs(step.expr, bound & step.vars, self._arity, nested=False) or set()
            missing = (step.vars - bound - made) | ((step.inner & level) - bound)
            self.unsafe.append((step.expr, missing))

    def _apart(self, expr: Expr) -> list[Expr]:
        made = apart(expr, self._fresh)
        if isinstance(expr.statement, Every):
            self._closures[id(made[-1].statement)] = self._closures[id(expr.statement)]
        return made

    def _register(self, closures: Iterable[Closure]) -> None:
        for closure in closures:
            self._closures[id(closure.node)] = closure

    def _step(self, expr: Expr) -> Step:
        """What an expression made by taking another apart mentions."""
        closures: list[Closure] = []
        statement = expr.statement
        if isinstance(statement, (Every, NotBody)):
            closures.append(self._closures[id(statement)])
        for term in _terms(expr):
            self._find_closures(term, closures)
        inner: set[str] = set()
        for closure in closures:
            inner |= closure.all_vars()
        names = expr_vars(expr)
        if isinstance(statement, NotBody):
            for step in closures[0].implicit():
                names |= step.vars
        return Step(expr, names, closures, inner)

    def _find_closures(self, term: Term, found: list[Closure]) -> None:
        if isinstance(term, CLOSING):
            found.append(self._closures[id(term)])
            return
        for part in _parts(term):
            self._find_closures(part, found)

    # --- closures -----------------------------------------------------------------------------------------

    def _close_all(self, step: Step, bound: set[str], level: set[str]) -> None:
        """Order the bodies inside an expression that comes next."""
        for closure in step.closures:
            self._close(closure, bound, level, step.expr)

    def _close(self, closure: Closure, bound: set[str], level: set[str], at: Expr) -> None:
        if isinstance(closure.node, Every) and isinstance(at.statement, Every):
            closure.node = at.statement
        node = closure.node
        if closure.captures is not None:
            self._check_captures(closure.captures, bound, level)
        inside = (bound & closure.all_vars()) | set(closure.declares)
        for head in closure.heads:
            if not head.vars <= inside and not needs_evaluation(head.term):
                missing = head.vars - inside - _level(closure.steps, closure.heads)
                if missing:
                    self.unsafe.append((at, missing))
        body, terms = self.body(closure.steps, inside, closure.heads)
        node.body = body
        if isinstance(node, ObjectComp):
            node.key, node.value = terms
        elif isinstance(node, (ArrayComp, SetComp)):
            node.term = terms[0]

    def _check_captures(self, captures: Captures, bound: set[str], level: set[str]) -> None:
        stage, unknown = Stage.TEMPLATES, captures.vars - bound - level
        if captures.known is not None:
            stage, unknown = Stage.PRINT, captures.vars - captures.known
        for name in sorted(unknown):
            if written_name(name):
                message = f"var {written_name(name)} is undeclared"
                at = (self._module, captures.node)
                self._errors.add(stage, codes.UNDECLARED, message, at)


def _schedule(
    steps: list[Step], bound: set[str], level: set[str], place: Callable[[Step], list[Expr] | None]
) -> tuple[list[Expr], list[Step]]:
    """The expressions in an order in which each can be placed, and the steps that cannot be.

    As if all steps were tried in turn, again and again; but a step is tried again only when a variable that
    it waits for has become bound. ``bound`` grows by what is placed.
    """
    ordered: list[Expr] = []
    waits: dict[str, list[int]] = {}
    open: set[int] = set()
    queue = [(0, i) for i in range(len(steps))]
    while queue:
        turn, i = heappop(queue)
        step = steps[i]
        missing = (step.inner & level) - bound if step.inner else None
        made = None if missing else place(step)
        if made is None:
            if turn == 0 and i not in open:
                open.add(i)
                for name in (step.vars - bound) | (missing or set()):
                    waits.setdefault(name, []).append(i)
            continue
        ordered += made
        open.discard(i)
        if step.vars <= bound:
            continue
        woken = {j for name in step.vars - bound for j in waits.pop(name, ()) if j in open}
        bound |= step.vars
        for j in woken:
            heappush(queue, (turn if j > i else turn + 1, j))
    return ordered, [steps[i] for i in sorted(open)]


def _is_negation(expr: Expr) -> bool:
    return expr.negated or isinstance(expr.statement, NotBody)


def _level(steps: Iterable[Step], heads: Iterable[Step]) -> set[str]:
    """The variables of a body outside its closures, with those of heads that are evaluated."""
    found: set[str] = set()
    for step in steps:
        found |= step.vars
    for head in heads:
        if needs_evaluation(head.term):
            found |= head.vars
    return found


def _terms(expr: Expr) -> Iterable[Term]:
    statement = expr.statement
    for name in ("term", "key", "value", "domain"):
        part = getattr(statement, name, None)
        if part is not None:
            yield part
    for one in expr.withs:
        yield one.value


def _parts(term: Term) -> Iterable[Term]:
    """The terms directly inside a term that is no closure."""
    for name in ("head", "path", "items", "args"):
        part = getattr(term, name, None)
        if isinstance(part, tuple):
            yield from part
        elif part is not None:
            yield part
    for pair in getattr(term, "pairs", ()):
        yield from pair


def _find(term: Term, name: str) -> Node:
    """The first place of a variable in a term."""
    if isinstance(term, Var):
        return term
    for part in _parts(term):
        if name in term_vars(part):
            return _find(part, name)
    return term


def _advice(node: Node, name: str) -> str:
    """How an unsafe variable can be bound."""
    if isinstance(node, Expr) and (node.negated or isinstance(node.statement, NotBody)):
        return (
            f"nothing inside `not` binds `{written_name(name)}`: bind it in a positive expression of the body"
        )
    if isinstance(node, Expr) and isinstance(getattr(node.statement, "term", None), Call):
        return f"bind `{written_name(name)}` first, with `some … in`, `:=` or a reference"
    return ""
