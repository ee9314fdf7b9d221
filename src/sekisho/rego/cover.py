"""Coverage: which heads and expressions of modules evaluations have reached.

A program that is compiled with the built-in of a ``Recorder`` among its functions calls it before each
expression of a body and, for its head, at each solution of a rule. What counts is OPA's (v1/cover): a head
is covered when its rule had a value, an expression when evaluation came to it, ``some x`` never counts,
and what lies inside something covered is covered. OPA's evaluator skips rules that its index rules out; ours
has none, so it comes to the first expressions of more rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sekisho.rego.builtins.table import Builtin
from sekisho.rego.context import EvalContext
from sekisho.rego.nodes import Expr, Module, Node, Rule, SomeDecl
from sekisho.rego.types import ANY, Array, Function
from sekisho.rego.values import Value

MARK: Final = "internal.cover"
"""The name of the built-in that marks; its operand is a place: number of the module, start, end."""

Stretch: TypeAlias = tuple[int, int]


@dataclass(slots=True)
class Recorder:
    """Takes the places that evaluations reach, by number of module."""

    reached: set[tuple[int, int, int]] = field(default_factory=set)

    def row(self) -> Builtin:
        """The built-in to compile with."""
        return Builtin(
            name=MARK,
            type=Function((Array(dynamic=ANY),), None),
            function=self._mark,
            context=True,
            deterministic=False,
        )

    def _mark(self, _context: EvalContext, place: list[int]) -> bool:
        module, start, end = place
        self.reached.add((module, start, end))
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCoverage:
    """What of one module was reached: stretches of its text, sorted, as offsets."""

    module: Module
    covered: tuple[Stretch, ...]
    missed: tuple[Stretch, ...]

    def rows(self, stretches: Iterable[Stretch]) -> set[int]:
        """The lines of stretches of the text."""
        position = self.module.source.position
        return {
            row for start, end in stretches for row in range(position(start).line, position(end).line + 1)
        }

    @property
    def covered_rows(self) -> set[int]:
        """The lines of what was reached."""
        return self.rows(self.covered)

    @property
    def missed_rows(self) -> set[int]:
        """The lines of what was not. A line may be both."""
        return self.rows(self.missed)


def percentage(covered: int, missed: int) -> float:
    """Covered lines in a hundred; 0 where there are none."""
    return 100.0 * covered / (covered + missed) if covered + missed else 0.0


def coverage(modules: Mapping[str, Module], recorder: Recorder) -> dict[str, FileCoverage]:
    """What was reached of modules that were compiled in this order."""
    found: dict[int, set[Stretch]] = {}
    for module, start, end in recorder.reached:
        found.setdefault(module, set()).add((start, end))
    return {
        name: _file(module, found.get(number, set())) for number, (name, module) in enumerate(modules.items())
    }


def _file(module: Module, reached: set[Stretch]) -> FileCoverage:
    places = set(_places(module.rules))
    covered = sorted(places & reached)
    missed = []
    at, furthest = 0, 0
    for start, end in sorted(places - reached):
        while at < len(covered) and covered[at][0] <= start:
            furthest = max(furthest, covered[at][1])
            at += 1
        if end > furthest:
            missed.append((start, end))
    return FileCoverage(module=module, covered=tuple(covered), missed=tuple(missed))


def _places(roots: Iterable[object]) -> Iterator[Stretch]:
    """Where the heads of rules and the expressions in a tree stand."""
    stack = list(roots)
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
            continue
        if not isinstance(node, Node):
            continue
        if isinstance(node, Rule):
            yield node.head.start, node.head.end
        elif isinstance(node, Expr) and not isinstance(node.statement, SomeDecl):
            yield node.start, node.end
        stack.extend(getattr(node, name) for name in node.__dataclass_fields__)


def place(module: int, node: Node) -> Value:
    """The operand of the mark for a node."""
    return [module, node.start, node.end]
