"""The trail: what an evaluation has read, and what parts of the expression were, for the code that explains.

Only what decides is kept: of ``&&`` and ``all`` that are false, and of ``||`` and ``exists`` that are true,
the reads of the operand or turn that made them so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sekisho.cel.costs import is_access, is_ternary, is_written
from sekisho.cel.nodes import Node
from sekisho.cel.values import Value
from sekisho.diag import Source, Span

LONGEST: Final = 100_000
"""Entries that are kept: more explain nothing to anybody."""


class _Entry(NamedTuple):
    """``container[key]`` was read at a node; or, without a container, a node had a value."""

    node: Node
    container: Value
    key: Value
    missing: bool
    tested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A read of a variable on the way to a result.

    ``variable`` and ``path`` say where in which variable, ``span`` where in the expression. ``missing``:
    there was nothing at the path (but there was at the path without its last step). ``tested``: it was only
    asked whether it is there.
    """

    variable: str
    path: tuple[str | int, ...]
    missing: bool
    tested: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of the expression had this value."""

    span: Span
    value: Value


class Trail:
    """What is noted while one evaluation runs."""

    def __init__(self) -> None:
        self._reads: list[_Entry] = []
        self._values: dict[Node, Value] = {}

    def mark(self) -> int:
        """Where the trail stands."""
        return len(self._reads)

    def drop(self, start: int, end: int) -> None:
        """Forget what was read between two marks."""
        del self._reads[start:end]

    def read(self, container: Value, key: Value, node: Node, *, tested: bool = False) -> None:
        """Note a read."""
        if len(self._reads) < LONGEST:
            self._reads.append(_Entry(node, container, key, _missing(container, key), tested))

    def note(self, node: Node, value: Value) -> None:
        """Note what a node was, the last time."""
        self._values[node] = value

    def reads(self, activation: Mapping[str, Value], source: Source) -> tuple[Read, ...]:
        """The reads of variables, in their order, each once; not those on the way to another read."""
        paths = _paths(activation)
        found: dict[tuple[Any, ...], Read] = {}
        for entry in self._reads:
            base = paths.get(id(entry.container))
            if base is None or not isinstance(entry.key, str | int) or isinstance(entry.key, bool):
                continue
            path = (*base[1], entry.key)
            span = Span(source, max(entry.node.first, 0), entry.node.end)
            place = (base[0], path, span.start, span.end)
            if place not in found:
                found[place] = Read(
                    variable=base[0], path=path, missing=entry.missing, tested=entry.tested, span=span
                )
        ways = {
            (read.variable, read.path[:length]) for read in found.values() for length in range(len(read.path))
        }
        return tuple(read for read in found.values() if (read.variable, read.path) not in ways)

    def steps(self, source: Source) -> tuple[Step, ...]:
        """What the parts of the expression were, in the order of the text.

        Not what is written there, and of an access (``a.b.c``) only the whole.
        """
        ways = [node for node in self._values if is_access(node) and not is_ternary(node)]
        inner = {node.children()[0] for node in ways if node.children()}
        rows = [
            Step(span=Span(source, max(node.first, 0), node.end), value=value)
            for node, value in self._values.items()
            if not is_written(node) and (node not in inner or not is_access(node))
        ]
        return tuple(sorted(rows, key=lambda step: (step.span.start, -step.span.end)))


def _missing(container: Value, key: Value) -> bool:
    if isinstance(container, dict):
        return not isinstance(key, str | int) or key not in container
    if isinstance(container, list | tuple) and isinstance(key, int):
        return not 0 <= key < len(container)
    return False


def _paths(activation: Mapping[str, Value]) -> dict[int, tuple[str, tuple[str | int, ...]]]:
    """Where each container of the variables stands, by id; the first place of one that stands in several."""
    paths: dict[int, tuple[str, tuple[str | int, ...]]] = {}
    stack: list[tuple[Value, str, tuple[str | int, ...]]] = [
        (value, name, ()) for name, value in reversed(list(activation.items()))
    ]
    while stack:
        value, name, path = stack.pop()
        if not isinstance(value, dict | list | tuple) or id(value) in paths:
            continue
        paths[id(value)] = (name, path)
        steps: Iterable[tuple[Any, Value]] = value.items() if isinstance(value, dict) else enumerate(value)
        stack.extend((inner, name, (*path, step)) for step, inner in steps if isinstance(step, str | int))
    return paths
