"""Operands to expressions, and the plain call of a built-in."""

from __future__ import annotations

import ast
from bisect import bisect_right
from typing import Final

from sekisho.lang.pyast import Writer
from sekisho.rego.codegen.blocks import BlockWriter
from sekisho.rego.codegen.unit import Unit, kind_of
from sekisho.rego.plan import ir
from sekisho.rego.plan.ir import Const, Operand

_NAMED: Final = (ir.CallBuiltin, ir.Solutions)


class OperandWriter(BlockWriter):
    """Writes operands and calls. ``kinds`` is what is known of the locals' types."""

    def __init__(self, py: Writer, unit: Unit, module: int) -> None:
        super().__init__(py)
        self.unit = unit
        self.module = module
        self.kinds: dict[str, str] = {}

    def place(self, ins: ir.Instruction) -> None:
        """Set the writer's position to that of an instruction."""
        self.move(ins.at)

    def move(self, offset: int) -> None:
        """Set the writer's position to an offset of the module."""
        starts = self.unit.line_starts(self.module)
        line = bisect_right(starts, offset)
        self.py.line, self.py.column = line, offset - starts[line - 1]

    def position(self, ins: ir.Instruction) -> ast.expr:
        """The number of an instruction's position, as an argument."""
        label = ins.name if isinstance(ins, _NAMED) else ""
        return self.py.const(self.unit.position(self.module, ins.at, ins.to, label))

    # --- operands ---

    def operand(self, operand: Operand, state: str = "s") -> ast.expr:
        """An expression for an operand."""
        if isinstance(operand, Const):
            return self.unit.constant(self.py, operand.value)
        if operand in ir.ROOTS:
            return self.py.attr(self.py.name(state), operand)
        return self.py.name(operand)

    def kind(self, operand: Operand) -> str:
        """What is known of an operand's type."""
        return kind_of(operand, self.kinds)

    def hashable(self, operand: Operand, state: str = "s") -> ast.expr:
        """An expression for the ``key`` form of an operand."""
        value = self.operand(operand, state)
        if self.kind(operand) in {"str", "int", "null"}:
            return value
        return self.py.call("key", value)

    # --- calls ---

    def call_row(self, name: str, args: tuple[Operand, ...], state: str) -> ast.expr:
        """The plain call of a built-in's function."""
        values = [self.operand(arg, state) for arg in args]
        if self.unit.builtins[name].context:
            values.insert(0, self.py.name(state))
        return self.py.call(self.unit.builtin(name), *values)

    def guarded(self, dst: str, value: ast.expr, ins: ir.Instruction) -> ast.stmt:
        """``dst = value``, where a built-in may refuse its operands."""
        py = self.py
        fault = py.call("fault", py.name(ins.state), self.position(ins))
        return py.attempt([py.assign(dst, value)], "BuiltinFault", [py.assign(dst, fault)])


def result_kind(unit: Unit, name: str) -> str:
    """What the signature of a built-in says of its result."""
    return _RESULTS.get(type(unit.builtins[name].type.result).__name__, "")


_RESULTS: Final = {
    "String": "str",
    "Boolean": "bool",
    "Array": "list",
    "Object": "dict",
    "SetOf": "set",
    "Num": "number",
    "Null": "null",
}
