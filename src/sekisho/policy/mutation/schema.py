"""Conflicts between mutators: what each implies about the shape of the objects that it changes.

``spec.containers[name: web].image`` implies that ``spec`` is an object and ``containers`` a list with the key
``name``. Another mutator of the same kind and operation whose location implies something else cannot be right
at the same time, so none of them is applied. The same holds for one that goes beyond the end of a location
whose value is known to be no object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sekisho.kube.gvk import GVK
from sekisho.kube.review import Operation
from sekisho.policy.mutation.location import Field, Item, Step
from sekisho.policy.mutation.mutator import Mutator, Terminal

Shape = str
"""What stands at a step: Object, List, Set, String, or Unknown."""

OBJECT: Final[Shape] = "Object"
LIST: Final[Shape] = "List"
UNKNOWN: Final[Shape] = Terminal.UNKNOWN.value


@dataclass(slots=True)
class _Node:
    """What is implied at one place, with one shape, by the mutators with these numbers."""

    by: set[int] = field(default_factory=set)
    ends: set[int] = field(default_factory=set)
    children: dict[str, dict[Shape, _Node]] = field(default_factory=dict)


def conflicts(mutators: Sequence[Mutator]) -> tuple[tuple[int, ...], ...]:
    """Sets of mutators that cannot be right together, by their numbers in the order given.

    A mutator may be in several of them. Each set is sorted, and so are the sets.
    """
    roots: dict[tuple[GVK, Operation], _Node] = {}
    for number, mutator in enumerate(mutators):
        for binding in {binding for entry in mutator.apply_to or () for binding in entry.bindings()}:
            _add(roots.setdefault(binding, _Node()), number, mutator)
    found = {clique for root in roots.values() for clique in _cliques(root)}
    return tuple(sorted(tuple(sorted(clique)) for clique in found))


def _add(node: _Node, number: int, mutator: Mutator) -> None:
    steps = mutator.location.steps
    node.by.add(number)
    for index, step in enumerate(steps):
        shape = _shape(steps[index + 1]) if index + 1 < len(steps) else mutator.terminal.value
        node = node.children.setdefault(_key(step), {}).setdefault(shape, _Node())
        node.by.add(number)
    if mutator.must_terminate:
        node.ends.add(number)


def _key(step: Step) -> str:
    return step.key if isinstance(step, Item) else step.name


def _shape(following: Step) -> Shape:
    return OBJECT if isinstance(following, Field) else LIST


def _cliques(root: _Node) -> Iterator[frozenset[int]]:
    """Mutators that cannot be right together, a set for each place where they part."""
    stack = [root]
    while stack:
        for shapes in stack.pop().children.values():
            stack.extend(shapes.values())
            parted: set[int] = set()
            known = [shape for shape in shapes if shape != UNKNOWN]
            for shape in known:
                several_keys = shape == LIST and len(shapes[shape].children) > 1
                if len(known) > 1 or several_keys:
                    parted |= shapes[shape].by
            if parted:
                yield frozenset(parted)
            if beyond := _beyond_ends(shapes):
                yield frozenset(beyond)


def _beyond_ends(shapes: Mapping[Shape, _Node]) -> set[int]:
    """Mutators that must end here, and those that go on; empty if there are not both."""
    ends = {number for node in shapes.values() for number in node.ends}
    on = {
        number
        for node in shapes.values()
        for children in node.children.values()
        for child in children.values()
        for number in child.by
    }
    return ends | on if ends and on else set()
