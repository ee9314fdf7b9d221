"""Built-ins that are written in place, because calling them would cost more than what they do.

Each has a native form for operands of the right type. For other operands the code falls back to ``refuse``,
which calls the built-in itself, so that its verdict and its message are the table's.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sekisho.rego.plan import ir
from sekisho.rego.plan.ir import Const, Operand

if TYPE_CHECKING:
    from sekisho.rego.codegen.blocks import Frame
    from sekisho.rego.codegen.operands import OperandWriter


def condition(writer: OperandWriter, ins: ir.CallBuiltin, out: list[ast.stmt], frame: Frame) -> bool:
    """Write a call whose result is only tested; False if there is no such form."""
    if ins.name in writer.unit.mockable:
        return False
    negative = _NEGATIVE.get(ins.name)
    if negative is not None:
        writer.fail_when(negative(writer, ins), out, frame)
        return True
    if type(writer.unit.builtins[ins.name].type.result).__name__ != "Boolean":
        return False
    if not (_native(writer, ins, out) or _either(writer, ins, out)):
        call = writer.call_row(ins.name, ins.args, ins.state)
        out.append(writer.guarded(ins.dst, call, ins))
    py = writer.py
    writer.fail_when(py.compare(py.name(ins.dst), "is not", py.const(True)), out, frame)
    return True


def value(writer: OperandWriter, ins: ir.CallBuiltin, out: list[ast.stmt]) -> bool | None:
    """Write a call for its result: True if that is never undefined, False if it may be, None if it cannot."""
    py = writer.py
    if ins.name in _NEGATIVE:
        out.append(py.assign(ins.dst, py.negate(_NEGATIVE[ins.name](writer, ins))))
        return True
    if ins.name == "sprintf" and [writer.kind(arg) for arg in ins.args] == ["str", "list"]:
        out.append(py.assign(ins.dst, writer.call_row(ins.name, ins.args, ins.state)))
        return True
    sure = _SURE.get(ins.name)
    if sure is not None:
        expression = sure(writer, ins)
        if expression is not None:
            out.append(py.assign(ins.dst, expression))
            writer.kinds[ins.dst] = "int"
            return True
    return False if _native(writer, ins, out) or _either(writer, ins, out) else None


# --- comparisons ------------------------------------------------------------------------------------------


def unequal(writer: OperandWriter, a: Operand, b: Operand, state: str = "s") -> ast.expr:
    """A test that two values differ."""
    py = writer.py
    if isinstance(a, Const) and not isinstance(b, Const):
        a, b = b, a
    left, right = writer.operand(a, state), writer.operand(b, state)
    kinds = {writer.kind(a), writer.kind(b)}
    if isinstance(b, Const):
        if b.value is None or type(b.value) is bool:
            return py.compare(left, "is not", right)
        if type(b.value) is int and b.value in {0, 1}:
            is_bool = py.compare(py.call("type", left), "is", py.name("bool"))
            return py.any_of([py.compare(left, "!=", right), is_bool])
        if type(b.value) in {str, int} or b.value in ([], {}):
            return py.compare(left, "!=", right)
    elif "str" in kinds:
        return py.compare(left, "!=", right)
    elif isinstance(a, str) and not kinds & {"list", "dict", "set", "number", "int"}:
        is_str = py.compare(py.call("type", left), "is", py.name("str"))
        slow = py.negate(py.call("equal", left, right))
        return py.choose(is_str, py.compare(left, "!=", right), slow)
    return py.negate(py.call("equal", left, right))


def _not_equal(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr:
    return unequal(writer, ins.args[0], ins.args[1], ins.state)


def _not_unequal(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr:
    return writer.py.negate(unequal(writer, ins.args[0], ins.args[1], ins.state))


def _order(opposite: str, function: str) -> Callable[[OperandWriter, ir.CallBuiltin], ast.expr]:
    def negative(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr:
        py = writer.py
        a, b = (writer.operand(arg, ins.state) for arg in ins.args)
        slow = py.negate(py.call(function, a, b))
        for operand, other in zip(ins.args, reversed(ins.args), strict=True):
            if writer.kind(operand) == "int" and isinstance(other, str):
                node = b if operand is ins.args[0] else a
                is_int = py.compare(py.call("type", node), "is", py.name("int"))
                return py.choose(is_int, py.compare(a, opposite, b), slow)
        return slow

    return negative


def _not_type(*names: str) -> Callable[[OperandWriter, ir.CallBuiltin], ast.expr]:
    def negative(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr:
        py = writer.py
        kind = py.call("type", writer.operand(ins.args[0], ins.state))
        return py.compare(kind, "is not", py.name(names[0]))

    return negative


def _not_number(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr:
    py = writer.py
    kind = py.call("type", writer.operand(ins.args[0], ins.state))
    return py.compare(kind, "not in", py.name("NUMERIC"))


def _not_null(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr:
    py = writer.py
    return py.compare(writer.operand(ins.args[0], ins.state), "is not", py.const(None))


def _not_member(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr:
    args = [writer.operand(arg, ins.state) for arg in ins.args]
    return writer.py.negate(writer.py.call("member", *args))


_NEGATIVE: Final[dict[str, Callable[[OperandWriter, ir.CallBuiltin], ast.expr]]] = {
    "equal": _not_equal,
    "neq": _not_unequal,
    "lt": _order(">=", "less"),
    "lte": _order(">", "less_equal"),
    "gt": _order("<=", "greater"),
    "gte": _order("<", "greater_equal"),
    "is_string": _not_type("str"),
    "is_boolean": _not_type("bool"),
    "is_array": _not_type("list"),
    "is_object": _not_type("dict"),
    "is_set": _not_type("Set"),
    "is_number": _not_number,
    "is_null": _not_null,
    "internal.member_2": _not_member,
}
"""Built-ins that are pure tests: each gives a Python test that the built-in is false."""


# --- native forms of partial functions --------------------------------------------------------------------


def _size(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr | None:
    """``count`` of what is known to have a size."""
    if writer.kind(ins.args[0]) not in {"str", "list", "dict", "set"}:
        return None
    return writer.py.call("len", writer.operand(ins.args[0], ins.state))


def _integers(operator: str) -> Callable[[OperandWriter, ir.CallBuiltin], ast.expr | None]:
    def form(writer: OperandWriter, ins: ir.CallBuiltin) -> ast.expr | None:
        a, b = (writer.operand(arg, ins.state) for arg in ins.args)
        small = {writer.kind(arg) for arg in ins.args} == {"int"}
        return writer.py.binary(a, operator, b) if small else None

    return form


_SURE: Final[dict[str, Callable[[OperandWriter, ir.CallBuiltin], ast.expr | None]]] = {
    "count": _size,
    "plus": _integers("+"),
    "minus": _integers("-"),
}
"""Built-ins that give an integer, whatever happens, for operands of known types."""


def _native(writer: OperandWriter, ins: ir.CallBuiltin, out: list[ast.stmt]) -> bool:
    """Try the native form, and ask the built-in where Python refuses."""
    form = _NATIVE.get(ins.name)
    if form is None:
        return False
    py = writer.py
    expression, error = form(writer, ins)
    refuse = py.call(
        "refuse",
        py.name(ins.state),
        writer.position(ins),
        py.name(writer.unit.builtin(ins.name)),
        *(writer.operand(arg, ins.state) for arg in ins.args),
    )
    out.append(py.attempt([py.assign(ins.dst, expression)], error, [py.assign(ins.dst, refuse)]))
    return True


def _method(name: str) -> Callable[[OperandWriter, ir.CallBuiltin], tuple[ast.expr, str]]:
    def form(writer: OperandWriter, ins: ir.CallBuiltin) -> tuple[ast.expr, str]:
        a, b = (writer.operand(arg, ins.state) for arg in ins.args)
        text = writer.kind(ins.args[1]) == "str"
        return writer.py.method(a, name, b), "AttributeError" if text else "NOT_TEXT"

    return form


def _len(writer: OperandWriter, ins: ir.CallBuiltin) -> tuple[ast.expr, str]:
    return writer.py.call("len", writer.operand(ins.args[0], ins.state)), "TypeError"


_NATIVE: Final[dict[str, Callable[[OperandWriter, ir.CallBuiltin], tuple[ast.expr, str]]]] = {
    "count": _len,
    "startswith": _method("startswith"),
    "endswith": _method("endswith"),
}
"""Built-ins that a Python function or method does: what it raises for other operands sends them to ours."""


def _either(writer: OperandWriter, ins: ir.CallBuiltin, out: list[ast.stmt]) -> bool:
    """The native form for a first operand of the right type, else the built-in."""
    form = _EITHER.get(ins.name)
    if form is None or len(ins.args) < 2 or writer.kind(ins.args[1]) != "str":
        return False
    kind, native = form
    py = writer.py
    operands = [writer.operand(arg, ins.state) for arg in ins.args]
    test = py.compare(py.call("type", operands[0]), "is", py.name(kind))
    slow = writer.call_row(ins.name, ins.args, ins.state)
    out.append(writer.guarded(ins.dst, py.choose(test, native(writer, operands), slow), ins))
    return True


_EITHER: Final[dict[str, tuple[str, Callable[[OperandWriter, list[ast.expr]], ast.expr]]]] = {
    "object.get": ("dict", lambda writer, args: writer.py.method(args[0], "get", args[1], args[2])),
    "contains": ("str", lambda writer, args: writer.py.compare(args[1], "in", args[0])),
    "trim_prefix": ("str", lambda writer, args: writer.py.method(args[0], "removeprefix", args[1])),
    "trim_suffix": ("str", lambda writer, args: writer.py.method(args[0], "removesuffix", args[1])),
}
"""Built-ins whose second operand is known to be a string here: the type of the first, and the native form."""
