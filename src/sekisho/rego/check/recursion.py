"""Dependencies between rules: the order in which they can be typed, and rules that depend on themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sekisho.rego import codes
from sekisho.rego.check.draft import RuleDraft
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.check.program import TreeNode
from sekisho.rego.check.tree import rule_text
from sekisho.rego.nodes import Ref, Scalar, Var

Drafts = dict[tuple[str, ...], list[RuleDraft]]
"""The drafts of each node, else branches within them."""

_Path = tuple[str, ...]
_Key = tuple[str | None, ...]
"""A reference as a node of the graph between rules: None, and its steps, of which None may be any."""


class Dependencies:
    """Which nodes of the rule tree each rule may read.

    References are nodes of their own, so that many rules that read the whole package cost no more than one.
    """

    __slots__ = ("_drafts", "_errors", "_reached", "_root")

    def __init__(self, root: TreeNode, drafts: Drafts, errors: Errors) -> None:
        self._root = root
        self._drafts = drafts
        self._errors = errors
        self._reached: dict[_Key, tuple[_Path, ...]] = {}

    def order(self) -> tuple[TreeNode, ...]:
        """The nodes with rules, each after those it depends on. Errors, if a rule depends on itself."""
        ordered: list[_Path] = []
        closed: dict[_Path | _Key, bool] = {}
        cyclic = False
        for start in self._drafts:
            if start in closed:
                continue
            closed[start] = False
            stack: list[tuple[_Path | _Key, Iterator[_Path | _Key]]] = [(start, iter(self._following(start)))]
            while stack:
                at, following = stack[-1]
                for other in following:
                    if other not in closed:
                        closed[other] = False
                        stack.append((other, iter(self._following(other))))
                        break
                    cyclic = cyclic or not closed[other]
                else:
                    stack.pop()
                    closed[at] = True
                    if at in self._drafts:
                        ordered.append(at)  # type: ignore[arg-type]  # keys of references begin with None
        if cyclic:
            self._report()
        found = [self._root.find(path) for path in ordered]
        return tuple(node for node in found if node is not None)

    def _following(self, at: _Path | _Key) -> Iterable[_Path | _Key]:
        """What a node of the tree reads, or where a reference leads."""
        drafts = self._drafts.get(at)  # type: ignore[arg-type]
        if drafts is None:
            return self._reach(at)
        keys: dict[_Key, None] = {}
        for draft in _branches(drafts):
            keys.update(dict.fromkeys(map(_key, draft.reads)))
        return keys

    def _reach(self, key: _Key) -> tuple[_Path, ...]:
        """The nodes with rules that a reference may reach."""
        known = self._reached.get(key)
        if known is None:
            found: dict[_Path, None] = {}
            self._walk(self._root, key[1:], found)
            known = self._reached[key] = tuple(sorted(found))
        return known

    def _walk(self, node: TreeNode, steps: _Key, found: dict[_Path, None]) -> None:
        """Collect the nodes that a reference from ``node`` may reach."""
        for i, step in enumerate(steps):
            if step is None:
                for child in node.children.values():
                    if child.kind is not None:
                        found[child.path] = None
                    self._walk(child, steps[i + 1 :], found)
                return
            following = node.children.get(step)
            if following is None:
                return
            node = following
            if node.kind is not None:
                found[node.path] = None
        found.update((below.path, None) for below in _below(node))

    # --- errors -------------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Report each rule from which a way leads back to it."""
        for drafts in self._drafts.values():
            for rule in _branches(drafts):
                way = self._way_back(rule)
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
                if self._errors.enough():
                    return

    def _way_back(self, rule: RuleDraft) -> list[RuleDraft]:
        """A shortest way from a rule to itself, both ends included; empty if there is none."""
        came: dict[int, RuleDraft] = {}
        seen: set[_Key] = set()
        queue = [rule]
        for at in queue:
            for key in map(_key, at.reads):
                if key in seen:
                    continue
                seen.add(key)
                for path in self._reach(key):
                    for other in _branches(self._drafts[path]):
                        if other is rule:
                            way = [rule]
                            while at is not rule:
                                way.append(at)
                                at = came[id(at)]  # noqa: PLW2901  # the loop ends here
                            return [rule, *way[::-1]]
                        if id(other) not in came:
                            came[id(other)] = at
                            queue.append(other)
        return []


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


def _key(read: Ref | Var) -> _Key:
    if isinstance(read, Var):
        return (None,)
    return (None, *map(_name, read.path))


def _name(step: object) -> str | None:
    if not isinstance(step, Scalar):
        return None
    return step.value if isinstance(step.value, str) else ""
