"""Folds as loops."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from sekisho.cel import costs
from sekisho.cel.codegen.block import COUNT, LIMIT, STATE, Block, Unsupported
from sekisho.cel.nodes import Fold, FoldKind, Node
from sekisho.cel.types import Kind

DEPTH: Final = 15
"""Loops in loops: CPython compiles at most 20 nested blocks."""

Write = Callable[[Node], ast.expr]


class Writers:
    """How values and conditions are written."""

    def __init__(self, value: Write, truth: Write) -> None:
        self.value = value
        self.truth = truth


def fold(block: Block, writers: Writers, node: Fold) -> ast.expr:
    """The value of a fold."""
    if block.loops >= DEPTH:
        raise Unsupported
    w = block.writer
    values = _range(block, node, writers.value(node.range))
    result = block.name()
    start, each, end = _KINDS[node.kind](block, writers, node, result)
    block.lines.append(w.assign(result, start))
    names = [block.name() for _ in range(2 if node.second else 1)]
    _enter(block, node, names)
    block.loops += 1
    lines, cost = block.lines, block.cost
    block.lines, block.cost = [], 0
    each()
    body, paid = block.lines, block.cost
    block.lines, block.cost = lines, cost
    block.loops -= 1
    block.trust.leave(len(names))
    del block.locals[len(block.locals) - len(names) :]
    block.lines.append(w.loop(names, values, [*_pay(block, paid), *body]))
    if node.kind in _BUILT:
        block.lines.append(w.do(w.call("built", w.name(STATE), w.name(result))))
    block.cost += end
    if node.kind is FoldKind.EXISTS_ONE:
        return w.compare(w.name(result), "==", w.const(1))
    return w.name(result)


_BUILT: Final = frozenset({FoldKind.LIST, FoldKind.MAP, FoldKind.ENTRIES})


def _range(block: Block, node: Fold, values: ast.expr) -> ast.expr:
    w = block.writer
    if node.second:
        return w.call("pairs_of", values)
    kind = block.trust.kind(node.range)
    if kind is Kind.LIST:
        return values
    if kind is Kind.MAP:
        return w.call("keys_of", values)
    values = block.keep(values)
    plain = w.compare(w.call("type", values), "is", w.name("list"))
    return w.choose(plain, values, w.call("range_of", values))


def _enter(block: Block, node: Fold, names: list[str]) -> None:
    """The variables, and whether their types can be relied on."""
    trusted = not block.trust.dynamic(node.range)
    for name, python in zip([node.variable, node.second], names, strict=False):
        block.locals.append((name, python))
        block.trust.enter(name, trusted=trusted)


def _pay(block: Block, cost: int) -> list[ast.stmt]:
    """The start of each turn: ``c = c + cost; if c > m: m = S.tick(c)``."""
    w = block.writer
    count, limit = w.name(COUNT), w.name(LIMIT)
    return [
        w.assign(COUNT, w.binary(count, "+", w.const(cost))),
        w.when(
            w.compare(count, ">", limit),
            [w.assign(LIMIT, w.method(w.name(STATE), "tick", count))],
        ),
    ]


Parts = tuple[ast.expr, Callable[[], None], int]
"""What the result is at first, what writes a turn, and what the end costs."""


def _quantified(block: Block, writers: Writers, node: Fold, result: str) -> Parts:
    """``all`` and ``exists``: the turn that decides ends the loop."""
    w = block.writer
    every = node.kind is FoldKind.ALL
    turn, test = (costs.ALL_TURN, costs.ALL_TEST) if every else (costs.EXISTS_TURN, costs.EXISTS_TEST)

    def each() -> None:
        block.cost += turn
        held = writers.truth(node.result)
        # Where a turn would follow, cel-go tests once more.
        tested = w.assign(COUNT, w.binary(w.name(COUNT), "+", w.const(test)))
        decided = [tested, w.assign(result, w.const(not every)), w.leave()]
        block.lines.append(w.when(w.negate(held) if every else held, decided))

    return w.const(every), each, 1


def _counted(block: Block, writers: Writers, node: Fold, result: str) -> Parts:
    """``exists_one``."""
    w = block.writer

    def each() -> None:
        held = writers.truth(node.result)
        more = w.binary(w.name(result), "+", w.const(1))
        count = w.assign(COUNT, w.binary(w.name(COUNT), "+", w.const(costs.COUNTED)))
        block.lines.append(w.when(held, [count, w.assign(result, more)]))

    return w.const(0), each, 2


def _collected(block: Block, writers: Writers, node: Fold, add: Callable[[], None]) -> Callable[[], None]:
    """A turn that adds something if the filter lets it."""
    w = block.writer

    def each() -> None:
        if node.filter is None:
            add()
            return
        held = writers.truth(node.filter)
        lines, cost = block.lines, block.cost
        block.lines, block.cost = [], 0
        add()
        paid = w.assign(COUNT, w.binary(w.name(COUNT), "+", w.const(block.cost)))
        body = [paid, *block.lines]
        block.lines, block.cost = lines, cost
        block.lines.append(w.when(held, body))

    return each


def _listed(block: Block, writers: Writers, node: Fold, result: str) -> Parts:
    w = block.writer

    def add() -> None:
        value = writers.value(node.result)
        block.cost += costs.append_cost(node.result)
        block.lines.append(w.do(w.method(w.name(result), "append", value)))

    return w.list_of([]), _collected(block, writers, node, add), 1


def _mapped(block: Block, writers: Writers, node: Fold, result: str) -> Parts:
    w = block.writer

    def add() -> None:
        value = writers.value(node.result)
        block.cost += costs.INSERT
        block.lines.append(w.do(w.call("insert", w.name(result), block.local(node.variable), value)))

    return w.dict_of([]), _collected(block, writers, node, add), 1


def _entered(block: Block, writers: Writers, node: Fold, result: str) -> Parts:
    w = block.writer

    def add() -> None:
        value = writers.value(node.result)
        block.cost += costs.INSERT_ENTRY
        block.lines.append(w.do(w.call("insert_entry", w.name(result), value)))

    return w.dict_of([]), _collected(block, writers, node, add), 1


_KINDS: Final[dict[FoldKind, Callable[[Block, Writers, Fold, str], Parts]]] = {
    FoldKind.ALL: _quantified,
    FoldKind.EXISTS: _quantified,
    FoldKind.EXISTS_ONE: _counted,
    FoldKind.LIST: _listed,
    FoldKind.MAP: _mapped,
    FoldKind.ENTRIES: _entered,
}
