"""Rules between name resolution and ordering: expressions with what they mention."""

from __future__ import annotations

from sekisho.rego.nodes import (
    ArrayComp,
    Every,
    Expr,
    Module,
    NotBody,
    ObjectComp,
    Ref,
    RuleKind,
    SetComp,
    Term,
    TermExpr,
    Var,
)
from sekisho.rego.nodes import Rule as RuleNode

Closing = ArrayComp | SetComp | ObjectComp | Every | NotBody


class Step:
    """A resolved expression: the variables outside its closures, its closures, the variables in those."""

    __slots__ = ("closures", "expr", "inner", "vars")

    def __init__(self, expr: Expr, vars: set[str], closures: list[Closure], inner: set[str]) -> None:
        self.expr = expr
        self.vars = vars
        self.closures = closures
        self.inner = inner

    @property
    def term(self) -> Term:
        """The term, where the expression is one."""
        statement = self.expr.statement
        assert isinstance(statement, TermExpr)
        return statement.term


class Closure:
    """A comprehension, or the body of ``every`` or ``not``; its node gets its body once that is ordered.

    ``heads`` are the terms of a comprehension, ``declares`` the variables of ``every``. ``captures`` are
    variables that must come from outside (in what ``print`` and template strings evaluate), with their node.
    """

    __slots__ = ("captures", "declares", "heads", "node", "promoted", "steps")

    def __init__(self, node: Closing, steps: list[Step], heads: list[Step]) -> None:
        self.node = node
        self.steps = steps
        self.heads = heads
        self.declares: tuple[str, ...] = ()
        self.captures: Captures | None = None
        self.promoted = False

    def implicit(self) -> list[Step]:
        """The expression of a ``not`` without braces, whose variables belong to the body around it."""
        return self.steps if self.promoted else []

    def all_vars(self) -> set[str]:
        """Every variable inside, at any depth."""
        found: set[str] = set()
        for step in self.steps:
            found |= step.vars
            found |= step.inner
        for step in self.heads:
            found |= step.vars
            found |= step.inner
        return found


class Captures:
    """What an operand of ``print`` (or else of a template string) takes from the body around it.

    ``known`` are the variables that occur before it in that body, where it is an operand of ``print``.
    """

    __slots__ = ("known", "node", "vars")

    def __init__(self, node: Term, vars: set[str], known: frozenset[str] | None) -> None:
        self.node = node
        self.vars = vars
        self.known = known


class RuleDraft:
    """A resolved rule whose body is not ordered yet; ``reads`` are its references to data."""

    __slots__ = (
        "args",
        "bound",
        "key",
        "kind",
        "module",
        "node",
        "orelse",
        "path",
        "reads",
        "steps",
        "suffix",
        "value",
    )

    def __init__(self, module: Module, node: RuleNode, path: tuple[str, ...], kind: RuleKind) -> None:
        self.module = module
        self.node = node
        self.path = path
        self.kind = kind
        self.args: tuple[Term, ...] | None = None
        self.bound: set[str] = set()
        self.suffix: list[Step] = []
        self.key: Step | None = None
        self.value: Step | None = None
        self.steps: list[Step] = []
        self.reads: list[Ref | Var] = []
        self.orelse: RuleDraft | None = None
