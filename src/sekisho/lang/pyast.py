"""Building Python code as ``ast`` nodes, never as text.

A ``Writer`` stamps every node with the position it is set to: a line and column of the *policy's* source, so
that CPython's own tracebacks point into the policy. Nodes for names and constants, which cannot raise, are
made once for all their places; nobody changes a node after it is made.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import CodeType
from typing import Final

LOAD: Final = ast.Load()
STORE: Final = ast.Store()
Scalar = str | int | bool | None

_COMPARE: Final[dict[str, ast.cmpop]] = {
    "==": ast.Eq(),
    "!=": ast.NotEq(),
    "<": ast.Lt(),
    "<=": ast.LtE(),
    ">": ast.Gt(),
    ">=": ast.GtE(),
    "is": ast.Is(),
    "is not": ast.IsNot(),
    "in": ast.In(),
    "not in": ast.NotIn(),
}
_BINARY: Final[dict[str, ast.operator]] = {
    "+": ast.Add(),
    "-": ast.Sub(),
    "*": ast.Mult(),
    "&": ast.BitAnd(),
    "|": ast.BitOr(),
}
_NOT: Final = ast.Not()
_AND: Final = ast.And()
_OR: Final = ast.Or()


class Writer:
    """Makes nodes at the current position (``line`` from one, ``column`` in UTF-8 bytes from zero)."""

    def __init__(self) -> None:
        self.line = 1
        self.column = 0
        self._names: dict[str, ast.Name] = {}
        self._constants: dict[tuple[type, Scalar], ast.Constant] = {}

    def place(self, line: int, column: int) -> None:
        """Set the position of the nodes made from now on."""
        self.line = line
        self.column = column

    # --- expressions ---

    def name(self, name: str) -> ast.expr:
        """A name that is read."""
        node = self._names.get(name)
        if node is None:
            node = ast.Name(name, LOAD, lineno=self.line, col_offset=self.column)
            self._names[name] = node
        return node

    def const(self, value: Scalar) -> ast.expr:
        """A constant."""
        key = (type(value), value)
        node = self._constants.get(key)
        if node is None:
            node = ast.Constant(value, lineno=self.line, col_offset=self.column)
            self._constants[key] = node
        return node

    def attr(self, base: ast.expr, name: str) -> ast.expr:
        """``base.name``."""
        return ast.Attribute(base, name, LOAD, lineno=self.line, col_offset=self.column)

    def item(self, base: ast.expr, index: ast.expr) -> ast.expr:
        """``base[index]``."""
        return ast.Subscript(base, index, LOAD, lineno=self.line, col_offset=self.column)

    def call(self, function: str | ast.expr, *args: ast.expr) -> ast.expr:
        """``function(args)``."""
        target = self.name(function) if isinstance(function, str) else function
        return ast.Call(target, list(args), [], lineno=self.line, col_offset=self.column)

    def method(self, base: ast.expr, name: str, *args: ast.expr) -> ast.expr:
        """``base.name(args)``."""
        return self.call(self.attr(base, name), *args)

    def compare(self, left: ast.expr, operator: str, right: ast.expr) -> ast.expr:
        """``left operator right``."""
        return ast.Compare(left, [_COMPARE[operator]], [right], lineno=self.line, col_offset=self.column)

    def binary(self, left: ast.expr, operator: str, right: ast.expr) -> ast.expr:
        """``left operator right``."""
        return ast.BinOp(left, _BINARY[operator], right, lineno=self.line, col_offset=self.column)

    def negate(self, operand: ast.expr) -> ast.expr:
        """``not operand``."""
        return ast.UnaryOp(_NOT, operand, lineno=self.line, col_offset=self.column)

    def bind(self, name: str, value: ast.expr) -> ast.expr:
        """``(name := value)``."""
        return ast.NamedExpr(
            ast.Name(name, STORE, lineno=self.line, col_offset=self.column),
            value,
            lineno=self.line,
            col_offset=self.column,
        )

    def within(self, low: ast.expr, value: ast.expr, high: ast.expr) -> ast.expr:
        """``low <= value <= high``."""
        order: list[ast.cmpop] = [_COMPARE["<="], _COMPARE["<="]]
        return ast.Compare(low, order, [value, high], lineno=self.line, col_offset=self.column)

    def any_of(self, operands: Sequence[ast.expr]) -> ast.expr:
        """``a or b or …``."""
        if len(operands) == 1:
            return operands[0]
        return ast.BoolOp(_OR, list(operands), lineno=self.line, col_offset=self.column)

    def all_of(self, operands: Sequence[ast.expr]) -> ast.expr:
        """``a and b and …``."""
        if len(operands) == 1:
            return operands[0]
        return ast.BoolOp(_AND, list(operands), lineno=self.line, col_offset=self.column)

    def choose(self, test: ast.expr, yes: ast.expr, no: ast.expr) -> ast.expr:
        """``yes if test else no``."""
        return ast.IfExp(test, yes, no, lineno=self.line, col_offset=self.column)

    def tuple_of(self, items: Sequence[ast.expr]) -> ast.expr:
        """``(items)``."""
        return ast.Tuple(list(items), LOAD, lineno=self.line, col_offset=self.column)

    def list_of(self, items: Sequence[ast.expr]) -> ast.expr:
        """``[items]``."""
        return ast.List(list(items), LOAD, lineno=self.line, col_offset=self.column)

    def dict_of(self, pairs: Sequence[tuple[ast.expr, ast.expr]]) -> ast.expr:
        """``{pairs}``."""
        keys: list[ast.expr | None] = [k for k, _ in pairs]
        values = [v for _, v in pairs]
        return ast.Dict(keys, values, lineno=self.line, col_offset=self.column)

    # --- statements ---

    def assign(self, name: str, value: ast.expr) -> ast.stmt:
        """``name = value``."""
        return ast.Assign([self._store(name)], value, lineno=self.line, col_offset=self.column)

    def assign_to(self, targets: Sequence[ast.expr], value: ast.expr) -> ast.stmt:
        """``target = target = value``."""
        return ast.Assign(list(targets), value, lineno=self.line, col_offset=self.column)

    def slot(self, base: ast.expr, index: ast.expr) -> ast.expr:
        """``base[index]`` as a target."""
        return ast.Subscript(base, index, STORE, lineno=self.line, col_offset=self.column)

    def do(self, value: ast.expr) -> ast.stmt:
        """An expression as a statement."""
        return ast.Expr(value, lineno=self.line, col_offset=self.column)

    def when(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt] | None = None) -> ast.If:
        """``if test: body else: orelse``."""
        return ast.If(test, body, orelse or [], lineno=self.line, col_offset=self.column)

    def loop(self, names: Sequence[str], values: ast.expr, body: list[ast.stmt]) -> ast.For:
        """``for names in values: body``."""
        target: ast.expr
        if len(names) == 1:
            target = self._store(names[0])
        else:
            stores: list[ast.expr] = [self._store(name) for name in names]
            target = ast.Tuple(stores, STORE, lineno=self.line, col_offset=self.column)
        return ast.For(target, values, body, [], lineno=self.line, col_offset=self.column)

    def once(self, body: list[ast.stmt]) -> ast.stmt:
        """``while True: body; break``: a block that ``break`` leaves."""
        return ast.While(
            self.const(True), [*body, self.leave()], [], lineno=self.line, col_offset=self.column
        )

    def leave(self) -> ast.stmt:
        """``break``."""
        return ast.Break(lineno=self.line, col_offset=self.column)

    def next(self) -> ast.stmt:
        """``continue``."""
        return ast.Continue(lineno=self.line, col_offset=self.column)

    def give(self, value: ast.expr | None) -> ast.stmt:
        """``return value``."""
        return ast.Return(value, lineno=self.line, col_offset=self.column)

    def attempt(self, body: list[ast.stmt], error: str, handler: list[ast.stmt]) -> ast.stmt:
        """``try: body except error: handler``."""
        clause = ast.ExceptHandler(self.name(error), None, handler, lineno=self.line, col_offset=self.column)
        return ast.Try(body, [clause], [], [], lineno=self.line, col_offset=self.column)

    def nonlocals(self, names: Sequence[str]) -> ast.stmt:
        """``nonlocal names``."""
        return ast.Nonlocal(list(names), lineno=self.line, col_offset=self.column)

    def function(self, name: str, params: Sequence[str], body: list[ast.stmt]) -> ast.stmt:
        """``def name(params): body``."""
        args = [ast.arg(param, None, lineno=self.line, col_offset=self.column) for param in params]
        return ast.FunctionDef(
            name,
            ast.arguments([], args, None, [], [], None, []),
            body,
            [],
            lineno=self.line,
            col_offset=self.column,
        )

    def _store(self, name: str) -> ast.expr:
        return ast.Name(name, STORE, lineno=self.line, col_offset=self.column)


def compile_module(body: list[ast.stmt], filename: str) -> CodeType:
    """The code of a module made of these statements."""
    return compile(ast.Module(body, []), filename, "exec", dont_inherit=True, optimize=1)
