"""Strategic merge patch: a merge patch that knows which lists are merged, and by which key.

Semantics and texts of apimachinery ``strategicpatch``. Directives in the patch:

- ``$patch: replace | delete`` in a mapping, ``replace | delete`` as an item of a list;
- ``$retainKeys: [...]`` keeps only these keys of a mapping;
- ``$deleteFromPrimitiveList/FIELD: [...]`` takes values out of a list of plain values;
- ``$setElementOrder/FIELD: [...]`` says how the merged list is ordered.

Which lists merge comes from the schema (``Merging.patch_strategy`` and ``patch_key``). The order of a merged
list is that of ``$setElementOrder`` or else of the patch for what these name; what only the value has keeps
its own order and stands before the first named item that came after it there. The inputs are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube import codes
from sekisho.kube.schema import Schema
from sekisho.lang.golang.govalue import plain, type_name

DIRECTIVE: Final = "$patch"
RETAIN: Final = "$retainKeys"
REMOVE: Final = "$deleteFromPrimitiveList"
ORDER: Final = "$setElementOrder"

MAX_DEPTH: Final = 200
"""Levels of a patch: as deep as any object may be."""

BAD_REMOVE: Final = "invalid patch format of primitive list"
BAD_RETAIN: Final = "invalid patch format of retainKeys"
BAD_ORDER: Final = "invalid patch format of setElementOrder list"
LIST_OF_LISTS: Final = "lists of lists are not supported"

FORM_TEXTS: Final = frozenset({BAD_REMOVE, BAD_RETAIN, BAD_ORDER})
"""What says that a directive does not have the form that it must have."""

Json = dict[str, Any]


class PatchError(DiagnosticError):
    """A malformed patch (KUB030). ``text`` is apimachinery's."""

    def __init__(self, text: str) -> None:
        super().__init__(Diagnostic(code=codes.BAD_PATCH, message=f"the patch is malformed: {text}"))
        self.text = text


class _Field(NamedTuple):
    """How the value of a field merges: the schema of the value or of the items, the strategy, the key."""

    schema: Schema
    strategy: str
    key: str


def strategic_merge(value: Any, patch: Mapping[str, Any], schema: Schema | None) -> Any:
    """The value with the patch merged into it. Raises PatchError. Without a schema, lists are replaced."""
    return _merge(_copy(value) if isinstance(value, Mapping) else {}, _copy(patch), schema, 0)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _merge(value: Json, patch: Json, schema: Schema | None, depth: int) -> Json:
    """Merge a mapping. Both are ours to change."""
    if depth > MAX_DEPTH:
        raise PatchError("it is nested too deeply")
    if DIRECTIVE in patch:
        return _directed(patch)
    _retain(value, patch)
    for name in [name for name in patch if name.startswith(ORDER)]:
        _merge_ordered(value, patch, name, schema, depth)
    for name in [name for name in patch if name.startswith(REMOVE)]:
        _remove(value, name, patch.pop(name), schema)  # first, so that what is added too is there
    for name, item in patch.items():
        if item is None:
            value.pop(name, None)
        elif name in value and _kind(value[name]) == _kind(item) and isinstance(item, dict | list):
            value[name] = _merge_value(value[name], item, _field(schema, name, item), depth)
        else:
            kept = _without_directives(_without_nulls(item) if _is_new(value, name, item) else item)
            if kept is _GONE:
                value.pop(name, None)
            else:
                value[name] = kept
    return value


def _directed(patch: Json) -> Json:
    directive = patch[DIRECTIVE]
    if directive == "replace":
        return {name: item for name, item in patch.items() if name != DIRECTIVE}
    if directive == "delete":
        return {}
    raise _bad_type(directive, patch)


def _bad_type(directive: Any, patch: Json) -> PatchError:
    return PatchError(f"unknown patch type: {_as_string(directive)} in map: {plain(patch)}")


def _as_string(value: Any) -> str:
    """A value as ``%s`` prints it."""
    return value if isinstance(value, str) else f"%!s({type_name(value)}={plain(value)})"


def _is_new(value: Json, name: str, item: Any) -> bool:
    return name not in value or _kind(value[name]) != _kind(item)


def _kind(value: Any) -> str:
    return type_name(value)


def _merge_value(old: Any, new: Any, field: _Field, depth: int) -> Any:
    if isinstance(new, dict):
        return new if field.strategy == "replace" else _merge(old, new, field.schema, depth + 1)
    return _merge_list(old, new, field, depth) if field.strategy == "merge" else new


# Directives about the keys of a mapping, and about lists.


def _retain(value: Json, patch: Json) -> None:
    """Keep only the keys that the patch names, and see that it patches no others."""
    if RETAIN not in patch:
        return
    kept = patch.pop(RETAIN)
    if not isinstance(kept, list):
        raise PatchError(BAD_RETAIN)
    for name, item in patch.items():
        if item is not None and not name.startswith((REMOVE, ORDER)) and name not in kept:
            raise PatchError(BAD_RETAIN)
    for name in [name for name in value if name not in kept]:
        del value[name]


