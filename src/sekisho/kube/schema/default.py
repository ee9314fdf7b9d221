"""Structural defaulting and pruning: what the API server makes of a custom resource before it looks at it.

Neither changes its input; parts that stay as they are are shared with it, and so are the defaults with the
schema. Callers keep the rule of this house that values are never changed in place.
"""

from __future__ import annotations

from typing import Any

from sekisho.kube.schema.model import ABSENT, Schema


def default(value: Any, schema: Schema, *, keep_nulls: bool = False) -> Any:
    """The value with the schema's defaults, as apiextensions does it.

    An absent field gets its default, and so does one that is null and not nullable. A null without a default
    that is not nullable is dropped from an object (and left in a list). The same value comes back if nothing
    was to be done. ``keep_nulls``: such nulls stay, for what was not decoded but computed.
    """
    if isinstance(value, dict):
        return _default_object(value, schema.resolved(), keep_nulls)
    if isinstance(value, list):
        return _default_array(value, schema.resolved(), keep_nulls)
    return value


def _default_object(value: dict[str, Any], node: Schema, keep_nulls: bool) -> dict[str, Any]:
    changed: dict[str, Any] | None = None
    for name, schema in node.properties.items():
        if schema.default is ABSENT:
            continue
        if name not in value or (value[name] is None and not _nullable(schema)):
            changed = dict(value) if changed is None else changed
            changed[name] = schema.default
    for name, item in (value if changed is None else dict(changed)).items():
        found = node.properties.get(name, node.additional)
        if found is None:
            continue
        if item is None and not _nullable(found):
            if found.default is ABSENT and keep_nulls:
                continue
            changed = dict(value) if changed is None else changed
            if found.default is ABSENT:
                del changed[name]
            else:
                changed[name] = default(found.default, found, keep_nulls=keep_nulls)
            continue
        new = default(item, found, keep_nulls=keep_nulls)
        if new is not item:
            changed = dict(value) if changed is None else changed
            changed[name] = new
    return value if changed is None else changed


def _default_array(value: list[Any], node: Schema, keep_nulls: bool) -> list[Any]:
    items = node.items
    if items is None:
        return value
    changed: list[Any] | None = None
    for index, item in enumerate(value):
        new = item
        if item is None and items.default is not ABSENT and not _nullable(items):
            new = items.default
        new = default(new, items, keep_nulls=keep_nulls)
        if new is not item:
            changed = list(value) if changed is None else changed
            changed[index] = new
    return value if changed is None else changed


def _nullable(schema: Schema) -> bool:
    return schema.nullable or schema.resolved().nullable


def prune(value: Any, schema: Schema) -> Any:
    """The value without the fields that the schema does not know; the same value if it knows them all."""
    if isinstance(value, dict):
        return _prune_object(value, schema.resolved())
    if isinstance(value, list):
        items = schema.resolved().items
        if items is None:
            return value
        pruned = [prune(item, items) for item in value]
        same = all(new is old for new, old in zip(pruned, value, strict=True))
        return value if same else pruned
    return value


def _prune_object(value: dict[str, Any], node: Schema) -> dict[str, Any]:
    changed: dict[str, Any] | None = None
    for name, item in value.items():
        found = node.properties.get(name, node.additional)
        if found is None:
            if not node.open:
                changed = dict(value) if changed is None else changed
                del changed[name]
            continue
        new = prune(item, found)
        if new is not item:
            changed = dict(value) if changed is None else changed
            changed[name] = new
    return value if changed is None else changed
