"""The tree of rule groups, as evaluations need it: which path below ``data`` is whose."""

from __future__ import annotations

from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""Steps below ``data``. Rules may stand at numbers too: ``p[1] := "a"``."""


@dataclass(slots=True)
class Node:
    """A path: its group's number if rules define it, and the paths below it."""

    group: int = -1
    children: dict[str | int, Node] = field(default_factory=dict)

    def add(self, path: Path) -> Node:
        """The node at a path below this one, made if it is missing."""
        node = self
        for step in path:
            node = node.children.setdefault(step, Node())
        return node

    def find(self, path: Path) -> Node | None:
        """The node at a path below this one, or None."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            node = node.children.get(step)
        return node
