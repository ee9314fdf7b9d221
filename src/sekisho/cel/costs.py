"""What parts of an expression cost, as cel-go counts it at run time.

An access (a variable with its selections and indices) costs 1, and 1 for each step. What is written costs
nothing. A list that is built costs 10, a map 30, a message 40. A call costs what its one possible overload
says, and 1 where several are possible. As the branch of a ternary, an access saves its first unit.
"""

from __future__ import annotations

from typing import Final

from sekisho.cel.functions import Cost
from sekisho.cel.nodes import Call, Ident, ListNode, Literal, MapNode, Node, Select
from sekisho.cel.standard.conversions import CONVERSIONS_OF_LITERALS

LIST: Final = 10
MAP: Final = 30
STRUCT: Final = 40

ALL_TURN: Final = 3
ALL_TEST: Final = 2
EXISTS_TURN: Final = 4
EXISTS_TEST: Final = 3
COUNTED: Final = 2
APPEND: Final = 2
INSERT: Final = 3
INSERT_ENTRY: Final = 2

_INDICES: Final = frozenset({"_[_]", "_[?_]"})


def is_written(node: Node) -> bool:
    """Whether a node has its value before any evaluation, and so costs nothing."""
    if isinstance(node, Literal):
        return True
    if isinstance(node, Ident):
        return node.constant is not None
    if isinstance(node, ListNode):
        return not node.optional and all(map(is_written, node.elements))
    if isinstance(node, MapNode):
        return all(not e.optional and is_written(e.key) and is_written(e.value) for e in node.entries)
    if isinstance(node, Call) and node.function in CONVERSIONS_OF_LITERALS and len(node.args) == 1:
        return not node.member and is_written(node.args[0])
    return False


def is_access(node: Node) -> bool:
    """Whether a node is a variable with selections and indices, or a ternary, which cel-go treats alike."""
    if isinstance(node, Ident):
        return node.constant is None
    if isinstance(node, Select):
        return True
    return isinstance(node, Call) and (node.function in _INDICES or node.function == "_?_:_")


def is_ternary(node: Node) -> bool:
    """Whether a node is ``a ? b : c``."""
    return isinstance(node, Call) and node.function == "_?_:_"


def step_cost(operand: Node) -> int:
    """What a selection or index on this operand costs besides it and its index."""
    return 1 if is_access(operand) else 2


def index_cost(index: Node) -> int:
    """What an index costs besides its own evaluation, as part of its access."""
    return 0 if is_access(index) and not is_ternary(index) else 1


def branch_discount(branch: Node, presence: int) -> int:
    """What an access saves as the branch of a ternary; ``presence`` is what a presence test costs."""
    if isinstance(branch, Select) and branch.test:
        return presence
    return 1 if is_access(branch) and not is_ternary(branch) else 0


def append_cost(result: Node) -> int:
    """What it costs to append to a list that a fold builds."""
    return APPEND if is_written(result) else APPEND + LIST


def call_cost(node: Call) -> Cost:
    """What a call costs: that of its overloads, where that is one."""
    rows = node.overloads
    if not rows:
        return 1
    first = rows[0].cost
    return first if len(rows) == 1 or all(row.cost is first for row in rows) else 1


def is_membership(node: Call) -> bool:
    """Whether ``a in [b, c]`` is a look into a set that is made once."""
    return (
        node.function == "@in"
        and is_written(node.args[1])
        and len(node.overloads) == 1
        and node.overloads[0].id == "in_list"
        and isinstance(node.args[1], ListNode)
        and all(_is_plain(element) for element in node.args[1].elements)
    )


def _is_plain(element: Node) -> bool:
    return isinstance(element, Literal) and isinstance(element.value, str | int | float)
