"""Heads of rules: what a rule defines, and what each dialect demands of it."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.rego.nodes import (
    ArrayTerm,
    Head,
    ObjectTerm,
    Ref,
    RuleKind,
    Scalar,
    SetTerm,
    Term,
    Var,
)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A head while its rule is being read.

    ``args`` is empty for ``f()``, which OPA takes for the plain rule ``f``. ``implied`` says that the value
    is true because the source has none; ``bodiless`` that there is no body.
    """

    name: Var
    steps: tuple[Term, ...] = ()
    start: int = 0
    end: int = 0
    args: tuple[Term, ...] | None = None
    key: Term | None = None
    value: Term | None = None
    assign: bool = False
    implied: bool = False
    bodiless: bool = False
    has_if: bool = False
    has_contains: bool = False

    @property
    def many(self) -> bool:
        """Whether this is a head of a partial set."""
        return self.value is None and not self.implied

    @property
    def word(self) -> str:
        """What messages call such a rule."""
        return "function" if self.args else "rule"

    def kind(self) -> RuleKind:
        """What it defines, as OPA's compiler sees it."""
        if self.args:
            return RuleKind.FUNCTION
        if self.many:
            return RuleKind.SET
        if all(map(is_constant, self.steps)):
            return RuleKind.COMPLETE
        return RuleKind.OBJECT

    def head(self) -> Head:
        """The finished head."""
        ref: Var | Ref = self.name
        if self.steps:
            ref = Ref(self.name, self.steps, start=self.name.start, end=self.steps[-1].end)
        return Head(
            ref,
            self.kind(),
            self.args or None,
            self.key if self.many else None,
            self.value,
            self.assign,
            start=self.start,
            end=self.end,
        )


def is_constant(term: Term) -> bool:
    """Whether a term is a value: no variable, reference, call or comprehension anywhere in it."""
    if isinstance(term, Scalar):
        return True
    if isinstance(term, (ArrayTerm, SetTerm)):
        return all(map(is_constant, term.items))
    if isinstance(term, ObjectTerm):
        return all(is_constant(k) and is_constant(v) for k, v in term.pairs)
    return False


def is_ground(term: Term) -> bool:
    """Whether no variable stands in a term, comprehensions and calls apart."""
    if isinstance(term, Var):
        return False
    if isinstance(term, Ref):
        return all(map(is_ground, term.path))
    if isinstance(term, (ArrayTerm, SetTerm)):
        return all(map(is_ground, term.items))
    if isinstance(term, ObjectTerm):
        return all(is_ground(k) and is_ground(v) for k, v in term.pairs)
    return True