def _named(name: str, prefix: str, why: str) -> str:
    """The field that a directive is about."""
    head, slash, field = name.partition("/")
    if not slash or head != prefix:
        raise PatchError(why)
    return field


def _remove(value: Json, name: str, gone: Any, schema: Schema | None) -> None:
    field = _named(name, REMOVE, BAD_REMOVE)
    if gone is None:
        value.pop(field, None)
        return
    old = value.get(field)
    if field not in value or _kind(old) != _kind(gone):
        return
    if isinstance(old, list):
        _field(schema, field, gone)
        if not old and not gone:
            return
        _type_of(old, gone)
        value[field] = [item for item in old if not _in(item, gone)]


def _merge_ordered(value: Json, patch: Json, name: str, schema: Schema | None, depth: int) -> None:
    """Merge a list that comes with the order in which its items are to stand."""
    order = patch.pop(name)
    if not isinstance(order, list):
        raise PatchError(_bad_arg("[]interface {}", order))
    field = _named(name, ORDER, BAD_ORDER)
    for rows in (value, patch):
        if field in rows and not isinstance(rows[field], list):
            raise PatchError(_bad_arg("[]interface {}", rows[field]))
    old, new = value.get(field), patch.get(field)
    about = _list_field(schema, field)
    _check_order(new or [], order, about.key)
    if old is None and new is None:
        return
    if new is None:
        merged = list(old or [])
    elif old is None:
        merged = _without_directives(new)
    else:
        merged = _merge_value(list(old), list(new), about, depth)
    named, others = _parted(merged, order, about.key)
    kind = _type_of(old or [], new or [])
    value[field] = _in_order(named, others, order, old or [], about.key if kind == _MAP else None)
    patch.pop(field, None)


_MAP: Final = type_name({})


def _bad_arg(wanted: str, given: Any) -> str:
    return f"expected a {wanted}, but received a {_type_text(given)}"


def _type_text(value: Any) -> str:
    return "%!s(<nil>)" if value is None else type_name(value)


def _check_order(items: list[Any], order: list[Any], key: str) -> None:
    """The items of the patch must come in the order that it says itself."""
    if not items or not order:
        return
    kept = _to_keep(items)[0] if key else items
    at, to = 0, 0
    while at < len(kept) and to < len(order):
        if isinstance(kept[at], dict) and DIRECTIVE in kept[at]:
            at += 1
            continue
        if _same_item(kept[at], order[to], key):
            at += 1
        to += 1
    if at < len(kept) and to >= len(order):
        raise PatchError(
            f"The order in patch list:\n{plain(items)}\n doesn't match {ORDER} list:\n{plain(order)}\n"
        )


def _same_item(one: Any, other: Any, key: str) -> bool:
    if not key:
        return _equal(one, other)
    for row in (one, other):
        if not isinstance(row, dict):
            raise PatchError(_bad_arg(_MAP, row))
    return _equal(*(_key_of(row, key) for row in (one, other)))


def _key_of(row: Json, key: str) -> Any:
    if key not in row:
        raise PatchError(f"map: {plain(row)} does not contain declared merge key: {key}")
    return row[key]


def _equal(one: Any, other: Any) -> bool:
    return _kind(one) == _kind(other) and bool(one == other)


def _in(item: Any, rows: list[Any]) -> bool:
    return any(_equal(item, row) for row in rows)


def _to_keep(items: list[Any]) -> tuple[list[Any], list[Any]]:
    """Items, and those that say that an item is to go."""
    kept: list[Any] = []
    gone: list[Any] = []
    for row in items:
        if not isinstance(row, dict):
            raise PatchError(_bad_arg(_MAP, row))
        (gone if row.get(DIRECTIVE) == "delete" else kept).append(row)
    return kept, gone


# Lists.


def _type_of(*lists: list[Any]) -> str:
    """The type of all items. Raises PatchError where they have several, or none."""
    found = ""
    for row in (row for rows in lists for row in rows):
        kind = _kind(row)
        if not found:
            found = kind
            if kind == "[]interface {}":
                raise PatchError(LIST_OF_LISTS)
        elif kind != found:
            raise PatchError(f"list element types are not identical: {plain(list(lists))}")
    if not found:
        raise PatchError("no elements in any of the given slices")
    return found


def _merge_list(old: list[Any], new: list[Any], field: _Field, depth: int) -> list[Any]:
    if not old and not new:
        return old
    kind, key = _type_of(old, new), field.key
    if kind != _MAP:
        merged: list[Any] = []
        for row in (*old, *new):
            if not _in(row, merged):
                merged.append(row)
    elif not key:
        raise PatchError(f"cannot merge lists without merge key for {_kind_name(field.schema)}")
    else:
        old, new = _apart(old, new, key)
        merged = _merge_items(old, new, field, depth)
    named, others = _parted(merged, new, key)
    return _in_order(named, others, new, old, key if kind == _MAP else None)


def _kind_name(schema: Schema) -> str:
    return "struct" if schema.resolved().type == "object" else schema.resolved().type


