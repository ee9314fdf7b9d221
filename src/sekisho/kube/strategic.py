"""Strategic merge patch: a merge patch that knows which lists are merged, and by which key.

Semantics of apimachinery ``strategicpatch``. Directives in the patch:

- ``$patch: replace | delete | merge`` in a mapping, or as an item of a list;
- ``$retainKeys: [...]`` keeps only these keys of a mapping;
- ``$deleteFromPrimitiveList/FIELD: [...]`` takes values out of a list of plain values;
- ``$setElementOrder/FIELD: [...]`` says how the merged list is ordered.

Which lists merge comes from the schema (``Merging.patch_strategy`` and ``patch_key``); without one, lists are
replaced. The inputs are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube import codes
from sekisho.kube.schema import Schema

DIRECTIVE: Final = "$patch"
RETAIN: Final = "$retainKeys"
REMOVE: Final = "$deleteFromPrimitiveList/"
ORDER: Final = "$setElementOrder/"

MAX_DEPTH: Final = 200
"""Levels of a patch: as deep as any object may be."""


def strategic_merge(value: Any, patch: Mapping[str, Any], schema: Schema | None) -> Any:
    """The value with the patch merged into it. Raises DiagnosticError (KUB030) for a malformed patch."""
    return _merge_map(value if isinstance(value, Mapping) else {}, patch, schema, 0)


def _merge_map(value: Mapping[str, Any], patch: Mapping[str, Any], schema: Schema | None, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _malformed("the patch is nested too deeply")
    directive = patch.get(DIRECTIVE)
    if directive == "replace":
        return {key: item for key, item in patch.items() if key != DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise _malformed(f"unknown patch type: {directive}")
    out = dict(value)
    if RETAIN in patch:
        _retain(out, patch)
    for key, item in patch.items():
        if key in (DIRECTIVE, RETAIN):
            continue
        if key.startswith(REMOVE):
            _remove(out, key[len(REMOVE) :], item)
        elif key.startswith(ORDER):
            _reorder(out, patch, key[len(ORDER) :], item, schema)
        elif item is None:
            out.pop(key, None)
        else:
            order = patch.get(f"{ORDER}{key}")
            named = None if order is None else _order(order, key)
            out[key] = _merge_value(out.get(key), item, _child(schema, key), depth + 1, order=named)
    return out


def _retain(out: dict[str, Any], patch: Mapping[str, Any]) -> None:
    kept = patch[RETAIN]
    if not isinstance(kept, list):
        raise _malformed(f"{RETAIN} must be a list")
    for key in patch:
        if not key.startswith("$") and key not in kept:
            raise _malformed(f"the key {key} is patched but not in {RETAIN}")
    for key in list(out):
        if key not in kept:
            del out[key]


def _remove(out: dict[str, Any], field: str, gone: Any) -> None:
    found = out.get(field)
    if not isinstance(gone, list):
        raise _malformed(f"{REMOVE}{field} must be a list")
    if isinstance(found, list):
        out[field] = [item for item in found if item not in gone]


def _reorder(
    out: dict[str, Any], patch: Mapping[str, Any], field: str, order: Any, schema: Schema | None
) -> None:
    """Order a list that the patch itself does not touch."""
    found = out.get(field)
    if field in patch or not isinstance(found, list):
        return  # ordered where it is merged
    child = _child(schema, field)
    if child is None or not _merges(child):
        return
    out[field] = _ordered(found, _order(order, field), found, child.merging.patch_key)


def _merge_value(old: Any, new: Any, schema: Schema | None, depth: int, *, order: list[Any] | None) -> Any:
    if isinstance(new, Mapping):
        return _merge_map(old if isinstance(old, Mapping) else {}, new, schema, depth)
    if not isinstance(new, list):
        return new
    merges = schema is not None and _merges(schema)
    if not merges or not isinstance(old, list):
        return _without_directives(new)
    assert schema is not None, "it merges"
    merged = _merge_list(old, new, schema, depth)
    if merged is None:
        return _without_directives(new)
    wanted = order if order is not None else [row for row in new if not _is_directive(row)]
    return _ordered(merged, wanted, old, schema.merging.patch_key)


def _merges(schema: Schema) -> bool:
    return "merge" in schema.merging.patch_strategy.split(",")


def _merge_list(old: list[Any], new: list[Any], schema: Schema, depth: int) -> list[Any] | None:
    """The merged items, in no particular order; None if the list is replaced."""
    key = schema.merging.patch_key
    if not key:
        return [*old, *(row for at, row in enumerate(new) if row not in old and row not in new[:at])]
    items = schema.items
    out = list(old)
    for row in new:
        if not isinstance(row, Mapping):
            raise _malformed(f"an item of a list that merges by {key} must be an object")
        directive = row.get(DIRECTIVE)
        if directive == "replace":
            return None
        if key not in row:
            raise _malformed(f"map: {dict(row)} does not contain declared merge key: {key}")
        at = next((at for at, item in enumerate(out) if _key(item, key) == row[key]), None)
        if directive == "delete":
            out = [item for item in out if _key(item, key) != row[key]]
        elif at is None:
            out.append(_merge_map({}, row, items, depth + 1))
        else:
            out[at] = _merge_map(out[at], row, items, depth + 1)
    return out


def _ordered(merged: list[Any], order: Sequence[Any], server: Sequence[Any], key: str) -> list[Any]:
    """The items in the order wanted; those that the order does not name stay where the server has them."""
    wanted = [_key(row, key) for row in order]
    named = {repr(row) for row in wanted}
    ours = [row for row in merged if repr(_key(row, key)) in named]
    theirs = [row for row in merged if repr(_key(row, key)) not in named]
    positions = {repr(row): at for at, row in reversed(list(enumerate(wanted)))}
    ours.sort(key=lambda row: positions[repr(_key(row, key))])
    places = {repr(_key(row, key)): at for at, row in reversed(list(enumerate(server)))}
    theirs.sort(key=lambda row: places.get(repr(_key(row, key)), len(places)))
    out: list[Any] = []
    left, right = 0, 0
    while left < len(theirs) and right < len(ours):
        mine = places.get(repr(_key(theirs[left], key)))
        other = places.get(repr(_key(ours[right], key)))
        if mine is not None and other is not None and mine < other:
            out.append(theirs[left])
            left += 1
        else:
            out.append(ours[right])
            right += 1
    return [*out, *theirs[left:], *ours[right:]]


def _order(order: Any, field: str) -> list[Any]:
    if not isinstance(order, list):
        raise _malformed(f"{ORDER}{field} must be a list")
    return order


def _key(row: Any, key: str) -> Any:
    return row.get(key) if key and isinstance(row, Mapping) else row


def _is_directive(row: Any) -> bool:
    return isinstance(row, Mapping) and DIRECTIVE in row


def _without_directives(value: Any) -> Any:
    """A new value as it is stored: what only steers the merge is left out."""
    if isinstance(value, list):
        return [_without_directives(row) for row in value if not _is_directive(row)]
    if isinstance(value, Mapping):
        return {
            key: _without_directives(item)
            for key, item in value.items()
            if not key.startswith((DIRECTIVE, RETAIN, REMOVE, ORDER))
        }
    return value


def _child(schema: Schema | None, key: str) -> Schema | None:
    """The node below a key, with what is said of merging where the node is referred to."""
    if schema is None:
        return None
    node = schema.resolved()
    return node.properties.get(key, node.additional)


def _malformed(why: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=codes.BAD_PATCH, message=f"the patch is malformed: {why}"))
