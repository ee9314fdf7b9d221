"""Stretches of a template's code that ``locate`` has to know: found once, when the template is compiled.

Each is a beginning and an end; those of a source stand in one list, beginnings and ends in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sekisho.policy.rules import walk
from sekisho.rego.nodes import Call, Head, Module, Node, Ref, TemplateString, Var

TEXT_CALLS: Final = frozenset({"sprintf", "concat", "format_int", "json.marshal"})
"""Built-ins that make text of what they are given: reads inside are for the message."""

Stretches = tuple[tuple[int, ...], ...]


def texts_in(modules: Iterable[Module]) -> Stretches:
    """What makes messages, in each of the modules."""
    return tuple(_flat(node for node in walk(module.rules) if _makes_text(node)) for module in modules)


def loops_in(modules: Iterable[Module]) -> Stretches:
    """References whose last step is a variable: what they read is an element of a collection."""
    return tuple(_flat(node for node in walk(module.rules) if _loops(node)) for module in modules)


def _flat(nodes: Iterable[Node]) -> tuple[int, ...]:
    def ends() -> Iterator[int]:
        for node in nodes:
            yield from (node.start, node.end)

    return tuple(ends())


def _loops(node: Node) -> bool:
    return isinstance(node, Ref) and isinstance(node.path[-1], Var)


def _makes_text(node: Node) -> bool:
    """Whether all that is read inside is for the message. The head of a function is not: it gives a value."""
    if isinstance(node, Head):
        return node.args is None
    return isinstance(node, TemplateString) or (isinstance(node, Call) and _name(node) in TEXT_CALLS)


def _name(call: Call) -> str:
    name = call.name
    if isinstance(name, Var):
        return name.name
    steps = [getattr(step, "value", "") for step in name.path]
    return ".".join([getattr(name.head, "name", ""), *map(str, steps)])
