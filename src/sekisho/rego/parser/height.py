"""How deep a tree is. Long chains of operators make deep trees without a single bracket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, get_args

from sekisho.diag import Limit
from sekisho.rego.nodes import Node, Term

HEIGHT: Final = Limit(
    "nesting of terms", 200, "levels", "deeper trees overflow the stack of the stages that walk them"
)
_TERMS: Final = get_args(Term)


def too_high(roots: Iterable[Node]) -> Node | None:
    """The first term found below more terms than allowed; walked with a stack of its own."""
    stack: list[tuple[object, int]] = [(root, 0) for root in roots]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, tuple):
            stack.extend((item, depth) for item in node)
        elif isinstance(node, Node):
            depth += isinstance(node, _TERMS)
            if HEIGHT.exceeded_by(depth):
                return node
            stack.extend((getattr(node, name), depth) for name in node.__dataclass_fields__)
    return None
