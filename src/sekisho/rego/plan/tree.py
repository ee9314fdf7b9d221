"""The tree of rules: which paths below ``data`` are defined by rules, and how their definitions group.

All rules of one path make a *group*, planned and compiled as one function. A rule whose reference has a dynamic
step (``p[x]``, ``p.q[r].s``) belongs to the group of the path before that step; rules below such a path
(``p.q.t := 1``) contribute to the same object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sekisho.rego.nodes import Module, Ref, Rule, RuleKind, Scalar, Term, Var
from sekisho.rego.plan.ir import Form

Path = tuple[str, ...]


@dataclass(slots=True)
class Definition:
    """One rule in its group: the steps of its reference below the group's path, and its module's number."""

    module: int
    rule: Rule
    steps: tuple[Term, ...]


@dataclass(slots=True)
class Node:
    """A path: its group's number if rules define it, and the paths below it."""

    group: int = -1
    children: dict[str, Node] = field(default_factory=dict)


@dataclass(slots=True)
class RuleTree:
    """The groups in the order of their paths, and the tree that finds them."""

    root: Node = field(default_factory=Node)
    paths: list[Path] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    definitions: list[list[Definition]] = field(default_factory=list)

    def find(self, path: Path) -> Node | None:
        """The node at a path, or None."""
        node: Node | None = self.root
        for step in path:
            if node is None:
                return None
            node = node.children.get(step)
        return node

    def group(self, path: Path) -> int:
        """The number of the group whose path this is, or -1."""
        node = self.find(path)
        return -1 if node is None else node.group

    def below(self, path: Path) -> Iterator[int]:
        """The groups at and below a path."""
        node = self.find(path)
        stack = [node] if node is not None else []
        while stack:
            node = stack.pop()
            if node.group >= 0:
                yield node.group
            stack.extend(node.children.values())


def build(modules: Iterable[Module]) -> RuleTree:
    """The tree of all rules of these modules."""
    found: list[tuple[Path, Definition]] = []
    dynamic: set[Path] = set()
    for number, module in enumerate(modules):
        for rule in module.rules:
            path, steps = _split(module.package.path, rule)
            found.append((path, Definition(number, rule, steps)))
            if steps:
                dynamic.add(path)
    groups: dict[Path, list[Definition]] = {}
    for path, definition in found:
        home = _home(path, dynamic)
        if len(home) < len(path):
            extra = tuple(Scalar(step) for step in path[len(home) :])
            definition.steps = (*extra, *definition.steps)
        groups.setdefault(home, []).append(definition)
    tree = RuleTree()
    for path in sorted(groups):
        _insert(tree, path, groups[path], path in dynamic)
    return tree


def _split(package: Path, rule: Rule) -> tuple[Path, tuple[Term, ...]]:
    ref = rule.head.ref
    if isinstance(ref, Var):
        return (*package, ref.name), ()
    assert isinstance(ref.head, Var)
    steps = ref.path
    fixed = 0
    while fixed < len(steps) and _constant(steps[fixed]) is not None:
        fixed += 1
    names = [step for step in map(_constant, steps[:fixed]) if step is not None]
    return (*package, ref.head.name, *names), steps[fixed:]


def _constant(term: Term) -> str | None:
    return term.value if isinstance(term, Scalar) and isinstance(term.value, str) else None


def _home(path: Path, dynamic: set[Path]) -> Path:
    for length in range(1, len(path)):
        if path[:length] in dynamic:
            return path[:length]
    return path


def _insert(tree: RuleTree, path: Path, definitions: list[Definition], dynamic: bool) -> None:
    node = tree.root
    for step in path:
        node = node.children.setdefault(step, Node())
    node.group = len(tree.paths)
    kinds = {d.rule.head.kind for d in definitions}
    if RuleKind.FUNCTION in kinds:
        form = Form.FUNCTION
    elif dynamic:
        form = Form.OBJECT
    elif RuleKind.SET in kinds:
        form = Form.SET
    else:
        form = Form.COMPLETE
    tree.paths.append(path)
    tree.forms.append(form)
    tree.definitions.append(definitions)


def head_name(ref: Var | Ref) -> str:
    """The first step of a rule's reference."""
    head = ref if isinstance(ref, Var) else ref.head
    assert isinstance(head, Var)
    return head.name
