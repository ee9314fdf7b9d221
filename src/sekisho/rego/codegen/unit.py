"""What all functions of one compiled unit share: constants, positions, the built-ins that they use."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sekisho.diag import Source
from sekisho.lang.pyast import Writer
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.plan import ir
from sekisho.rego.values import Number, Set, Value, unkey


@dataclass(slots=True)
class Unit:
    """The tables that writers of functions fill while they work.

    ``mockable`` names the built-ins and functions that some ``with`` replaces; ``overridable`` the groups
    that some ``with`` on data may hide. ``always`` has the groups that are never undefined, and their type.
    ``positions`` are (module, start, end, label), referred to by number.
    """

    sources: tuple[Source, ...]
    builtins: Mapping[str, Builtin]
    paths: tuple[tuple[str | int, ...], ...] = ()
    packages: tuple[tuple[str, ...], ...] = ()
    mockable: frozenset[str] = frozenset()
    overridable: frozenset[int] = frozenset()
    always: Mapping[int, str] = field(default_factory=dict)
    positions: list[tuple[int, int, int, str]] = field(default_factory=list)
    constants: list[ast.stmt] = field(default_factory=list)
    used: dict[str, str] = field(default_factory=dict)
    prefix: str = "k"
    _starts: dict[int, list[int]] = field(default_factory=dict)

    def line_starts(self, module: int) -> list[int]:
        """The offsets at which the lines of a module begin."""
        starts = self._starts.get(module)
        if starts is None:
            text = self.sources[module].text
            starts = [0, *(found.end() for found in re.finditer("\n", text))]
            self._starts[module] = starts
        return starts

    def position(self, module: int, start: int, end: int, label: str = "") -> int:
        """The number of a position; ``label`` names the built-in that is called there."""
        self.positions.append((module, start, end, label))
        return len(self.positions) - 1

    def builtin(self, name: str) -> str:
        """The global that holds a built-in's function."""
        if name not in self.used:
            self.used[name] = builtin_global(name)
        return self.used[name]

    def constant(self, py: Writer, value: Value) -> ast.expr:
        """An expression for a constant; what Python cannot write in place becomes a global."""
        kind = type(value)
        if value is None or kind is str or kind is int or kind is bool:
            return py.const(value)
        name = f"{self.prefix}{len(self.constants)}_"
        self.constants.append(py.assign(name, constant_expression(py, value)))
        return py.name(name)


def builtin_global(name: str) -> str:
    """The name of the global that holds a built-in's function."""
    return "b_" + re.sub(r"\W", "_", name)


def constant_expression(py: Writer, value: Value) -> ast.expr:
    """The expression that makes a value; keys of objects are in their ``key`` form."""
    kind = type(value)
    if kind is Number:
        return py.call("Number", py.const(value.text))
    if kind is list:
        return py.list_of([constant_expression(py, item) for item in value])
    if kind is dict:
        return py.dict_of([(_key_expression(py, k), constant_expression(py, v)) for k, v in value.items()])
    if kind is Set:
        items = py.list_of([constant_expression(py, item) for item in value.sorted()])
        return py.method(py.name("Set"), "of", items)
    return py.const(value)


def _key_expression(py: Writer, form: object) -> ast.expr:
    if isinstance(form, str) or type(form) is int or form is None:
        return py.const(form)
    return py.call("key", constant_expression(py, unkey(form)))


def kind_of(operand: ir.Operand, kinds: Mapping[str, str]) -> str:
    """What is known of an operand's type: str, int, bool, list, dict, set, null, number, or nothing."""
    if isinstance(operand, str):
        return kinds.get(operand, "")
    value = operand.value
    if value is None:
        return "null"
    return _KINDS.get(type(value), "")


_KINDS = {str: "str", int: "int", bool: "bool", list: "list", dict: "dict", Set: "set", Number: "number"}
