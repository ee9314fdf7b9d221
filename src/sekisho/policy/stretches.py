"""What the syntax of a template's modules says of stretches of their text, for ``locate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.policy.rules import walk
from sekisho.policy.template import Template
from sekisho.rego.nodes import Call, Head, Node, Ref, TemplateString, Var

TEXT_CALLS: Final = frozenset({"sprintf", "concat", "format_int", "json.marshal"})
"""Built-ins that make text of what they are given: reads inside are for the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """What the modules' syntax says about stretches of their sources, which go by their ids.

    ``text`` are those that make messages. ``loops`` are references whose last step is a variable: what they
    read is an element of a collection.
    """

    text: Mapping[int, Sequence[tuple[int, int]]]
    loops: frozenset[tuple[int, int, int]]


def stretches(template: Template) -> Stretches:
    """What the syntax of a template's modules says; kept with the template."""
    found = _kept.get(id(template))
    if found is None or found[0] is not template:
        found = _kept[id(template)] = (template, _stretches(template))
    return found[1]


_kept: dict[int, tuple[Template, Stretches]] = {}


def _stretches(template: Template) -> Stretches:
    text: dict[int, list[tuple[int, int]]] = {}
    loops: set[tuple[int, int, int]] = set()
    for module in template.program.modules:
        source = id(module.source)
        spans: list[tuple[int, int]] = []
        text[source] = spans
        for node in walk(module.rules):
            if isinstance(node, Ref):
                if isinstance(node.path[-1], Var):
                    loops.add((source, node.start, node.end))
            elif _makes_text(node):
                spans.append((node.start, node.end))
    return Stretches(text=text, loops=frozenset(loops))


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
