"""The tree of rule groups: which paths below ``data`` rules define, and how their definitions group.

All rules of one path make a *group*, planned and compiled as one function. A rule whose reference has a
dynamic step (``p[x]``, ``p.q[r].s``) belongs to the group of the path before that step; rules below such a
path (``p.q.t := 1``) contribute to the same object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sekisho.rego.check.program import Rule, TreeNode
from sekisho.rego.nodes import RuleKind, Scalar, Term
from sekisho.rego.plan.ir import Form
from sekisho.rego.tree import Node, Path


@dataclass(frozen=True, slots=True)
class Definition:
    """One rule in its group, and the steps of its reference below the group's path."""

    rule: Rule
    steps: tuple[Term, ...]


@dataclass(slots=True)
class RuleTree:
    """The groups by number, and the tree that finds them. ``arities`` are -1 where there is no function."""

    root: Node = field(default_factory=Node)
    paths: list[Path] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    arities: list[int] = field(default_factory=list)
    packages: list[tuple[str, ...]] = field(default_factory=list)
    definitions: list[list[Definition]] = field(default_factory=list)

    def group(self, path: Path) -> int:
        """The number of the group whose path this is, or -1."""
        node = self.root.find(path)
        return -1 if node is None else node.group

    def below(self, path: Path) -> Iterator[int]:
        """The groups at and below a path."""
        node = self.root.find(path)
        stack = [node] if node is not None else []
        while stack:
            node = stack.pop()
            if node.group >= 0:
                yield node.group
            stack.extend(node.children.values())


def build(root: TreeNode, packages: Iterable[tuple[str, ...]]) -> RuleTree:
    """The groups of a checked tree. Packages are in the tree even if they have no rules."""
    found = [
        (path, Definition(rule, steps))
        for node in root.below()
        for rule in (*node.rules, *([node.default] if node.default is not None else ()))
        for path, steps in (_split(node.path, rule.suffix),)
    ]
    dynamic = {path for path, definition in found if definition.steps}
    groups: dict[Path, list[Definition]] = {}
    for path, definition in found:
        home = next((path[:length] for length in range(len(path)) if path[:length] in dynamic), path)
        fixed = map(Scalar, path[len(home) :])
        groups.setdefault(home, []).append(Definition(definition.rule, (*fixed, *definition.steps)))
    tree = RuleTree()
    for path in sorted(groups, key=_order):
        _insert(tree, path, Form.OBJECT if path in dynamic else _form(groups[path]), groups[path])
    tree.packages = sorted(packages)
    for package in tree.packages:
        tree.root.add(package)
    return tree


def _split(path: tuple[str, ...], suffix: tuple[Term, ...]) -> tuple[Path, tuple[Term, ...]]:
    """The ground beginning of a reference, numbers included, and its steps from the first dynamic one on."""
    fixed: list[str | int] = []
    for step in suffix:
        if not isinstance(step, Scalar) or type(step.value) not in (str, int):
            break
        fixed.append(step.value)
    return (*path, *fixed), suffix[len(fixed) :]


def _order(path: Path) -> list[tuple[bool, str | int]]:
    return [(isinstance(step, str), step) for step in path]


def _form(definitions: list[Definition]) -> Form:
    kinds = {definition.rule.kind for definition in definitions}
    if RuleKind.FUNCTION in kinds:
        return Form.FUNCTION
    return Form.SET if RuleKind.SET in kinds else Form.COMPLETE


def _insert(tree: RuleTree, path: Path, form: Form, definitions: list[Definition]) -> None:
    tree.root.add(path).group = len(tree.paths)
    tree.paths.append(path)
    tree.forms.append(form)
    tree.arities.append(len(definitions[0].rule.args or ()) if form is Form.FUNCTION else -1)
    tree.definitions.append(definitions)
