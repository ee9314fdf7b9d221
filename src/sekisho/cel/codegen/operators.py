"""Operators written in place, where static types or a look at the value allow it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from math import ceil
from typing import Final

from sekisho.cel import costs
from sekisho.cel.codegen.block import STATE, Block
from sekisho.cel.compare import TRAVERSAL
from sekisho.cel.nodes import Call, ListNode, Literal, Node
from sekisho.cel.types import Kind
from sekisho.cel.values import INT_MAX, INT_MIN

Write = Callable[[Node], ast.expr]

_INTEGERS: Final = frozenset({Kind.INT, Kind.UINT})
_NUMBERS: Final = frozenset({Kind.INT, Kind.UINT, Kind.DOUBLE})
_EXACT: Final = 1 << 53
"""Up to here, integers and doubles compare alike, whichever is converted."""
_TEXTS: Final = frozenset({Kind.STRING, Kind.BYTES})

ORDERS: Final = {
    "_<_": ("<", "less"),
    "_<=_": ("<=", "less_equal"),
    "_>_": (">", "greater"),
    "_>=_": (">=", "greater_equal"),
}
ARITHMETIC: Final = {"_+_": ("+", "add"), "_-_": ("-", "subtract"), "_*_": ("*", "multiply")}
PLAIN: Final = {"_/_": "divide", "_%_": "modulo", "-_": "negate"}


def literal(node: Node) -> object:
    """The value of a literal; None for what is none (and for null)."""
    return node.value if isinstance(node, Literal) else None


def text_cost(node: Node) -> int | None:
    """What a comparison with a text that is written costs at most; None if it is not written."""
    value = literal(node)
    return ceil(len(value) * TRAVERSAL) if isinstance(value, str | bytes) else None


def order(block: Block, write: Write, node: Call) -> ast.expr:
    """``< <= > >=``."""
    w = block.writer
    symbol, function = ORDERS[node.function]
    left, right = node.args
    a, b = write(left), write(right)
    kinds = {block.trust.kind(left), block.trust.kind(right)}
    if kinds <= _INTEGERS:
        block.cost += 1
        return w.compare(a, symbol, b)
    cost = costs.call_cost(node)
    if not isinstance(cost, int):
        known = text_cost(right) if text_cost(right) is not None else text_cost(left)
        if known is None:
            a, b = block.keep(a), block.keep(b)
            row = node.overloads[0]
            block.count(w.call(block.use("cost", row.function, row.id), a, b, w.const(None)))
        else:
            block.cost += known
    else:
        block.cost += cost
    if len(kinds) == 1 and kinds <= _TEXTS:
        return w.compare(a, symbol, b)
    guard = _guard(block, left, right)
    if guard is None:
        return w.call(function, a, b)
    # One side is written: if the other is of the same class, Python's order is CEL's.
    a, b = (block.keep(a), b) if isinstance(right, Literal) else (a, block.keep(b))
    tested = a if isinstance(right, Literal) else b
    same = w.compare(w.call("type", tested), "is", w.name(guard))
    return w.choose(same, w.compare(a, symbol, b), w.call(function, a, b))


def _guard(block: Block, left: Node, right: Node) -> str | None:
    """The class that the side which is not written must have for the fast way."""
    for written, other in ((right, left), (left, right)):
        if isinstance(written, Literal) and block.trust.kind(other) is Kind.DYN:
            return {int: "int", str: "str"}.get(type(written.value))
    return None


def equality(block: Block, write: Write, node: Call) -> ast.expr:
    """``==`` and ``!=``."""
    w = block.writer
    left, right = node.args
    if isinstance(left, Literal) and not isinstance(right, Literal):
        left, right = right, left
    equal, same = ("==", "is") if node.function == "_==_" else ("!=", "is not")
    a, b = write(left), write(right)
    kinds = {block.trust.kind(left), block.trust.kind(right)}
    value = literal(right)
    if kinds <= _INTEGERS or kinds == {Kind.DOUBLE}:
        block.cost += 1
        return w.compare(a, equal, b)
    if isinstance(value, str | bytes):
        block.cost += text_cost(right) or 0
        return w.compare(a, equal, b)
    if isinstance(right, Literal) and (value is None or isinstance(value, bool)):
        block.cost += 1
        return w.compare(a, same, b)
    if kinds == {Kind.BOOL} or (Kind.BOOL in kinds and Kind.DYN in kinds):
        block.cost += 1
        return w.compare(a, same, b)
    # Python takes 0 and 1 for booleans.
    if isinstance(value, int | float) and abs(value) < _EXACT and value not in (0, 1):
        block.cost += 1
        return w.compare(a, equal, b)
    found = w.call("equal_paid", w.name(STATE), a, b)
    return found if equal == "==" else w.negate(found)


def arithmetic(block: Block, write: Write, node: Call) -> ast.expr:
    """``+ - *``."""
    w = block.writer
    symbol, function = ARITHMETIC[node.function]
    left, right = node.args
    a, b = write(left), write(right)
    kinds = {block.trust.kind(left), block.trust.kind(right)}
    if kinds == {Kind.INT}:
        block.cost += 1
        name = block.name()
        sum_ = w.bind(name, w.binary(a, symbol, b))
        fits = w.within(w.const(INT_MIN), sum_, w.const(INT_MAX))
        return w.choose(fits, w.name(name), w.call("overflow"))
    if kinds == {Kind.DOUBLE}:
        block.cost += 1
        return w.binary(a, symbol, b)
    cost = costs.call_cost(node)
    if isinstance(cost, int):
        block.cost += cost
    else:
        a, b = block.keep(a), block.keep(b)
        row = node.overloads[0]
        block.count(w.call(block.use("cost", row.function, row.id), a, b, w.const(None)))
    if symbol == "+":
        return w.call(function, w.name(STATE), a, b)
    return w.call(function, a, b)


def plain(block: Block, write: Write, node: Call) -> ast.expr:
    """``/ %`` and negation."""
    args = [write(arg) for arg in node.args]
    block.cost += 1
    return block.writer.call(PLAIN[node.function], *args)


def membership(block: Block, write: Write, node: Call) -> ast.expr:
    """``a in b``."""
    w = block.writer
    left, right = node.args
    a, b = write(left), write(right)
    if costs.is_membership(node):
        assert isinstance(right, ListNode)
        values = [literal(element) for element in right.elements]
        exact = all(isinstance(v, str) for v in values) or (
            block.trust.kind(left) in _INTEGERS and all(isinstance(v, int) for v in values)
        )
        if exact and not any(isinstance(v, bool) for v in values):
            return w.compare(a, "in", b)
        return w.call("contains", w.name(STATE), a, b)
    cost = costs.call_cost(node)
    if isinstance(cost, int):
        block.cost += cost
    else:
        b = block.keep(b)
        block.count(w.call("len", b))
    if block.trust.kind(left) is not Kind.STRING:
        return w.call("contains", w.name(STATE), a, b)
    if block.trust.kind(right) is Kind.MAP:
        return w.compare(a, "in", b)
    a, b = block.keep(a), block.keep(b)
    plain = w.compare(w.call("type", b), "is", w.name("dict"))
    return w.choose(plain, w.compare(a, "in", b), w.call("contains", w.name(STATE), a, b))


def negation(block: Block, write: Write, node: Call) -> ast.expr:
    """``!a``."""
    w = block.writer
    [operand] = node.args
    value = write(operand)
    block.cost += 1
    if block.trust.kind(operand) is Kind.BOOL:
        return w.negate(value)
    return w.call("logical_not", value)


def size(block: Block, write: Write, node: Call) -> ast.expr:
    """``size(a)``."""
    [operand] = node.args
    value = write(operand)
    block.cost += 1
    known = block.trust.kind(operand) in _TEXTS | {Kind.LIST, Kind.MAP}
    return block.writer.call("len" if known else "size", value)


def affix(block: Block, write: Write, node: Call) -> ast.expr | None:
    """``startsWith``, ``endsWith`` and ``contains`` with a text that is written.

    Only texts have these methods and take a text: for other values Python's own error ends the fast way.
    """
    target, argument = node.args
    part = literal(argument)
    kind = block.trust.kind(target)
    if not isinstance(part, str) or kind not in (Kind.STRING, Kind.DYN):
        return None
    w = block.writer
    text, written = write(target), write(argument)
    if node.function != "contains":
        block.cost += ceil(len(part) * TRAVERSAL)
        return w.method(text, _METHODS[node.function], written)
    text = block.keep(text)
    units = w.call("units", w.call("len", text))  # whatever has no length is no text either
    if len(part) > 10:
        units = w.binary(units, "*", w.const(ceil(len(part) * TRAVERSAL)))
    if part:
        block.count(units)
    if kind is Kind.STRING:
        return w.compare(written, "in", text)
    return w.compare(w.method(text, "find", written), ">=", w.const(0))


_METHODS: Final = {"startsWith": "startswith", "endsWith": "endswith"}
