"""Goes through a tree and finds what names mean and what types things have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sekisho.cel import codes
from sekisho.cel.check.assign import Mapping, is_dynamic, most_general, unwrapped
from sekisho.cel.check.scope import Meaning, Scope
from sekisho.cel.environment import Environment
from sekisho.cel.functions import Overload
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
from sekisho.cel.problems import Problems
from sekisho.cel.types import BOOL, DYN, ERROR, INT, CelType, Kind, list_of, map_of, optional_of
from sekisho.cel.values import type_of

_ANY_RANGE: Final = frozenset({Kind.DYN, Kind.ANY, Kind.ERROR, Kind.PARAM})


class Checker:
    """Checks one tree."""

    def __init__(self, environment: Environment, problems: Problems) -> None:
        self._scope = Scope(environment)
        self._structs = environment.all_structs
        self._problems = problems
        self._types = Mapping()
        self._seen: list[Node] = []

    def run(self, root: Node) -> Node:
        """Check; the tree that means the same, with types and meanings noted."""
        root = self.check(root)
        for node in self._seen:
            node.type = self._types.substitute(node.type, params_to_dyn=True)
        return root

    def check(self, node: Node) -> Node:
        """Check a node and all below it; the node that takes its place."""
        self._seen.append(node)
        return _CHECKS[type(node)](self, node)

    # --- names --------------------------------------------------------------------------------------------

    def ident(self, node: Ident) -> Node:
        """A name."""
        written = f".{node.name}" if node.absolute else node.name
        meaning = self._scope.find(written)
        if meaning is None:
            node.type = ERROR
            node.resolved = written
            self._undeclared(node, written)
            return node
        return _meant(node, meaning)

    def _undeclared(self, node: Node, name: str) -> None:
        container = self._scope.candidates("")[0].rstrip(".")
        message = f"undeclared reference to '{name}' (in container '{container}')"
        self._problems.add(codes.UNDECLARED, message, node.start, node.end)

    def select(self, node: Select) -> Node:
        """A field, or a name with dots."""
        name = "" if node.test or node.optional else _qualified(node)
        if name:
            meaning = self._scope.find(name, qualified=True)
            if meaning is not None:
                ident = Ident(name=name, start=node.start, end=node.end, first=node.first)
                self._seen.append(ident)
                return _meant(ident, meaning)
        node.operand = self.check(node.operand)
        found = self._field(node)
        node.type = BOOL if node.test else self._types.substitute(found)
        return node

    def _field(self, node: Select) -> CelType:
        target, optional = unwrapped(self._types.substitute(node.operand.type))
        result = ERROR
        if target.kind is Kind.MAP:
            result = target.params[1] if target.params else DYN
        elif target.kind is Kind.STRUCT:
            result = self._declared(node, target)
        elif target.kind is Kind.PARAM:
            self._types.assignable([(DYN, target)])
            result = DYN
        else:
            if target.kind is not Kind.ERROR and not is_dynamic(target):
                message = f"type '{target}' does not support field selection"
                self._problems.add(codes.FIELD, message, node.start, node.end)
            result = DYN
        return optional_of(result) if optional or node.optional else result

    def _declared(self, node: Select, target: CelType) -> CelType:
        struct = self._structs.get(target.name)
        if struct is None:
            return DYN
        declared = struct.fields.get(node.field)
        if declared is None:
            self._problems.add(codes.FIELD, f"undefined field '{node.field}'", node.start, node.end)
            return ERROR
        node.declared = declared
        return declared.type

    # --- calls --------------------------------------------------------------------------------------------

    def call(self, node: Call) -> Node:
        """A function or operator."""
        if node.member:
            return self._member(node)
        node.args = [self.check(arg) for arg in node.args]
        found = self._scope.function(node.function)
        if found is None:
            node.type = ERROR
            self._undeclared(node, node.function)
            return node
        node.function, overloads = found
        self._resolve(node, overloads)
        return node

    def _member(self, node: Call) -> Node:
        target, *args = node.args
        args = [self.check(arg) for arg in args]
        prefix = _qualified(target)
        if prefix:
            found = self._scope.function(f"{prefix}.{node.function}")
            if found is not None:
                node.function, overloads = found
                node.args, node.member = args, False
                self._resolve(node, overloads)
                return node
        node.args = [self.check(target), *args]
        found = self._scope.function(node.function)
        if found is None:
            node.type = ERROR
            self._undeclared(node, node.function)
            return node
        node.function, overloads = found
        self._resolve(node, overloads)
        return node

    def _resolve(self, node: Call, overloads: Sequence[Overload]) -> None:
        """Find the overloads that the types allow; the result's type is theirs, or dyn where they differ."""
        if node.function in ("_&&_", "_||_"):
            self._logic(node, overloads)
            return
        types = [arg.type for arg in node.args]
        fitting: list[Overload] = []
        result: CelType | None = None
        for overload in overloads:
            if overload.member is not node.member or len(overload.params) != len(types):
                continue
            params, found = self._instance(overload)
            if not self._types.assignable(list(zip(types, params, strict=True))):
                continue
            fitting.append(overload)
            found = self._types.substitute(found)
            if found.kind is Kind.PARAM:
                found = DYN  # what nothing says anything about must not be guessed from its later use
            if result is None:
                result = found
            elif not is_dynamic(result) and not found.same(result):
                result = DYN
        node.overloads = tuple(fitting)
        if result is None:
            result = ERROR
            node.overloads = tuple(overloads)  # if this is not told, the evaluation decides
            self._no_overload(node, types)
        node.type = result

    def _logic(self, node: Call, overloads: Sequence[Overload]) -> None:
        node.type = BOOL
        node.overloads = tuple(overloads)
        for arg in node.args:
            if not self._types.assignable([(arg.type, BOOL)]):
                self._mismatch(arg, BOOL, arg.type)
                node.type = ERROR

    def _instance(self, overload: Overload) -> tuple[tuple[CelType, ...], CelType]:
        """A signature with type parameters of its own."""
        names: dict[str, CelType] = {}
        params = tuple(_renamed(param, names, self._types.fresh) for param in overload.params)
        return params, _renamed(overload.result, names, self._types.fresh)

    def _no_overload(self, node: Call, types: Sequence[CelType]) -> None:
        shown = [str(self._types.substitute(type, params_to_dyn=True)) for type in types]
        target = ""
        if node.member:
            target = f"{shown.pop(0)}."
        signature = f"{target}({', '.join(shown)})"
        message = f"found no matching overload for '{node.function}' applied to '{signature}'"
        self._problems.add(codes.OVERLOAD, message, node.start, node.end)

    # --- literals -----------------------------------------------------------------------------------------

    def literal(self, node: Literal) -> Node:
        """A value that is written."""
        if node.type is not ERROR:
            node.type = type_of(node.value)
        return node

    def list(self, node: ListNode) -> Node:
        """``[…]``."""
        element: CelType | None = None
        for index, item in enumerate(node.elements):
            checked = node.elements[index] = self.check(item)
            found = self._optional(checked) if index in node.optional else checked.type
            element = self._join(element, found)
        node.type = list_of(self._types.fresh() if element is None else element)
        return node

    def map(self, node: MapNode) -> Node:
        """``{…}``."""
        key: CelType | None = None
        value: CelType | None = None
        for entry in node.entries:
            entry.key = self.check(entry.key)
            key = self._join(key, entry.key.type)
            entry.value = self.check(entry.value)
            found = self._optional(entry.value) if entry.optional else entry.value.type
            value = self._join(value, found)
        if key is None or value is None:
            key, value = self._types.fresh(), self._types.fresh()
        node.type = map_of(key, value)
        return node

    def struct(self, node: StructNode) -> Node:
        """``Name{…}``."""
        declared = self._scope.struct(node.name)
        if declared is None:
            self._undeclared(node, node.name)
            node.type = ERROR
        elif declared.build is None:
            message = f"'{declared.name}' is not a message type"
            self._problems.add(codes.MISMATCH, message, node.start, node.end)
            node.type = ERROR
        else:
            node.declared = declared
            node.type = declared.result or declared.type
        for entry in node.entries:
            entry.value = self.check(entry.value)
            if declared is None:
                continue
            found = self._optional(entry.value) if entry.optional else entry.value.type
            row = declared.fields.get(entry.field)
            if row is None:
                self._problems.add(codes.FIELD, f"undefined field '{entry.field}'", entry.start)
            elif not self._types.assignable([(row.type, found)]):
                message = (
                    f"expected type of field '{entry.field}' is '{row.type}' but provided type is "
                    f"'{self._types.substitute(found, params_to_dyn=True)}'"
                )
                self._problems.add(codes.MISMATCH, message, entry.start)
        return node

    def _optional(self, node: Node) -> CelType:
        """The type of the value of what is written with ``?``."""
        value, optional = unwrapped(self._types.substitute(node.type))
        if not optional and not is_dynamic(value):
            self._mismatch(node, optional_of(value), value)
        return value

    def _join(self, previous: CelType | None, current: CelType) -> CelType:
        """The type of elements of both types."""
        if previous is None:
            return current
        if self._types.assignable([(previous, current)]):
            return previous if current.kind is Kind.NULL else most_general(previous, current)
        return DYN

    def _mismatch(self, node: Node, expected: CelType, found: CelType) -> None:
        shown = [self._types.substitute(type, params_to_dyn=True) for type in (expected, found)]
        message = f"expected type '{shown[0]}' but found '{shown[1]}'"
        self._problems.add(codes.MISMATCH, message, node.start, node.end)

    # --- folds --------------------------------------------------------------------------------------------

    def fold(self, node: Fold) -> Node:
        """A comprehension."""
        node.range = self.check(node.range)
        first, second = self._variables(node)
        names = {node.variable: first}
        if node.second:
            names[node.second] = second
        self._scope.enter(names)
        if node.filter is not None:
            node.filter = self.check(node.filter)
        node.result = self.check(node.result)
        self._scope.leave()
        _FOLDS[node.kind](self, node, first)
        return node

    def _variables(self, node: Fold) -> tuple[CelType, CelType]:
        found = self._types.substitute(node.range.type)
        if found.kind is Kind.LIST:
            element = found.params[0] if found.params else DYN
            return (INT, element) if node.second else (element, DYN)
        if found.kind is Kind.MAP:
            return (found.params[0], found.params[1]) if found.params else (DYN, DYN)
        if found.kind in _ANY_RANGE:
            self._types.assignable([(DYN, found)])
            return DYN, DYN
        message = (
            f"expression of type '{found}' cannot be range of a comprehension (must be list, map, or dynamic)"
        )
        self._problems.add(codes.MISMATCH, message, node.range.start, node.range.end)
        return ERROR, ERROR

    def _quantified(self, node: Fold, _first: CelType) -> None:
        node.type = BOOL
        if not self._types.assignable([(node.result.type, BOOL)]):
            self._mismatch(node.result, BOOL, node.result.type)

    def _counted(self, node: Fold, _first: CelType) -> None:
        node.type = BOOL
        self._condition(node, node.result, INT)

    def _listed(self, node: Fold, _first: CelType) -> None:
        node.type = self._types.substitute(list_of(node.result.type))
        if node.filter is not None:
            self._condition(node, node.filter, node.type)

    def _mapped(self, node: Fold, first: CelType) -> None:
        node.type = self._types.substitute(map_of(first, node.result.type))
        if node.filter is not None:
            self._condition(node, node.filter, node.type)

    def _entered(self, node: Fold, _first: CelType) -> None:
        key, value = self._types.fresh(), self._types.fresh()
        if not self._types.assignable([(node.result.type, map_of(key, value))]):
            shown = self._types.substitute(node.result.type, params_to_dyn=True)
            message = f"found no matching overload for 'cel.@mapInsert' applied to '(map(dyn, dyn), {shown})'"
            self._problems.add(codes.OVERLOAD, message, node.start, node.end)
        node.type = self._types.substitute(map_of(key, value))
        if node.filter is not None:
            self._condition(node, node.filter, node.type)

    def _condition(self, node: Fold, condition: Node, type: CelType) -> None:
        """A condition that cel-go makes a ternary of: its problem is told as that of one."""
        if not self._types.assignable([(condition.type, BOOL)]):
            shown = [self._types.substitute(t, params_to_dyn=True) for t in (condition.type, type)]
            message = (
                f"found no matching overload for '_?_:_' applied to '({shown[0]}, {shown[1]}, {shown[1]})'"
            )
            self._problems.add(codes.OVERLOAD, message, node.start, node.end)

    def bind(self, node: Bind) -> Node:
        """``cel.bind``."""
        node.value = self.check(node.value)
        self._scope.enter({node.variable: node.value.type})
        node.result = self.check(node.result)
        self._scope.leave()
        node.type = node.result.type
        return node

    def opt_map(self, node: OptMap) -> Node:
        """``optMap`` and ``optFlatMap``."""
        node.target = self.check(node.target)
        value, optional = unwrapped(self._types.substitute(node.target.type))
        if not optional:
            if not is_dynamic(value) and value.kind is not Kind.ERROR:
                for function in ("hasValue", "value"):
                    message = f"found no matching overload for '{function}' applied to '{value}.()'"
                    self._problems.add(codes.OVERLOAD, message, node.start, node.end)
            value = DYN
        self._scope.enter({node.variable: value})
        node.result = self.check(node.result)
        self._scope.leave()
        found = self._types.substitute(node.result.type)
        if not node.flat:
            node.type = optional_of(found)
            return node
        if not self._types.assignable([(optional_of(self._types.fresh()), found)]):
            message = (
                f"found no matching overload for '_?_:_' applied to '(bool, {found}, optional_type(dyn))'"
            )
            self._problems.add(codes.OVERLOAD, message, node.start, node.end)
        node.type = found
        return node


