"""What the checks hand to the planner: a rule tree whose rules are resolved, renamed, ordered and typed.

In every term and body below:

- A ``Var`` is ``input``, ``data`` or a variable of the rule. Variables are unique in their rule: declared
  ones and those of closures are renamed (``x~1``), wildcards are ``$0``, undeclared ones keep their name,
  made ones are ``~2``. ``written_name`` gives the name to show.
- A reference to a rule, an import or a package is absolute: a ``Ref`` whose head is ``Var("data")`` or
  ``Var("input")``, ground steps being ``Scalar``s. A reference without steps is the bare ``Var``.
- ``Call.name`` is ``Var(name)`` for a built-in, dots included (``Var("io.jwt.decode")``), and a ``Ref`` from
  ``data`` for a function. ``:=`` is a call of ``eq`` with infix ``:=``; its operands unify like those of
  ``=``.
- ``SomeDecl`` is gone. ``print(a, b)`` is ``internal.print([{t | t = a}, {t | t = b}])`` or gone, a template
  string is ``internal.template_string([part, …])``, each as OPA has it.
- A ``With`` whose target is a function is a ``FunctionWith``.

In an ordered body, when an expression's turn comes, every variable in it is bound by an expression before it,
or is unbound and stands where it can be bound: a step of a reference, either side of ``eq`` (at any depth of
array and object values), the key or value of ``some … in``, or a call's extra last operand (the one past its
arity, which takes the result). Variables in operands of calls, in ``not``, in a comprehension or ``every``
from outside it, and in values of ``with``, are always bound before. The same holds of a head after its body:
all its variables are bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sekisho.diag import Diagnostic
from sekisho.rego.nodes import Body, Expr, Module, Ref, RuleKind, Term, Var, With
from sekisho.rego.nodes import Rule as RuleNode
from sekisho.rego.types import ANY, Type

SEPARATOR = "~"
"""What stands between a written name and the number that makes it unique; no source can contain it there."""


def written_name(name: str) -> str:
    """The variable's name as the source has it; ``_`` for a wildcard."""
    if name.startswith("$"):
        return "_"
    return name.partition(SEPARATOR)[0]


@dataclass(slots=True)
class FunctionWith(With):
    """``with f as v`` where ``f`` is a function or a built-in.

    ``replacement`` is the function called instead, named like ``Call.name``; where it is None, every call
    gives ``value`` (which has no variables that are unbound).
    """

    replacement: Var | Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A checked rule, or one link of an else chain.

    ``path`` is the ground beginning of its reference below ``data``: the node of the tree that holds it.
    ``suffix`` is the rest: for ``p[x].q`` in package ``a`` the path is ``("a", "p")`` and the suffix
    ``(x, "q")``. ``args`` are patterns that the call's operands unify with; ``key`` is the element of a
    partial set (None otherwise), ``value`` the value (true where none is written; for a set not used).
    Where evaluating ``suffix``, ``key`` or ``value`` is undefined, the rule gives nothing, and its ``orelse``
    is tried. ``node`` is the rule as parsed.
    """

    module: Module
    node: RuleNode
    path: tuple[str, ...]
    kind: RuleKind
    suffix: tuple[Term, ...] = ()
    args: tuple[Term, ...] | None = None
    key: Term | None = None
    value: Term
    body: Body = ()
    orelse: Rule | None = None
    default: bool = False

    def chain(self) -> Iterator[Rule]:
        """This rule and its else branches, in order."""
        rule: Rule | None = self
        while rule is not None:
            yield rule
            rule = rule.orelse


@dataclass(slots=True, kw_only=True)
class TreeNode:
    """A path below ``data`` at which there are rules, or rules below it. Immutable once checked.

    ``rules`` are those whose ground path ends here, in the order of modules and sources, without the
    default rule, which is ``default``. ``kind`` is None where there are no rules; it is ``OBJECT`` as soon as
    one rule has a suffix (then a rule itself may be a set: ``p[x] contains y``). ``arity`` is that of a
    function. ``type`` is the type of the document, or a ``types.Function``.
    """

    path: tuple[str, ...]
    kind: RuleKind | None = None
    children: dict[str, TreeNode] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    default: Rule | None = None
    arity: int | None = None
    type: Type = ANY

    def find(self, path: tuple[str, ...]) -> TreeNode | None:
        """The node at this path below this one."""
        node: TreeNode | None = self
        for step in path:
            if node is None:
                return None
            node = node.children.get(step)
        return node

    def below(self) -> Iterator[TreeNode]:
        """This node and all below it that have rules, parents first."""
        if self.rules or self.default is not None:
            yield self
        for child in self.children.values():
            yield from child.below()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Modules that passed every check. ``order`` lists the nodes with rules, each after those it depends on.

    ``packages`` has the path of every package, even of those without rules. ``warnings`` are findings that
    forbid nothing.
    """

    modules: tuple[Module, ...]
    tree: TreeNode
    order: tuple[TreeNode, ...]
    packages: frozenset[tuple[str, ...]]
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedQuery:
    """A query that passed every check against a Checked program.

    ``body`` is ordered like a rule's. An expression whose value the result shows is an ``eq`` of a fresh
    variable and the term (under the same ``with``), so that false is shown as well. ``expressions`` has, in
    the order of evaluation, each expression as parsed and the name of that variable, or None where the value
    is true (``x = 1``, ``x := 1``, ``some``, ``not``, ``every``). ``variables`` are those whose values
    the result shows as bindings: name in ``body`` to name in the query, in the order of first occurrence.
    """

    module: Module
    body: Body
    variables: Mapping[str, str]
    expressions: tuple[tuple[Expr, str | None], ...] = ()
