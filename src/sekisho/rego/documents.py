"""Documents: base data and what rules define, as one; and what ``with`` puts in their place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sekisho.rego.state import NEW, EvalState, Rule
from sekisho.rego.tree import Node
from sekisho.rego.values import UNDEFINED, Key, Set, Value, key, sorted_keys, unkey

Step = tuple[str, ...]


_STEPS = frozenset({str, int})
"""The types of steps at which rules may stand."""


class Document:
    """A handle on the merged document at a path: the rules below it, and the base data there."""

    __slots__ = ("base", "node", "path", "state")

    def __init__(self, state: EvalState, path: Step, node: Node, base: Value) -> None:
        self.state = state
        self.path = path
        self.node = node
        self.base = base

    def child(self, step: Value) -> Value:
        """A handle or a value one step below, or UNDEFINED."""
        base = _lookup(self.base, step)
        node = self.node.children.get(step) if type(step) in _STEPS else None
        if node is None:
            return base
        path = (*self.path, step)
        if path in self.state.targets:
            return base
        if node.group < 0:
            return Document(self.state, path, node, base)
        if node.group in self.state.loaded.functions:
            return UNDEFINED
        return rule_value(self.state, node.group)

    def keys(self) -> list[Value]:
        """The steps that may lead further, in Rego's order."""
        names: dict[Any, None] = dict.fromkeys(self.node.children)
        if type(self.base) is dict:
            names.update(dict.fromkeys(self.base))
        return [unkey(k) for k in sorted_keys(names)]

    def value(self) -> Value:
        """The whole document, or UNDEFINED."""
        if not isinstance(self.base, dict):
            if self.base is not UNDEFINED:
                return self.base
            base: dict[Any, Value] = {}
        else:
            base = self.base
        out: dict[Any, Value] = dict(base)
        for name in sorted_keys(self.node.children):
            value = document_value(self.child(name))
            if value is UNDEFINED:
                continue
            old = base.get(name, UNDEFINED)
            out[name] = value if old is UNDEFINED else _merged(old, value)
        return out


def _merged(base: Value, virtual: Value) -> Value:
    """Two documents at one path as one; where both have a value, base data win."""
    if type(base) is not dict or type(virtual) is not dict:
        return base
    out = dict(virtual)
    for k, v in base.items():
        out[k] = _merged(v, virtual[k]) if k in virtual else v
    return out


def _lookup(base: Value, step: Value) -> Value:
    if isinstance(base, dict):
        return base.get(key(step), UNDEFINED)
    if isinstance(base, list) and type(step) is int:
        return base[step] if 0 <= step < len(base) else UNDEFINED
    return UNDEFINED


def rule_value(state: EvalState, group: int) -> Value:
    """The value of a rule, evaluated once."""
    value = state.slots[group]
    if value is NEW:
        value = state.slots[group] = state.loaded.rules[group](state)
    return value


def rule_or_data(state: EvalState, group: int, rule: Rule, path: Step) -> Value:
    """The value of a rule that a ``with`` on data may have hidden."""
    for target in state.targets:
        if path[: len(target)] == target:
            return data_at(state, path)
    value = state.slots[group]
    if value is NEW:
        value = state.slots[group] = rule(state)
    return value


def data_at(state: EvalState, path: Step) -> Value:
    """The base data at a path, or UNDEFINED."""
    value = state.data
    for step in path:
        value = _lookup(value, step)
    return value


def document(state: EvalState, path: Step) -> Value:
    """A handle on the document at a path, or its base data where a ``with`` hides the rules."""
    node = state.loaded.tree
    for length, step in enumerate(path, 1):
        if path[:length] in state.targets:
            return data_at(state, path)
        node = node.children[step]
    if () in state.targets:
        return data_at(state, path)
    return Document(state, path, node, data_at(state, path))


def document_get(base: Value, step: Value) -> Value:
    """One step below a handle or a value."""
    if type(base) is Document:
        return base.child(step)
    if type(base) is Set:
        return step if step in base else UNDEFINED
    return _lookup(base, step)


def document_items(state: EvalState, base: Value) -> Iterable[tuple[Value, Value]]:
    """All steps below a handle or a value, with what they lead to."""
    kind = type(base)
    if kind is Document:
        steps = base.keys()
    elif kind is dict:
        steps = [k.value if type(k) is Key else k for k in sorted_keys(base)]
    elif kind is list:
        steps = list(range(len(base)))
    elif kind is Set:
        steps = base.sorted()
    else:
        return
    state.meter.charge(len(steps))
    for step in steps:
        value = document_get(base, step)
        if value is not UNDEFINED:
            yield step, value


def document_value(base: Value) -> Value:
    """The whole value behind a handle; values are themselves."""
    if type(base) is not Document:
        return base
    state = base.state
    if state.documents is None:
        state.documents = {}
    value = state.documents.get(base.path, NEW)
    if value is NEW:
        value = state.documents[base.path] = base.value()
    return value


# --- with -------------------------------------------------------------------------------------------------


def override(
    state: EvalState,
    inputs: tuple[tuple[Step, Value], ...],
    data: tuple[tuple[Step, Value], ...],
    functions: tuple[tuple[str, tuple[bool, Any]], ...],
) -> EvalState:
    """A state in which input, data or functions are replaced."""
    state.meter.charge(COST)
    inner = state.derive()
    for path, value in inputs:
        inner.input = _edited(inner.input, path, value)
    for path, value in data:
        inner.data = _edited(inner.data, path, value)
    if data:
        inner.targets = (*state.targets, *(path for path, _ in data))
    if functions:
        inner.mocks = {**(state.mocks or {}), **dict(functions)}
    return inner


COST = 20
"""Steps that a ``with`` costs: it makes a state and evaluates rules again."""


def _edited(document: Value, path: Step, value: Value) -> Value:
    """A document with a value put at a path; what is no object on the way gives place to one."""
    if not path:
        return value
    out = dict(document) if isinstance(document, dict) else {}
    out[path[0]] = _edited(out.get(path[0], UNDEFINED), path[1:], value)
    return out
