"""What code is written into: names, statements, the cost of a stretch of code."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from sekisho.cel.codegen.trust import Trust
from sekisho.cel.environment import Environment
from sekisho.cel.nodes import Call, Ident, ListNode, Literal, MapNode, Node
from sekisho.cel.values import UInt
from sekisho.lang.pyast import Writer

STATE: Final = "S"
COUNT: Final = "c"
LIMIT: Final = "m"


class Unsupported(Exception):
    """There is no code for this tree: it nests too many loops."""


class Block:
    """Statements and cost of the stretch of code that is being written, and the names in it."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.writer = Writer()
        self.trust = Trust()
        self.lines: list[ast.stmt] = []
        self.cost = 0
        self.loops = 0
        self.uses: dict[tuple[Any, ...], str] = {}
        self.variables: dict[str, str] = {}
        self.locals: list[tuple[str, str]] = []
        self._names = 0

    # --- names --------------------------------------------------------------------------------------------

    def name(self) -> str:
        """A new name."""
        self._names += 1
        return f"t{self._names}"

    def use(self, *row: Any) -> ast.expr:
        """A global for what an image names."""
        key = _typed(row)
        name = self.uses.get(key)
        if name is None:
            name = self.uses[key] = f"k{len(self.uses)}"
        return self.writer.name(name)

    def rows(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        """The globals, as an image keeps them."""
        return tuple((name, _untyped(key)) for key, name in self.uses.items())

    def local(self, name: str) -> ast.expr:
        """A variable of a fold."""
        for known, python in reversed(self.locals):
            if known == name:
                return self.writer.name(python)
        raise AssertionError(f"{name} is not in scope")

    def variable(self, name: str) -> ast.expr:
        """A variable of the environment."""
        if name not in self.variables:
            self.variables[name] = f"v{len(self.variables)}"
        return self.writer.name(self.variables[name])

    # --- statements ---------------------------------------------------------------------------------------

    def keep(self, value: ast.expr) -> ast.expr:
        """The value under a name, so that it can be used more than once."""
        if isinstance(value, ast.Name | ast.Constant):
            return value
        name = self.name()
        self.lines.append(self.writer.assign(name, value))
        return self.writer.name(name)

    def count(self, cost: ast.expr) -> None:
        """Add what is known at run time to the cost."""
        w = self.writer
        self.lines.append(w.assign(COUNT, w.binary(w.name(COUNT), "+", cost)))

    def branch(
        self, write: Callable[[Node], ast.expr], node: Node, discount: int = 0
    ) -> tuple[list[ast.stmt], ast.expr]:
        """Code that runs only sometimes: its statements, and its value, which pays for it."""
        lines, cost = self.lines, self.cost
        self.lines, self.cost = [], 0
        value = write(node)
        own, paid = self.lines, self.cost - discount
        self.lines, self.cost = lines, cost
        if not paid:
            return own, value
        w = self.writer
        more = w.binary(w.name(COUNT), "+", w.const(paid))
        if own:
            return [w.assign(COUNT, more), *own], value
        return [], w.all_of([w.bind(COUNT, more), value])  # the cost is never zero, so it is true


def _typed(row: Any) -> Any:
    """A row in which equal numbers of different types differ."""
    if isinstance(row, tuple):
        return tuple(_typed(part) for part in row)
    return (type(row), repr(row) if isinstance(row, float) else row, row) if not isinstance(row, str) else row


def _untyped(key: Any) -> Any:
    if isinstance(key, tuple):
        if len(key) == 3 and isinstance(key[0], type):
            return key[2]
        return tuple(_untyped(part) for part in key)
    return key


def written_row(node: Node) -> tuple[Any, ...]:
    """What a node that ``is_written`` is, as an image keeps it."""
    if isinstance(node, Literal):
        if type(node.value) is UInt:
            return ("uint", int(node.value))
        return ("value", node.value)
    if isinstance(node, Ident):
        return ("named", node.resolved)
    if isinstance(node, ListNode):
        return ("list", *map(written_row, node.elements))
    if isinstance(node, MapNode):
        return ("map", *(written_row(part) for entry in node.entries for part in (entry.key, entry.value)))
    assert isinstance(node, Call)
    ids = tuple(row.id for row in node.overloads)
    return ("converted", node.function, ids, written_row(node.args[0]))
