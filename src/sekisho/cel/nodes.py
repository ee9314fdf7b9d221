"""The syntax tree. Macros are expanded while parsing, so a tree has folds where the text has macros.

``start`` is the offset that errors point at, as in cel-go: of a call's parenthesis, an operator, the dot of
a selection, the bracket of an index; ``end`` is where the node's text ends. ``type`` is set by the checker.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from sekisho.cel.types import DYN, CelType

if TYPE_CHECKING:
    from sekisho.cel.functions import Overload
    from sekisho.cel.types import Field, Struct
    from sekisho.cel.values import Value


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """A node. ``first`` is where its text begins, which may be before ``start``."""

    start: int
    end: int
    first: int = -1
    type: CelType = DYN

    def children(self) -> tuple[Node, ...]:
        """The nodes right below, in the order of the text."""
        return ()


@dataclass(slots=True, eq=False, kw_only=True)
class Literal(Node):
    """A value that is written."""

    value: Value


@dataclass(slots=True, eq=False, kw_only=True)
class Ident(Node):
    """A name. ``local`` is true for variables of folds; ``absolute`` for ``.name``.

    The checker sets ``resolved`` (the variable's full name, with container and dots) or ``constant``.
    """

    name: str
    absolute: bool = False
    local: bool = False
    resolved: str = ""
    constant: tuple[Value] | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Select(Node):
    """``operand.field``; with ``test`` it is ``has(operand.field)``, with ``optional`` ``operand.?field``.

    ``declared`` is the field of the operand's struct type, if there is one. Where the whole chain names a
    qualified variable or constant, the checker replaces the node by an ``Ident``.
    """

    operand: Node
    field: str
    test: bool = False
    optional: bool = False
    declared: Field | None = None

    def children(self) -> tuple[Node, ...]:
        """See ``Node``."""
        return (self.operand,)


@dataclass(slots=True, eq=False, kw_only=True)
class Call(Node):
    """A call of a function or operator; a member call's target is the first argument.

    The checker sets ``overloads``: those that the static types allow.
    """

    function: str
    args: list[Node]
    member: bool = False
    overloads: tuple[Overload, ...] = ()

    def children(self) -> tuple[Node, ...]:
        """See ``Node``."""
        return tuple(self.args)


@dataclass(slots=True, eq=False, kw_only=True)
class ListNode(Node):
    """``[elements]``; ``optional`` has the indices of the elements written with ``?``."""

    elements: list[Node]
    optional: frozenset[int] = frozenset()

    def children(self) -> tuple[Node, ...]:
        """See ``Node``."""
        return tuple(self.elements)


@dataclass(slots=True, eq=False, kw_only=True)
class Entry:
    """``key: value`` of a map, with ``optional`` where written with ``?``."""

    start: int
    key: Node
    value: Node
    optional: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class MapNode(Node):
    """``{entries}``."""

    entries: list[Entry]

    def children(self) -> tuple[Node, ...]:
        """See ``Node``."""
        return tuple(node for entry in self.entries for node in (entry.key, entry.value))


@dataclass(slots=True, eq=False, kw_only=True)
class FieldEntry:
    """``field: value`` of a struct literal."""

    start: int
    field: str
    value: Node
    optional: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class StructNode(Node):
    """``Name{entries}``."""

    name: str
    entries: list[FieldEntry]
    declared: Struct | None = None

    def children(self) -> tuple[Node, ...]:
        """See ``Node``."""
        return tuple(entry.value for entry in self.entries)


class FoldKind(Enum):
    """What a fold makes of its turns."""

    ALL = "all"
    EXISTS = "exists"
    EXISTS_ONE = "exists_one"
    LIST = "list"  # a list of the results
    MAP = "map"  # a map from the keys to the results
    ENTRIES = "entries"  # a map of the entries that the results are


@dataclass(slots=True, eq=False, kw_only=True)
class Fold(Node):
    """A comprehension: a loop over the range.

    With one variable, ``second`` is empty, and ``variable`` runs through the elements of a list or the keys
    of a map; with two, they run through index and element, or key and value. ``filter`` says which turns
    count, None for all; ``result`` is what each gives.
    """

    kind: FoldKind
    range: Node
    variable: str
    second: str = ""
    filter: Node | None = None
    result: Node

    def children(self) -> tuple[Node, ...]:
        """See ``Node``."""
        filter = () if self.filter is None else (self.filter,)
        return (self.range, *filter, self.result)


@dataclass(slots=True, eq=False, kw_only=True)
class Bind(Node):
    """``cel.bind(variable, value, result)``."""

    variable: str
    value: Node
    result: Node

    def children(self) -> tuple[Node, ...]:
        """See ``Node``."""
        return (self.value, self.result)


@dataclass(slots=True, eq=False, kw_only=True)
class OptMap(Node):
    """``target.optMap(variable, result)``; with ``flat``, the result is an optional itself."""

    target: Node
    variable: str
    result: Node
    flat: bool = False

    def children(self) -> tuple[Node, ...]:
        """See ``Node``."""
        return (self.target, self.result)


def depth_of(root: Node) -> int:
    """How deep operators and accesses nest, where cel-go counts them; without recursion."""
    deepest = 0
    stack: list[tuple[Node, int]] = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        counts = isinstance(node, Select) or (
            isinstance(node, Call) and (node.member or node.function not in ("_&&_", "_||_", "!_", "-_"))
        )
        depth += counts
        deepest = max(deepest, depth)
        stack.extend((child, depth) for child in node.children())
    return deepest
