"""Dependencies between rules: the order in which they can be typed, and rules that depend on themselves."""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.rego import codes
from sekisho.rego.check.draft import RuleDraft
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.check.program import TreeNode
from sekisho.rego.check.tree import rule_text
from sekisho.rego.nodes import Ref, Scalar, Var

Drafts = dict[tuple[str, ...], list[RuleDraft]]
"""The drafts of each node, else branches within them."""


class Dependencies:
    """Which nodes of the rule tree each rule may read."""

    __slots__ = ("_drafts", "_errors", "_nodes", "_root")

    def __init__(self, root: TreeNode, drafts: Drafts, errors: Errors) -> None:
        self._root = root
        self._drafts = drafts
        self._errors = errors
        self._nodes: dict[tuple[str, ...], set[tuple[str, ...]]] = {}

    def order(self) -> tuple[TreeNode, ...]:
        """The nodes with rules, each after those it depends on. Errors, if a rule depends on itself."""
        for path, drafts in self._drafts.items():
            read: set[tuple[str, ...]] = set()
            for draft in _branches(drafts):
                read |= self._reached(draft.reads)
            self._nodes[path] = read
        ordered: list[tuple[str, ...]] = []
        state: dict[tuple[str, ...], bool] = {}
        cyclic = False
        for start in self._nodes:
            if start in state:
                continue
            state[start] = False
            stack = [(start, iter(sorted(self._nodes[start])))]
            while stack:
                path, following = stack[-1]
                for other in following:
                    if other not in state:
                        state[other] = False
                        stack.append((other, iter(sorted(self._nodes[other]))))
                        break
                    cyclic = cyclic or not state[other]
                else:
                    stack.pop()
                    state[path] = True
                    ordered.append(path)
        if cyclic:
            self._report()
        found = [self._root.find(path) for path in ordered]
        return tuple(node for node in found if node is not None)

    def _reached(self, reads: Iterable[Ref | Var]) -> set[tuple[str, ...]]:
        found: set[tuple[str, ...]] = set()
        for read in reads:
            steps = read.path if isinstance(read, Ref) else ()
            self._walk(self._root, [_name(step) for step in steps], found)
        return found

    def _walk(self, node: TreeNode, steps: list[str | None], found: set[tuple[str, ...]]) -> None:
        """Collect the nodes that a reference from ``node`` may reach; a step of None may be any."""
        for i, step in enumerate(steps):
            if step is None:
                for child in node.children.values():
                    if child.kind is not None:
                        found.add(child.path)
                    self._walk(child, steps[i + 1 :], found)
                return
            following = node.children.get(step)
            if following is None:
                return
            node = following
            if node.kind is not None:
                found.add(node.path)
        found.update(below.path for below in _below(node))

    # --- errors -------------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Report each rule from which a way leads back to it."""
        rules = [draft for drafts in self._drafts.values() for draft in _branches(drafts)]
        by_path: dict[tuple[str, ...], list[RuleDraft]] = {}
        for rule in rules:
            by_path.setdefault(rule.path, []).append(rule)
        edges = {
            id(rule): [other for path in sorted(self._reached(rule.reads)) for other in by_path[path]]
            for rule in rules
        }
        for rule in rules:
            way = _way_back(rule, edges)
            if way:
                texts = [rule_text(one.module, one.node) for one in way]
                message = f"rule {texts[0]} is recursive: {' -> '.join(texts)}"
                self._errors.add(
                    Stage.RECURSION,
                    codes.RECURSION,
                    message,
                    (rule.module, rule.node),
                    help="a rule cannot use its own value; for walks through documents there are "
                    "`walk` and `graph.reachable`",
                )


def _branches(drafts: Iterable[RuleDraft]) -> Iterable[RuleDraft]:
    for draft in drafts:
        one: RuleDraft | None = draft
        while one is not None:
            yield one
            one = one.orelse


def _below(node: TreeNode) -> Iterable[TreeNode]:
    if node.kind is not None:
        yield node
    for child in node.children.values():
        yield from _below(child)


def _name(step: object) -> str | None:
    if not isinstance(step, Scalar):
        return None
    return step.value if isinstance(step.value, str) else ""


def _way_back(rule: RuleDraft, edges: dict[int, list[RuleDraft]]) -> list[RuleDraft]:
    """A shortest way from a rule to itself, both ends included; empty if there is none."""
    came: dict[int, tuple[RuleDraft, RuleDraft]] = {}
    queue = [rule]
    for at in queue:
        for other in edges[id(at)]:
            if other is rule:
                way = [rule, at]
                while way[-1] is not rule:
                    way.append(came[id(way[-1])][1])
                if at is rule:
                    way = [rule, rule]
                return way[::-1]
            if id(other) not in came:
                came[id(other)] = (other, at)
                queue.append(other)
    return []
