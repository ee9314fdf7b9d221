"""Which static types compiled code may rely on.

The checker lets ``dyn`` stand for anything, also for ``list(int)``; so a static type that went through
something dynamic is a guess. It is relied on only where everything that it comes from has a known type, or
where the run time has checked the value.
"""

from __future__ import annotations

from typing import Final

from sekisho.cel.nodes import Bind, Call, Fold, FoldKind, Ident, ListNode, Literal, MapNode, Node, Select
from sekisho.cel.types import CelType, Kind

RELIABLE: Final = frozenset(
    {Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.STRING, Kind.BYTES, Kind.LIST, Kind.MAP}
)
"""Kinds whose values cannot be null, and are of one Python class."""

_DYNAMIC: Final = frozenset({Kind.DYN, Kind.ANY, Kind.PARAM, Kind.ERROR})


class Trust:
    """Answers for one tree."""

    def __init__(self) -> None:
        self._dynamic: dict[int, bool] = {}
        self._locals: list[tuple[str, bool]] = []

    def enter(self, name: str, *, trusted: bool) -> None:
        """A variable of a fold comes into scope."""
        self._locals.append((name, trusted))

    def leave(self, count: int) -> None:
        """The last variables go."""
        del self._locals[len(self._locals) - count :]

    def kind(self, node: Node) -> Kind:
        """The kind of the node's value; DYN where that is not sure."""
        kind = node.type.kind
        return kind if kind in RELIABLE and self._sure(node) else Kind.DYN

    def dynamic(self, node: Node) -> bool:
        """Whether anything in a tree has a type that is not known."""
        found = self._dynamic.get(id(node))
        if found is None:
            found = (
                _is_dynamic(node.type)
                or (isinstance(node, Ident) and node.local and not self._local(node.name))
                or any(map(self.dynamic, node.children()))
            )
            self._dynamic[id(node)] = found
        return found

    def _local(self, name: str) -> bool:
        for known, trusted in reversed(self._locals):
            if known == name:
                return trusted
        return False

    def _sure(self, node: Node) -> bool:
        if isinstance(node, Literal | ListNode | MapNode):
            return True
        if isinstance(node, Ident):
            return not node.local or self._local(node.name)
        if isinstance(node, Select):
            return node.test or not self.dynamic(node.operand)
        if isinstance(node, Call):
            return _checked(node) or not self.dynamic(node)
        if isinstance(node, Fold):
            return node.kind is not FoldKind.ENTRIES or not self.dynamic(node)
        if isinstance(node, Bind):
            return not self.dynamic(node)
        return False


def _is_dynamic(type: CelType) -> bool:
    return type.kind in _DYNAMIC or any(map(_is_dynamic, type.params))


def _checked(node: Call) -> bool:
    """Whether all overloads of a call give the one kind of value, whatever their arguments are."""
    if node.function in ("_&&_", "_||_"):
        return True
    kinds = {row.result.kind for row in node.overloads}
    return len(kinds) == 1 and kinds <= RELIABLE
