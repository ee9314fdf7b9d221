"""Evaluates a tree step by step.

Compiled code is fast and gives up at the first error. This is what goes on then: it absorbs errors where the
language does, says where one arose, counts the cost exactly, and notes what it reads if it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sekisho.cel import costs
from sekisho.cel.access import has, index, optional_index, optional_select, select
from sekisho.cel.compare import contains, equal
from sekisho.cel.dispatch import Dispatch, call
from sekisho.cel.errors import CelError
from sekisho.cel.nodes import (
    Bind,
    Call,
    Fold,
    FoldKind,
    Ident,
    ListNode,
    Literal,
    MapNode,
    Node,
    OptMap,
    Select,
    StructNode,
)
from sekisho.cel.runtime import (
    bool_of,
    insert,
    insert_entry,
    optional_entry,
    pairs_of,
    present,
    range_of,
)
from sekisho.cel.state import State
from sekisho.cel.trail import Trail
from sekisho.cel.types import Field
from sekisho.cel.values import NONE, Optional, Value

_FAILED: Final = object()
"""What stands for an argument that failed."""


class _Lazy:
    """A value that ``cel.bind`` gives a name to: computed when it is first used."""

    __slots__ = ("done", "error", "node", "scope", "value")

    def __init__(self, node: Node, scope: dict[str, Any]) -> None:
        self.node = node
        self.scope = scope
        self.done = False
        self.value: Value = None
        self.error: CelError | None = None


class Evaluator:
    """One evaluation of a tree."""

    def __init__(
        self,
        activation: Mapping[str, Value],
        state: State,
        *,
        presence_cost: bool,
        trail: Trail | None = None,
    ) -> None:
        self._activation = activation
        self._state = state
        self._presence = 1 if presence_cost else 0
        self._trail = trail
        self._scope: dict[str, Any] = {}
        self._dispatches: dict[Call, Dispatch] = {}

    def value(self, node: Node) -> Value:
        """The value of a node. CelError with its offset, or Exhausted."""
        try:
            found = _EVALUATE[type(node)](self, node)
        except CelError as error:
            if error.offset < 0:
                error.offset = node.start
            raise
        if self._trail is not None:
            self._trail.note(node, found)
        return found

    def _pay(self, cost: int) -> None:
        self._state.pay(cost)

    # --- names and accesses -------------------------------------------------------------------------------

    def literal(self, node: Literal) -> Value:
        """A value that is written."""
        return node.value

    def ident(self, node: Ident) -> Value:
        """A variable."""
        if node.constant is not None:
            return node.constant[0]
        self._pay(1)
        name = node.resolved or node.name
        if node.local:
            found = self._scope[name]
            return self._forced(found) if type(found) is _Lazy else found
        try:
            return self._activation[name]
        except KeyError:
            raise CelError(f"no such attribute(s): {name}") from None

    def _forced(self, lazy: _Lazy) -> Value:
        if not lazy.done:
            scope, self._scope = self._scope, lazy.scope
            try:
                lazy.value = self.value(lazy.node)
            except CelError as error:
                lazy.error = error
            finally:
                self._scope = scope
            lazy.done = True
        if lazy.error is not None:
            raise lazy.error
        return lazy.value

    def select(self, node: Select) -> Value:
        """``a.b``, ``a.?b``, ``has(a.b)``."""
        operand = self.value(node.operand)
        self._pay(costs.step_cost(node.operand) - (1 - self._presence if node.test else 0))
        row = node.declared
        key = row.key or node.field if row is not None else node.field
        if self._trail is not None:
            self._trail.read(operand, key, node, tested=node.test or node.optional)
        if node.test:
            return has(operand, key)
        if node.optional or type(operand) is Optional:
            found = optional_select(operand, key)
            if not found.present:
                self._pay(-1)  # what is not there is not counted
            return _read_optional(row, found)
        return _read(row, select(operand, key))

    def _index(self, node: Call) -> Value:
        operand = self.value(node.args[0])
        key = self.value(node.args[1])
        self._pay(costs.step_cost(node.args[0]) - 1 + costs.index_cost(node.args[1]))
        if self._trail is not None:
            self._trail.read(operand, key, node, tested=node.function == "_[?_]")
        if node.function == "_[?_]" or type(operand) is Optional:
            found = optional_index(operand, key)
            if not found.present:
                self._pay(-1)
            return found
        return index(operand, key)

    # --- calls --------------------------------------------------------------------------------------------

    def call(self, node: Call) -> Value:
        """A function or operator."""
        control = _CONTROL.get(node.function)
        if control is not None and (not node.member or node.overloads[0].id in _OPTIONAL):
            return control(self, node)
        if costs.is_written(node):
            return call(State(self._state.meter), self._dispatch(node), *map(self.value, node.args))
        args, error = self._args(node)
        found: Value = None
        if error is None:
            try:
                found = call(self._state, self._dispatch(node), *args)
            except CelError as failed:
                error = failed
        if error is None or len(args) == len(node.args):
            cost = costs.call_cost(node)
            self._pay(cost if isinstance(cost, int) else cost(*args, found))
        if error is not None:
            raise error
        return found

    def _args(self, node: Call) -> tuple[list[Value], CelError | None]:
        """The arguments, and the first error among them.

        As in cel-go, the second of two is evaluated whatever the first is, and one that failed counts as a
        value of size 1.
        """
        args: list[Value] = []
        error: CelError | None = None
        for arg in node.args:
            try:
                args.append(self.value(arg))
            except CelError as failed:
                error = error or failed
                if len(node.args) > 2:
                    break
                args.append(_FAILED)
        return args, error

    def _dispatch(self, node: Call) -> Dispatch:
        found = self._dispatches.get(node)
        if found is None:
            found = self._dispatches[node] = Dispatch(node.function, node.overloads)
        return found

    def _equal(self, node: Call) -> bool:
        (a, b), error = self._args(node)
        cost = costs.call_cost(node)
        self._pay(cost if isinstance(cost, int) else cost(a, b, None))
        if error is not None:
            raise error
        return equal(self._state, a, b) is (node.function == "_==_")

    def _in(self, node: Call) -> bool:
        (value, collection), error = self._args(node)
        if not costs.is_membership(node):
            cost = costs.call_cost(node)
            self._pay(cost if isinstance(cost, int) else cost(value, collection, None))
        if error is not None:
            raise error
        if self._trail is not None and isinstance(collection, dict):
            self._trail.read(collection, value, node, tested=True)
        return contains(self._state, value, collection)

    # --- logic --------------------------------------------------------------------------------------------

    def _and(self, node: Call) -> bool:
        return self._logic(node, False)

    def _or(self, node: Call) -> bool:
        return self._logic(node, True)

    def _logic(self, node: Call, decides: bool) -> bool:
        """``&&`` and ``||``: an operand that decides does so whatever failed before it."""
        error: CelError | None = None
        mark = self._mark()
        for arg in node.args:
            here = self._mark()
            try:
                if bool_of(self.value(arg)) is decides:
                    self._forget(mark, here)
                    return decides
            except CelError as failed:
                if failed.offset < 0:
                    failed.offset = arg.start
                error = error or failed
        if error is not None:
            raise error
        return not decides

    def _either(self, node: Call) -> Value:
        """``a.or(b)``, ``a.orValue(b)``: what follows counts only where there is no value."""
        target, other = node.args
        optional = self.value(target)
        if not present(optional):
            return self.value(other)
        return optional.value if node.function == "orValue" else optional

    def _ternary(self, node: Call) -> Value:
        condition, yes, no = node.args
        branch = yes if bool_of(self.value(condition)) else no
        found = self.value(branch)
        self._state.cost -= costs.branch_discount(branch, self._presence)
        return found

    # --- collections --------------------------------------------------------------------------------------

    def list(self, node: ListNode) -> Value:
        """``[…]``."""
        found: list[Value] = []
        for at, element in enumerate(node.elements):
            value = self.value(element)
            if at in node.optional:
                if not optional_entry(value):
                    continue
                value = value.value
            found.append(value)
        if not costs.is_written(node):
            self._pay(costs.LIST)
        return found

    def map(self, node: MapNode) -> Value:
        """``{…}``."""
        found: dict[Any, Value] = {}
        for entry in node.entries:
            key, value = self.value(entry.key), self.value(entry.value)
            if entry.optional:
                if not optional_entry(value):
                    continue
                value = value.value
            insert(found, key, value)
        if not costs.is_written(node):
            self._pay(costs.MAP)
        return found

    def struct(self, node: StructNode) -> Value:
        """``Name{…}``."""
        fields: dict[str, Value] = {}
        for entry in node.entries:
            value = self.value(entry.value)
            if entry.optional:
                if not optional_entry(value):
                    continue
                value = value.value
            fields[entry.field] = value
        self._pay(costs.STRUCT)
        if node.declared is None or node.declared.build is None:
            raise CelError(f"unknown type: {node.name}")
        return node.declared.build(fields)

    # --- folds --------------------------------------------------------------------------------------------

    def fold(self, node: Fold) -> Value:
        """A comprehension."""
        values = self.value(node.range)
        turns = self._turns(node, values)
        outer = self._scope
        self._scope = {**outer}
        try:
            return _FOLDS[node.kind](self, node, turns)
        finally:
            self._scope = outer

    def _turns(self, node: Fold, values: Value) -> Iterable[None]:
        """Run through the range; the variables have their values at each turn."""
        pairs: Iterable[tuple[Value, Value]]
        pairs = pairs_of(values) if node.second else enumerate(range_of(values))
        watched = self._state.meter.watch(pairs)
        steps = isinstance(values, list | tuple)
        for first, second in watched:
            if node.second:
                self._scope[node.variable], self._scope[node.second] = first, second
            else:
                self._scope[node.variable] = second
            if self._trail is not None:
                self._trail.read(values, first if steps or node.second else second, node.range)
            yield None

    def _all(self, node: Fold, turns: Iterable[None]) -> bool:
        return self._quantify(node, turns, False, costs.ALL_TURN, costs.ALL_TEST)

    def _exists(self, node: Fold, turns: Iterable[None]) -> bool:
        return self._quantify(node, turns, True, costs.EXISTS_TURN, costs.EXISTS_TEST)

    def _quantify(self, node: Fold, turns: Iterable[None], decides: bool, turn: int, test: int) -> bool:
        error: CelError | None = None
        found = not decides
        mark = here = self._mark()
        for _ in turns:
            if found is decides:
                self._forget(here, self._mark())
                self._pay(test)
                break
            self._pay(turn)
            try:
                if bool_of(self.value(node.result)) is decides:
                    found, error = decides, None
                    self._forget(mark, here)
            except CelError as failed:
                if failed.offset < 0:
                    failed.offset = node.result.start
                error = error or failed
            here = self._mark()
        self._pay(1)
        if error is not None:
            raise error
        return found

    def _exists_one(self, node: Fold, turns: Iterable[None]) -> bool:
        count = 0
        for _ in turns:
            if bool_of(self.value(node.result)):
                self._pay(costs.COUNTED)
                count += 1
        self._pay(2)
        return count == 1

    def _counts(self, node: Fold) -> bool:
        return node.filter is None or bool_of(self.value(node.filter))

    def _listed(self, node: Fold, turns: Iterable[None]) -> Value:
        found: list[Value] = []
        cost = costs.append_cost(node.result)
        for _ in turns:
            if self._counts(node):
                found.append(self.value(node.result))
                self._pay(cost)
                self._state.meter.build(1)
        self._pay(1)
        return found

    def _mapped(self, node: Fold, turns: Iterable[None]) -> Value:
        found: dict[Any, Value] = {}
        for _ in turns:
            if self._counts(node):
                value = self.value(node.result)
                self._pay(costs.INSERT)
                insert(found, self._scope[node.variable], value)
                self._state.meter.build(1)
        self._pay(1)
        return found

    def _entries(self, node: Fold, turns: Iterable[None]) -> Value:
        found: dict[Any, Value] = {}
        for _ in turns:
            if self._counts(node):
                entries = self.value(node.result)
                self._pay(costs.INSERT_ENTRY)
                insert_entry(found, entries)
                self._state.meter.build(1)
        self._pay(1)
        return found

    def bind(self, node: Bind) -> Value:
        """``cel.bind``."""
        outer = self._scope
        self._scope = {**outer, node.variable: _Lazy(node.value, outer)}
        try:
            return self.value(node.result)
        finally:
            self._scope = outer

    def opt_map(self, node: OptMap) -> Value:
        """``optMap`` and ``optFlatMap``: cel-go evaluates the target twice where there is a value."""
        before = self._state.cost
        target = self.value(node.target)
        cost = self._state.cost - before
        self._pay(1)
        if type(target) is not Optional:
            raise CelError("no such overload")
        if not target.present:
            self._pay(1)
            return NONE
        self._pay(cost + 1)
        outer = self._scope
        self._scope = {**outer, node.variable: target.value}
        try:
            found = self.value(node.result)
        finally:
            self._scope = outer
        if node.flat:
            return found
        self._pay(1)
        return Optional(found)

    # --- trail --------------------------------------------------------------------------------------------

    def _mark(self) -> int:
        return 0 if self._trail is None else self._trail.mark()

    def _forget(self, mark: int, here: int) -> None:
        """What was read between two marks did not decide."""
        if self._trail is not None:
            self._trail.drop(mark, here)


def _read(row: Field | None, value: Value) -> Value:
    return value if row is None or row.read is None or value is None else row.read(value)


def _read_optional(row: Field | None, value: Optional) -> Optional:
    if row is None or row.read is None or not value.present:
        return value
    return Optional(_read(row, value.value))


_EVALUATE: Final[dict[type[Node], Callable[[Evaluator, Any], Value]]] = {
    Literal: Evaluator.literal,
    Ident: Evaluator.ident,
    Select: Evaluator.select,
    Call: Evaluator.call,
    ListNode: Evaluator.list,
    MapNode: Evaluator.map,
    StructNode: Evaluator.struct,
    Fold: Evaluator.fold,
    Bind: Evaluator.bind,
    OptMap: Evaluator.opt_map,
}
_CONTROL: Final[dict[str, Callable[[Evaluator, Call], Value]]] = {
    "_&&_": Evaluator._and,
    "_||_": Evaluator._or,
    "_?_:_": Evaluator._ternary,
    "or": Evaluator._either,
    "orValue": Evaluator._either,
    "_==_": Evaluator._equal,
    "_!=_": Evaluator._equal,
    "@in": Evaluator._in,
    "_[_]": Evaluator._index,
    "_[?_]": Evaluator._index,
}
_OPTIONAL: Final = frozenset({"optional_or_optional", "optional_orValue_value"})
_FOLDS: Final[dict[FoldKind, Callable[[Evaluator, Fold, Iterable[None]], Value]]] = {
    FoldKind.ALL: Evaluator._all,
    FoldKind.EXISTS: Evaluator._exists,
    FoldKind.EXISTS_ONE: Evaluator._exists_one,
    FoldKind.LIST: Evaluator._listed,
    FoldKind.MAP: Evaluator._mapped,
    FoldKind.ENTRIES: Evaluator._entries,
}
