"""Field sets: sets of paths into an object, and FieldsV1, the JSON in which managed fields keep them.

A path is a tuple of elements as FieldsV1 writes them: ``f:NAME`` a field, ``k:{"name":"x"}`` the item of a
map list with these keys, ``v:VALUE`` an item of a set, ``i:N`` an index. In FieldsV1 the elements are nested,
and ``.`` says that the path up to there is itself in the set. Semantics: structured-merge-diff ``fieldpath``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sekisho.lang.golang.gotext import quote

Path = tuple[str, ...]
Fields = frozenset[Path]

NONE: Final[Fields] = frozenset()
SELF: Final = "."

_KINDS: Final = ("f:", "k:", "v:", "i:")
"""The kinds of elements in their order; elements of other kinds are of a later time and left out."""

_HTML: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
"""What Go's JSON escapes inside strings though it need not."""


class Malformed(ValueError):
    """FieldsV1 that cannot be read; the text says why."""


def _json(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_HTML) if isinstance(value, str | list | dict) else text


def element_of_keys(keys: Mapping[str, Any]) -> str:
    """The element of an item of a map list."""
    rows = (f"{json.dumps(name, ensure_ascii=False)}:{_json(keys[name])}" for name in sorted(keys))
    return "k:{" + ",".join(rows) + "}"


def element_of_value(value: Any) -> str:
    """The element of an item of a set."""
    return "v:" + _json(value)


def to_fields_v1(fields: Iterable[Path]) -> dict[str, Any]:
    """The set as FieldsV1, its elements in order."""
    return _written(tree_of(fields))


def _written(tree: Mapping[str, Tree]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for element in sorted(tree, key=order):
        node = tree[element]
        inner = _written(node.below)
        out[element] = {SELF: {}, **inner} if node.member and inner else inner
    return out


def from_fields_v1(value: Any) -> Fields:
    """The set that FieldsV1 means. Raises Malformed."""
    if value is None:
        return NONE
    found: set[Path] = set()
    _read(value, (), found)
    found.discard(())
    return frozenset(found)


def _read(value: Any, path: Path, found: set[Path]) -> None:
    """Add what a node says; a node without elements that are known is itself a member."""
    if not isinstance(value, Mapping | None):
        raise Malformed("expected a map")
    leaf = True
    for key, inner in (value or {}).items():
        if key == SELF:
            found.add(path)
            continue
        element = _element(key)
        if element is not None:
            leaf = False
            _read(inner, (*path, element), found)
    if leaf:
        found.add(path)


def _element(key: str) -> str | None:
    """The element in the one form that is written here; None if it is of a kind that nobody knows."""
    kind, rest = key[:2], key[2:]
    if len(kind) < 2 or kind[1] != ":":
        raise Malformed(f"missing colon: {key}" if len(key) > 1 else "key must be 2 characters long:")
    if kind not in _KINDS:
        return None
    try:
        if kind == "k:":
            keys = json.loads(rest)
            if not isinstance(keys, dict):
                raise Malformed(f"no keys: {key}")
            return element_of_keys(keys)
        if kind == "v:":
            return element_of_value(json.loads(rest))
        if kind == "i:":
            return f"i:{int(rest)}"
    except ValueError as error:
        raise Malformed(str(error)) from None
    return key


class Tree(NamedTuple):
    """A node of a set as a tree: whether the path to it is a member, and what is below."""

    member: bool
    below: Mapping[str, Tree]


_LEAF: Final = Tree(member=True, below=MappingProxyType({}))
_NOTHING_BELOW: Final[list[Path]] = [()]
"""What most elements have."""


def tree_of(fields: Iterable[Path]) -> dict[str, Tree]:
    """The set as a tree."""
    heads: dict[str, list[Path]] = {}
    for path in fields:
        heads.setdefault(path[0], []).append(path[1:])
    return {
        element: _LEAF if rests == _NOTHING_BELOW else Tree(() in rests, tree_of(filter(None, rests)))
        for element, rests in heads.items()
    }


def without_below(fields: Fields, roots: Fields) -> Fields:
    """The set without these paths and all that is below them."""
    lengths = {len(root) for root in roots}
    if not lengths:
        return fields
    if len(lengths) == 1:  # as in all tables but one; every write asks this of every path, some times over
        [length] = lengths
        return frozenset(path for path in fields if path[:length] not in roots)
    return frozenset(path for path in fields if not any(path[:length] in roots for length in lengths))


def in_order(fields: Iterable[Path]) -> Iterator[Path]:
    """The paths as the original lists them: at each level first the members, then what is below them."""
    return _ordered(tree_of(fields), ())


def _ordered(tree: Mapping[str, Tree], path: Path) -> Iterator[Path]:
    elements = sorted(tree, key=order)
    yield from ((*path, element) for element in elements if tree[element].member)
    for element in elements:
        yield from _ordered(tree[element].below, (*path, element))


@lru_cache(maxsize=4096)
def order(element: str) -> tuple[int, Any]:
    """Where an element comes among others: fields, keys, values, indices."""
    kind, rest = _KINDS.index(element[:2]), element[2:]
    if kind == 1:
        return kind, tuple((name, _rank(value)) for name, value in json.loads(rest).items())
    if kind == 2:
        return kind, _rank(json.loads(rest))
    return (kind, int(rest)) if kind == 3 else (kind, rest)


def _rank(value: Any) -> tuple[int, Any]:
    """The order of values: numbers, strings, booleans, lists, maps, null."""
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 1, value
    if isinstance(value, list):
        return 3, tuple(_rank(item) for item in value)
    if isinstance(value, dict):
        return 4, tuple((name, _rank(item)) for name, item in sorted(value.items()))
    return 5, 0


def text(path: Path) -> str:
    """A path as messages write it: ``.spec.containers[name="x"].image``."""
    return "".join(element_text(step) for step in path)


def element_text(step: str) -> str:
    """One element of a path as messages write it."""
    kind, rest = step[:2], step[2:]
    if kind == "f:":
        return f".{rest}"
    if kind == "k:":
        keys = json.loads(rest)
        return "[" + ",".join(f"{name}={_value_text(item)}" for name, item in keys.items()) + "]"
    return f"[={_value_text(json.loads(rest))}]" if kind == "v:" else f"[{rest}]"


def _value_text(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return "[" + ",".join(_value_text(item) for item in value) + "]"
    return str(json.dumps(value))