def _meant(node: Ident, meaning: Meaning) -> Node:
    node.type = meaning.type
    node.resolved = meaning.name
    node.local = meaning.local
    node.constant = meaning.fixed
    return node


def _qualified(node: Node) -> str:
    """A chain of selections as a name with dots; empty if it is none."""
    parts: list[str] = []
    while isinstance(node, Select) and not node.test and not node.optional:
        parts.append(node.field)
        node = node.operand
    if not isinstance(node, Ident):
        return ""
    parts.append(f".{node.name}" if node.absolute else node.name)
    return ".".join(reversed(parts))


def _renamed(type: CelType, names: dict[str, CelType], fresh: Callable[[], CelType]) -> CelType:
    if type.kind is Kind.PARAM:
        if type.name not in names:
            names[type.name] = fresh()
        return names[type.name]
    if not type.params:
        return type
    return CelType(type.kind, type.name, tuple(_renamed(p, names, fresh) for p in type.params))


_CHECKS: Final[dict[type[Node], Callable[[Checker, Any], Node]]] = {
    Literal: Checker.literal,
    Ident: Checker.ident,
    Select: Checker.select,
    Call: Checker.call,
    ListNode: Checker.list,
    MapNode: Checker.map,
    StructNode: Checker.struct,
    Fold: Checker.fold,
    Bind: Checker.bind,
    OptMap: Checker.opt_map,
}

_FOLDS: Final[dict[FoldKind, Callable[[Checker, Fold, CelType], None]]] = {
    FoldKind.ALL: Checker._quantified,
    FoldKind.EXISTS: Checker._quantified,
    FoldKind.EXISTS_ONE: Checker._counted,
    FoldKind.LIST: Checker._listed,
    FoldKind.MAP: Checker._mapped,
    FoldKind.ENTRIES: Checker._entered,
}
