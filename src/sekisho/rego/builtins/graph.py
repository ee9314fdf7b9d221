"""graph.*: what can be reached in an object of nodes and their neighbours.

Paths grow exponentially with the graph, so every step is charged before it is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.types import ANY, Array, Function, Object, SetOf, Union
from sekisho.rego.values import Set, Value, key, unkey


def _nodes(value: Value) -> Iterable[Value]:
    """The members of an array or set; other values have no neighbours."""
    return value if type(value) in {list, Set} else ()


def _start(value: Value) -> list[Value]:
    if type(value) not in {list, Set}:
        operands.wrong_type(2, value, "{array, set}")
    return list(value)


def _reachable(context: EvalContext, graph: Value, initial: Value) -> Set:
    edges = operands.object_(graph, 1)
    queue = [key(node) for node in _start(initial)]
    reached: set[Any] = set()
    while queue:
        node = queue.pop()
        if node in reached or node not in edges:
            continue
        reached.add(node)
        neighbours = [key(neighbour) for neighbour in _nodes(edges[node])]
        context.meter.build(len(neighbours) + 1)
        queue.extend(neighbours)
    return Set(reached)


def _reachable_paths(context: EvalContext, graph: Value, initial: Value) -> Set:
    edges = operands.object_(graph, 1)
    charge = context.meter.build
    found: set[Any] = set()

    # One entry for each path to extend: the path so far (keys), and the node it would visit next.
    stack: list[tuple[tuple[Any, ...], Any]] = []
    for root in map(key, _start(initial)):
        if root not in edges:
            continue
        neighbours = [key(node) for node in _nodes(edges[root])]
        if neighbours:
            stack.extend(((root,), neighbour) for neighbour in neighbours)
        else:
            found.add(_path((root,)))
    while stack:
        path, node = stack.pop()
        charge(len(path) + 1)
        # A cycle, or a node that the graph does not know. OPA lets a root lead to itself once.
        if (len(path) > 1 and node in path) or node not in edges:
            found.add(_path(path))
            continue
        path = (*path, node)
        neighbours = [key(neighbour) for neighbour in _nodes(edges[node])]
        if not neighbours:
            found.add(_path(path))
        stack.extend((path, neighbour) for neighbour in neighbours)
    return Set(found)


def _path(nodes: tuple[Any, ...]) -> Any:
    return key([unkey(node) for node in nodes])


_COLLECTION = Union((Array(dynamic=ANY), SetOf(ANY)))
_GRAPH = Object(dynamic=(ANY, _COLLECTION))
row("graph.reachable", Function((_GRAPH, _COLLECTION), SetOf(ANY)), _reachable, context=True)
row(
    "graph.reachable_paths",
    Function((_GRAPH, _COLLECTION), SetOf(Array(dynamic=ANY))),
    _reachable_paths,
    context=True,
)