def _apart(old: list[Any], new: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """The old items that stay, and the new ones, after the directives among the new ones."""
    rows: list[Any] = []
    replace = False
    for row in new:
        if DIRECTIVE not in row:
            rows.append(row)
            continue
        match row[DIRECTIVE]:
            case "delete":
                gone = _key_of(row, key)
                old = [item for item in old if not (key in item and _equal(item[key], gone))]
            case "replace":
                replace = True
            case "merge":
                raise PatchError("merging lists cannot yet be specified in the patch")
            case directive:
                raise _bad_type(directive, row)
    return (rows, []) if replace else (old, rows)


def _merge_items(old: list[Any], new: list[Any], field: _Field, depth: int) -> list[Any]:
    out = list(old)
    for row in new:
        wanted = _key_of(row, field.key)
        at = _find(out, field.key, wanted)
        if at < 0:
            out.append(row)
        else:
            out[at] = _merge(out[at], row, field.schema, depth + 1)
    return out


def _find(rows: list[Any], key: str, wanted: Any) -> int:
    for at, row in enumerate(rows):
        if not isinstance(row, dict):
            raise PatchError(f"value for key {at} is not a map")
        if key in row and _equal(row[key], wanted):
            return at
    return -1


def _parted(merged: list[Any], order: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """The items that an order names, and the others."""
    named: list[Any] = []
    others: list[Any] = []
    for row in merged:
        if not key:
            found = _in(row, order)
        else:
            if not isinstance(row, dict):
                raise PatchError(_bad_arg(_MAP, row))
            found = _find(order, key, _key_of(row, key)) >= 0
        (named if found else others).append(row)
    return named, others


# Order.


def _in_order(
    named: list[Any], others: list[Any], order: list[Any], server: list[Any], key: str | None
) -> list[Any]:
    """Named items in the order said, the others in the server's, one into the other by the server's order.

    ``key`` is None for plain values.
    """
    right, left = _sorted(named, order, key), _sorted(others, server, key)
    places = _places(server, key)
    out: list[Any] = []
    i, j = 0, 0
    while i < len(left) and j < len(right):
        one, other = places.get(_mark(left[i], key)), places.get(_mark(right[j], key))
        if one is not None and other is not None and one < other:
            out.append(left[i])
            i += 1
        else:
            out.append(right[j])
            j += 1
    return [*out, *right[j:], *left[i:]]


def _mark(row: Any, key: str | None) -> tuple[str, Any]:
    """What an item is known by."""
    value = row.get(key) if key is not None and isinstance(row, dict) else row
    return _kind(value), repr(value) if isinstance(value, dict | list) else value


def _places(order: list[Any], key: str | None) -> dict[tuple[str, Any], int]:
    found: dict[tuple[str, Any], int] = {}
    for at, row in enumerate(order):
        found.setdefault(_mark(row, key), at)
    return found


def _sorted(rows: list[Any], order: list[Any], key: str | None) -> list[Any]:
    """The items in an order; an item that it does not name goes to the front, as in the original's sort."""
    gone: list[Any] = []
    if key is not None:
        for row in (*rows, *order):
            if not isinstance(row, dict):
                raise PatchError(_bad_arg(_MAP, row))
            _key_of(row, key)
        rows, gone = _to_keep(rows)
    places = _places(order, key)
    found = [row for row in rows if _mark(row, key) in places]
    unknown = [row for row in rows if _mark(row, key) not in places]
    found.sort(key=lambda row: places[_mark(row, key)])
    return [*reversed(unknown), *found, *gone]


# New values.


class _Gone:
    """The type of ``_GONE``: nothing is left of a value."""


_GONE: Final = _Gone()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _without_directives(value: Any) -> Any:
    """A new value as it is stored: what only steers the merge is left out."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return _GONE
        rows = ((name, _without_directives(item)) for name, item in value.items())
        return {name: item for name, item in rows if item is not _GONE}
    if isinstance(value, list):
        return [item for item in map(_without_directives, value) if item is not _GONE]
    return value


# Schemas.


def _field(schema: Schema | None, name: str, item: Any) -> _Field:
    return _list_field(schema, name) if isinstance(item, list) else _map_field(schema, name)


_NO_SCHEMA: Final = Schema()


def _map_field(schema: Schema | None, name: str) -> _Field:
    """How a field merges. Raises PatchError where there can be none."""
    if schema is None or schema is _NO_SCHEMA:
        return _Field(_NO_SCHEMA, "", "")
    node = schema.resolved()
    child = node.properties.get(name)
    if child is None:
        if not node.properties:
            why = "merging an object in json but data type is not struct, instead is: "
            raise PatchError(why + ("map" if node.additional is not None else "interface"))
        title = node.name.rpartition(".")[2]
        raise PatchError(f'unable to find api field in struct {title} for the json field "{name}"')
    merging = child.merging
    strategies = [row for row in merging.patch_strategy.split(",") if row and row != "retainKeys"]
    return _Field(child, strategies[0] if strategies else "", merging.patch_key)


def _list_field(schema: Schema | None, name: str) -> _Field:
    found = _map_field(schema, name)
    if found.schema is _NO_SCHEMA:
        return found
    items = found.schema.resolved().items
    return found._replace(schema=items if items is not None else _NO_SCHEMA)
