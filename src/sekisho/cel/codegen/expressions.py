"""Goes through a tree and writes its code."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from sekisho.cel import costs
from sekisho.cel.codegen import operators
from sekisho.cel.codegen.block import COUNT, LIMIT, STATE, Block, Unsupported, written_row
from sekisho.cel.codegen.folds import Writers, fold
from sekisho.cel.environment import Environment
from sekisho.cel.errors import CelError
from sekisho.cel.image import Image, row_of_type, written
from sekisho.cel.nodes import (
    Bind,
    Call,
    Fold,
    Ident,
    ListNode,
    Literal,
    MapNode,
    Node,
    OptMap,
    Select,
    StructNode,
)
from sekisho.cel.types import Kind
from sekisho.lang.pyast import compile_module

_IN_PLACE: Final = (str, int, bool, type(None))
_CONTAINERS: Final = frozenset({Kind.DYN, Kind.MAP, Kind.STRUCT})
_CLASSES: Final = {Kind.STRING: "str", Kind.INT: "int", Kind.DOUBLE: "float"}
_ANYTHING: Final = frozenset({Kind.DYN, Kind.ANY, Kind.PARAM})


def generate(root: Node, environment: Environment) -> Image:
    """The image of a checked tree; without code where its loops nest too deeply."""
    code = Code(environment)
    body: list[ast.stmt] | None
    try:
        body = code.body(root)
        module = compile_module(body, "<cel>")
    except (Unsupported, RecursionError):
        names = tuple(_variables(root))
        return Image(code=None, variables=names, uses=(), type=row_of_type(root.type))
    return Image(
        code=module,
        variables=tuple(code.block.variables),
        uses=code.block.rows(),
        type=row_of_type(root.type),
    )


def _variables(root: Node) -> dict[str, None]:
    """The names of the variables in a tree."""
    found: dict[str, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Ident) and not node.local and node.constant is None:
            found[node.resolved] = None
        stack.extend(node.children())
    return found


class Code:
    """Writes the code of one tree."""

    def __init__(self, environment: Environment) -> None:
        self.block = Block(environment)
        self._writers = Writers(self.value, self.truth)
        self._presence = 1 if environment.options.presence_cost else 0

    def body(self, root: Node) -> list[ast.stmt]:
        """The module: the function ``run``."""
        block = self.block
        w = block.writer
        value = self.value(root)
        lines: list[ast.stmt] = [w.assign(COUNT, w.const(block.cost))]
        if any(isinstance(node, ast.For) for line in block.lines for node in ast.walk(line)):
            lines.append(w.assign(LIMIT, w.attr(w.name(STATE), "turn")))
        result = w.name(block.name())
        assert isinstance(result, ast.Name)
        lines += [*block.lines, w.assign(result.id, value), w.give(w.tuple_of([result, w.name(COUNT)]))]
        return [w.function("run", [STATE, *block.variables.values()], lines)]

    def value(self, node: Node) -> ast.expr:
        """The value of a node."""
        if costs.is_written(node) and not isinstance(node, Literal | Ident):
            return self._written(node)
        return _WRITERS[type(node)](self, node)

    def truth(self, node: Node) -> ast.expr:
        """The value of a node that must be a boolean."""
        value = self.value(node)
        if self.block.trust.kind(node) is Kind.BOOL:
            return value
        return self.block.writer.call("bool_of", value)

    def _written(self, node: Node) -> ast.expr:
        row = written_row(node)
        try:
            written(self.block.environment, row)
        except CelError:
            return self.block.writer.call("overflow")  # any error will do: the plain evaluator tells which
        return self.block.use(*row)

    # --- names and accesses -------------------------------------------------------------------------------

    def literal(self, node: Literal) -> ast.expr:
        """A value that is written."""
        if type(node.value) in _IN_PLACE:
            return self.block.writer.const(node.value)
        return self.block.use(*written_row(node))

    def ident(self, node: Ident) -> ast.expr:
        """A variable, constant or type."""
        if node.constant is not None:
            return self.block.use("named", node.resolved)
        self.block.cost += 1
        return self.block.local(node.name) if node.local else self.block.variable(node.resolved)

    def select(self, node: Select) -> ast.expr:
        """``a.b``, ``a.?b``, ``has(a.b)``."""
        block, w = self.block, self.block.writer
        operand = self.value(node.operand)
        block.cost += costs.step_cost(node.operand) - (1 - self._presence if node.test else 0)
        row = node.declared
        key = w.const(row.key or node.field if row is not None else node.field)
        if node.test:
            return self._has(node, operand, key)
        plain = node.operand.type.kind in _CONTAINERS and not node.optional
        if row is None or row.read is None:
            if plain:
                return w.item(operand, key)
            return w.call("optional_select" if node.optional else "select", operand, key)
        if not plain:
            raise Unsupported
        found = block.keep(w.item(operand, key))
        read = w.call(block.use("read", node.operand.type.name, node.field), found)
        return w.choose(w.compare(found, "is", w.const(None)), found, read)

    def _has(self, node: Select, operand: ast.expr, key: ast.expr) -> ast.expr:
        block, w = self.block, self.block.writer
        if block.trust.kind(node.operand) is Kind.MAP:
            return w.compare(key, "in", operand)
        if isinstance(operand, ast.Name):
            test: ast.expr = operand
            name = operand
        else:
            bound = block.name()
            test = w.bind(bound, operand)
            name = w.name(bound)  # type: ignore[assignment]
        plain = w.compare(w.call("type", test), "is", w.name("dict"))
        return w.choose(plain, w.compare(key, "in", name), w.call("has", name, key))

    def index(self, node: Call) -> ast.expr:
        """``a[b]``, ``a[?b]``."""
        block, w = self.block, self.block.writer
        target, key = node.args
        operand, at = self.value(target), self.value(key)
        block.cost += costs.step_cost(target) - 1 + costs.index_cost(key)
        if node.function == "_[?_]":
            return w.call("optional_index", operand, at)
        number = operators.literal(key)
        if type(number) is int and number >= 0 and block.trust.kind(target) in (Kind.LIST, Kind.DYN):
            if block.trust.kind(target) is Kind.LIST:
                return w.item(operand, at)
            operand = block.keep(operand)
            plain = w.compare(w.call("type", operand), "is", w.name("list"))
            return w.choose(plain, w.item(operand, at), w.call("index", operand, at))
        if block.trust.kind(key) is Kind.STRING and target.type.kind in _CONTAINERS:
            return w.item(operand, at)  # Python's error for what is no map ends the fast way
        return w.call("index", operand, at)

    # --- calls --------------------------------------------------------------------------------------------

    def call(self, node: Call) -> ast.expr:
        """A function or operator."""
        special = _SPECIAL.get(node.function)
        if special is not None:
            found = special(self, node)
            if found is not None:
                return found
        return self._call(node)

    def _call(self, node: Call) -> ast.expr:
        block, w = self.block, self.block.writer
        args = [self.value(arg) for arg in node.args]
        cost = costs.call_cost(node)
        if not isinstance(cost, int):
            args = [block.keep(arg) for arg in args]
        found = self._chosen(node, args)
        if isinstance(cost, int):
            block.cost += cost
            return found
        found = block.keep(found)
        row = node.overloads[0]
        block.count(w.call(block.use("cost", row.function, row.id), *args, found))
        return found

    def _chosen(self, node: Call, args: list[ast.expr]) -> ast.expr:
        """The call of what static types choose, or a look at the values, or the general way."""
        block, w = self.block, self.block.writer
        ids = tuple(row.id for row in node.overloads)
        guards = self._guards(node)
        if guards is None:
            return w.call("call", w.name(STATE), block.use("dispatch", node.function, ids), *args)
        args = [block.keep(arg) if guard else arg for arg, guard in zip(args, guards, strict=True)]
        [row] = node.overloads
        state = [w.name(STATE)] if row.context else []
        direct = w.call(block.use("call", row.function, row.id), *state, *args)
        tests = [
            w.compare(w.call("type", arg), "is", w.name(guard))
            for arg, guard in zip(args, guards, strict=True)
            if guard
        ]
        if not tests:
            return direct
        general = w.call("call", w.name(STATE), block.use("dispatch", node.function, ids), *args)
        return w.choose(w.all_of(tests), direct, general)

    def _guards(self, node: Call) -> list[str] | None:
        """The class that each argument must be found to have for the one overload; empty where it is sure.

        None where there are several overloads, or a class says too little.
        """
        if len(node.overloads) != 1:
            return None
        guards = []
        for param, arg in zip(node.overloads[0].params, node.args, strict=True):
            if param.kind in _ANYTHING or self.block.trust.kind(arg) is param.kind:
                guards.append("")
            elif param.kind in _CLASSES:
                guards.append(_CLASSES[param.kind])
            else:
                return None
        return guards

    # --- logic --------------------------------------------------------------------------------------------

    def logic(self, node: Call) -> ast.expr:
        """``&&`` and ``||``."""
        block, w = self.block, self.block.writer
        every = node.function == "_&&_"
        join = w.all_of if every else w.any_of
        terms = [self.truth(node.args[0])]
        for arg in node.args[1:]:
            lines, value = block.branch(self.truth, arg)
            if not lines:
                terms.append(value)
                continue
            name = block.name()
            block.lines.append(w.assign(name, join(terms)))
            test = w.name(name) if every else w.negate(w.name(name))
            block.lines.append(w.when(test, [*lines, w.assign(name, value)]))
            terms = [w.name(name)]
        return join(terms)

    def ternary(self, node: Call) -> ast.expr:
        """``a ? b : c``."""
        block, w = self.block, self.block.writer
        condition, yes, no = node.args
        test = self.truth(condition)
        first, a = block.branch(self.value, yes, costs.branch_discount(yes, self._presence))
        second, b = block.branch(self.value, no, costs.branch_discount(no, self._presence))
        if not first and not second:
            return w.choose(test, a, b)
        name = block.name()
        block.lines.append(w.when(test, [*first, w.assign(name, a)], [*second, w.assign(name, b)]))
        return w.name(name)

    def either(self, node: Call) -> ast.expr:
        """``a.or(b)``, ``a.orValue(b)``."""
        block, w = self.block, self.block.writer
        target, other = node.args
        optional = block.keep(self.value(target))
        lines, value = block.branch(self.value, other)
        has = w.call("present", optional)
        own = w.attr(optional, "value") if node.function == "orValue" else optional
        if not lines:
            return w.choose(has, own, value)
        name = block.name()
        block.lines.append(w.when(has, [w.assign(name, own)], [*lines, w.assign(name, value)]))
        return w.name(name)

    # --- collections --------------------------------------------------------------------------------------

    def list(self, node: ListNode) -> ast.expr:
        """``[…]``."""
        block, w = self.block, self.block.writer
        if not node.optional:
            values = [self.value(element) for element in node.elements]
            block.cost += costs.LIST
            return w.list_of(values)
        name = block.name()
        block.lines.append(w.assign(name, w.list_of([])))
        for at, element in enumerate(node.elements):
            value = self.value(element)
            if at in node.optional:
                value = block.keep(value)
                add = w.do(w.method(w.name(name), "append", w.attr(value, "value")))
                block.lines.append(w.when(w.call("optional_entry", value), [add]))
            else:
                block.lines.append(w.do(w.method(w.name(name), "append", value)))
        block.cost += costs.LIST
        return w.name(name)

    def map(self, node: MapNode) -> ast.expr:
        """``{…}``."""
        block, w = self.block, self.block.writer
        block.cost += costs.MAP
        if not any(entry.optional for entry in node.entries):
            parts = [self.value(part) for entry in node.entries for part in (entry.key, entry.value)]
            keys = [operators.literal(entry.key) for entry in node.entries]
            if all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys):
                return w.dict_of(list(zip(parts[::2], parts[1::2], strict=True)))
            return w.call("map_of", *parts)
        name = block.name()
        block.lines.append(w.assign(name, w.dict_of([])))
        for entry in node.entries:
            key, value = self.value(entry.key), block.keep(self.value(entry.value))
            if entry.optional:
                add = w.do(w.call("insert", w.name(name), key, w.attr(value, "value")))
                block.lines.append(w.when(w.call("optional_entry", value), [add]))
            else:
                block.lines.append(w.do(w.call("insert", w.name(name), key, value)))
        return w.name(name)

    def struct(self, node: StructNode) -> ast.expr:
        """``Name{…}``."""
        block, w = self.block, self.block.writer
        if node.declared is None or any(entry.optional for entry in node.entries):
            raise Unsupported
        block.cost += costs.STRUCT
        pairs = [(w.const(entry.field), self.value(entry.value)) for entry in node.entries]
        return w.call(block.use("build", node.declared.name), w.dict_of(pairs))

    # --- folds and bindings -------------------------------------------------------------------------------

    def fold(self, node: Fold) -> ast.expr:
        """A comprehension."""
        return fold(self.block, self._writers, node)

    def bind(self, node: Bind) -> ast.expr:
        """``cel.bind``: the value is computed at once; the plain evaluator knows if it is needed."""
        block = self.block
        name = block.name()
        block.lines.append(block.writer.assign(name, self.value(node.value)))
        return self._named(node.variable, name, node.result, trusted=not block.trust.dynamic(node.value))

    def _named(self, variable: str, name: str, result: Node, *, trusted: bool) -> ast.expr:
        block = self.block
        block.locals.append((variable, name))
        block.trust.enter(variable, trusted=trusted)
        found = self.value(result)
        block.trust.leave(1)
        block.locals.pop()
        return found

    def opt_map(self, node: OptMap) -> ast.expr:
        """``optMap`` and ``optFlatMap``."""
        block, w = self.block, self.block.writer
        lines, cost = len(block.lines), block.cost
        target = self.value(node.target)
        if len(block.lines) > lines:
            raise Unsupported  # what the target costs must be known: it counts twice
        twice = block.cost - cost
        target = block.keep(target)
        block.cost += 1
        name, result = block.name(), block.name()

        def write(inner: Node) -> ast.expr:
            block.cost += twice + 1 + (0 if node.flat else 1)
            block.lines.append(w.assign(name, w.attr(target, "value")))
            found = self._named(node.variable, name, inner, trusted=not block.trust.dynamic(node.target))
            return found if node.flat else w.call("Optional", found)

        own, value = block.branch(write, node.result)
        counted = w.assign(COUNT, w.binary(w.name(COUNT), "+", w.const(1)))  # of optional.none()
        none = [counted, w.assign(result, w.name("NONE"))]
        block.lines.append(w.when(w.call("present", target), [*own, w.assign(result, value)], none))
        return w.name(result)


def _operator(
    write: Callable[[Block, operators.Write, Call], ast.expr | None],
) -> Callable[[Code, Call], ast.expr | None]:
    return lambda code, node: write(code.block, code.value, node)


_WRITERS: Final[dict[type[Node], Callable[[Code, Any], ast.expr]]] = {
    Literal: Code.literal,
    Ident: Code.ident,
    Select: Code.select,
    Call: Code.call,
    ListNode: Code.list,
    MapNode: Code.map,
    StructNode: Code.struct,
    Fold: Code.fold,
    Bind: Code.bind,
    OptMap: Code.opt_map,
}
_SPECIAL: Final[dict[str, Callable[[Code, Call], ast.expr | None]]] = {
    "_&&_": Code.logic,
    "_||_": Code.logic,
    "_?_:_": Code.ternary,
    "or": Code.either,
    "orValue": Code.either,
    "_[_]": Code.index,
    "_[?_]": Code.index,
    "_==_": _operator(operators.equality),
    "_!=_": _operator(operators.equality),
    "@in": _operator(operators.membership),
    "!_": _operator(operators.negation),
    "size": _operator(operators.size),
    "contains": _operator(operators.affix),
    "startsWith": _operator(operators.affix),
    "endsWith": _operator(operators.affix),
    **dict.fromkeys(operators.ORDERS, _operator(operators.order)),
    **dict.fromkeys(operators.ARITHMETIC, _operator(operators.arithmetic)),
    **dict.fromkeys(operators.PLAIN, _operator(operators.plain)),
}
