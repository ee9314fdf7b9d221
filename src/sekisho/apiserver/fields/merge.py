"""Merging a configuration into a value, and taking parts out of one.

Semantics: structured-merge-diff ``typed`` (``Merge``, ``RemoveItems``, ``EnsureNamedFieldsAreMembers``) as
Kubernetes 1.33 has it: what becomes empty by a removal becomes null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sekisho.apiserver.fields.sets import Fields, Path, Tree, tree_of
from sekisho.apiserver.fields.shape import LIST, SCALAR, Shape
from sekisho.apiserver.fields.walk import MISSING, elements


def merge(live: Any, config: Any, shape: Shape) -> Any:
    """The live value with the configuration laid over it; ``MISSING`` if nothing is left."""
    if live is MISSING and config is MISSING:
        return MISSING
    kind = shape.of(live if config is MISSING else config)
    if kind == LIST:
        lists = [value if isinstance(value, list) else None for value in (live, config)]
        if not shape.atomic_list and any(lists):
            return _merge_lists(lists[0] or [], lists[1] or [], shape)
    elif kind != SCALAR:
        maps = [value if isinstance(value, Mapping) else None for value in (live, config)]
        if not shape.atomic_map and any(maps):
            return _merge_maps(maps[0] or {}, maps[1] or {}, shape)
    return live if config is MISSING else config


def _merge_maps(live: Mapping[str, Any], config: Mapping[str, Any], shape: Shape) -> Any:
    out: dict[str, Any] = {}
    for name in {**live, **config}:
        merged = merge(live.get(name, MISSING), config.get(name, MISSING), shape.field(name))
        if merged is not MISSING:
            out[name] = merged
    return out or MISSING


def _merge_lists(live: list[Any], config: list[Any], shape: Shape) -> Any:
    """The items of both in the configuration's order and, where that leaves room, in the live one's."""
    left, right = elements(live, shape), elements(config, shape)
    theirs, ours = _by_element(left, live), _by_element(right, config)
    out: list[Any] = []

    def take(one: Any, other: Any) -> None:
        merged = merge(one, other, shape.item)
        if merged is not MISSING:
            out.append(merged)

    shared = [element for element in right if element in theirs]
    turn, done = 0, set[str]()
    at, to = 0, 0
    while at < len(left) or to < len(right):
        element = left[at] if at < len(left) else ""
        if at < len(left) and to < len(right):
            if element == right[to]:
                take(theirs[element], ours[element])
                done.add(element)
                at, to, turn = at + 1, to + 1, turn + 1
                continue
            if element in ours and turn < len(shared) and shared[turn] != element:
                at += 1  # shared, but its turn comes later
                continue
        if at < len(left):
            if element not in ours:
                take(live[at], MISSING)
                at += 1
                continue
            if element in done:
                at += 1
        if to < len(right):
            element = right[to]
            take(theirs.get(element, MISSING), ours[element])
            done.add(element)
            to += 1
            if turn < len(shared) and shared[turn] == element:
                turn += 1
    return out or MISSING


def _by_element(rows: list[str], items: list[Any]) -> dict[str, Any]:
    """The items by their elements; null for those that are there twice, which nothing merges with."""
    found: dict[str, Any] = {}
    for element, item in zip(rows, items, strict=True):
        found[element] = None if element in found else item
    return found


def remove(value: Any, paths: Fields, shape: Shape) -> Any:
    """The value without these paths; null where nothing is left of a map or a list."""
    return _remove(value, tree_of(paths), shape)


def _remove(value: Any, tree: Mapping[str, Tree], shape: Shape) -> Any:
    kind = shape.of(value)
    if kind == SCALAR:
        return value
    if kind == LIST:
        return (
            None if shape.atomic_list or not isinstance(value, list) else _without_items(value, tree, shape)
        )
    if shape.atomic_map or not isinstance(value, Mapping):
        return None
    out: dict[str, Any] = {}
    for name, inner in value.items():
        node = tree.get(f"f:{name}")
        if node is None:
            out[name] = inner
        elif not node.member:
            out[name] = _remove(inner, node.below, shape.field(name)) if node.below else inner
    return out or None


def _without_items(value: list[Any], tree: Mapping[str, Tree], shape: Shape) -> Any:
    out: list[Any] = []
    for element, item in zip(elements(value, shape), value, strict=True):
        node = tree.get(element)
        if node is None:
            out.append(item)
        elif not node.member:
            out.append(_remove(item, node.below, shape.item) if node.below else item)
    return out or None


def with_named(fields: Fields, shape: Shape) -> Fields:
    """The set with the named fields on the way to its members: sets have them only where they are empty."""
    found = set(fields)
    seen: dict[Path, Shape | None] = {(): shape}
    for path in fields:
        for at in range(1, len(path)):
            here = path[:at]
            if here in seen:
                continue
            above, element = seen[path[: at - 1]], path[at - 1]
            seen[here] = _step(above, element)
            if above is not None and element[:2] == "f:" and above.named(element[2:]):
                found.add(here)
    return frozenset(found)


def _step(shape: Shape | None, element: str) -> Shape | None:
    """The shape below an element; None where there is none to tell."""
    if shape is None:
        return None
    if element[:2] == "f:" and shape.may_be_map:
        return shape.field(element[2:])
    return shape.item if element[:2] == "k:" and shape.may_be_list else None


def settled(fields: Fields, shape: Shape) -> Fields:
    """The set as it is by the schema of today: what has become atomic is owned as a whole.

    Semantics: ``typed.ReconcileFieldSetWithSchema``.
    """
    found = {_settled(path, shape) for path in fields}
    return fields if found == fields else frozenset(found)


def _settled(path: Path, shape: Shape) -> Path:
    for at, element in enumerate(path):
        if shape.may_be_map:
            if shape.deduced:
                return path
            if at and shape.atomic_map:
                return path[:at]
            name = element[2:] if element[:2] == "f:" else ""
            if shape.closed and not shape.named(name):
                return path
            shape = shape.field(name) if name else shape.element
        elif shape.kind == LIST:
            if at and shape.atomic_list:
                return path[:at]
            shape = shape.item
        else:
            return path
    return path
