"""json.filter, json.remove and json.patch: parts of documents, and RFC 6902 edits of them.

Operands are never changed: what an edit touches is copied once, along its path, and charged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.text import text
from sekisho.rego.types import ANY, STRING, Array, Function, Object, SetOf, Union
from sekisho.rego.values import UNDEFINED, Number, Set, Value, equal, is_number, key, type_name, unkey

Path = tuple[Value, ...]

Trie = dict[Any, Any]
"""Paths as a tree: the key of each step leads to a further tree, or to None where a path ends."""


def _path(value: Value) -> Path:
    """A path: a JSON pointer (leading slashes may be missing) or an array of steps."""
    if type(value) is str:
        steps = value.lstrip("/").split("/") if value else []
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
    if type(value) is not list:
        wanted = "{set, array} containing string paths or array of path segments"
        operands.fail(2, f"must be one of {wanted} but got {type_name(value)}")
    return tuple(value)


def _trie(paths: Value) -> Trie:
    if type(paths) not in {list, Set}:
        operands.wrong_type(2, paths, "set", "array")
    root: Trie = {}
    for path in map(_path, paths):
        if not path:
            continue
        node = root
        for step in path[:-1]:
            below = node.setdefault(key(step), {})
            if below is None:  # a shorter path ends here, and takes all below it
                break
            node = below
        else:
            node[key(path[-1])] = None
    return root


def _filter(context: EvalContext, document: Value, paths: Value) -> Value:
    return _kept(context.meter.build, operands.object_(document, 1), _trie(paths))


def _kept(build: Callable[[int], None], value: Value, trie: Trie | None) -> Value:
    if trie is None:
        return value
    kind = type(value)
    if kind is dict:
        build(min(len(value), len(trie)))
        small = trie if len(trie) < len(value) else value
        return {k: _kept(build, value[k], trie[k]) for k in small if k in value and k in trie}
    if kind is list:
        build(len(value))
        return [_kept(build, item, trie[str(i)]) for i, item in enumerate(value) if str(i) in trie]
    if kind is Set:
        build(len(trie))
        return Set.of(_kept(build, unkey(k), below) for k, below in trie.items() if k in value.keys)
    return value


def _remove(context: EvalContext, document: Value, paths: Value) -> Value:
    return _rest(context.meter.build, operands.object_(document, 1), _trie(paths))


def _rest(build: Callable[[int], None], value: Value, trie: Trie) -> Value:
    kind = type(value)
    if kind is dict:
        build(len(value))
        return {
            k: _rest(build, v, below) if below else v
            for k, v in value.items()
            if (below := trie.get(k, UNDEFINED)) is not None
        }
    if kind is list:
        build(len(value))
        return [
            _rest(build, item, below) if below else item
            for i, item in enumerate(value)
            if (below := trie.get(str(i), UNDEFINED)) is not None
        ]
    if kind is Set:
        build(len(value))
        return Set.of(
            _rest(build, unkey(k), below) if below else unkey(k)
            for k in value.keys
            if (below := trie.get(k, UNDEFINED)) is not None
        )
    return value


# --- json.patch --------------------

_REMOVED: Final = object()
"""The document after its root was removed."""


class _Document:
    """A document under edit. Containers in ``_own`` are its own copies and may be changed in place."""

    def __init__(self, context: EvalContext, root: Value) -> None:
        self.root: Any = root
        self._build = context.meter.build
        self._charge = context.meter.charge
        self._own: dict[int, Value] = {}  # by id; the values keep the ids from being used again

    def get(self, path: Path) -> Value:
        """The value at a path. What it holds is shared from now on, so nothing is our own any more."""
        value = self.root
        if value is _REMOVED:
            raise BuiltinFault("nil value encountered where composite value was expected")
        for step in path:
            self._charge(1)
            value = _child(value, step)
        self._own.clear()
        return value

    def insert(self, path: Path, value: Value) -> None:
        """Add or replace a member, insert an element."""
        if path:
            self._edit(path, lambda parent: _insert(parent, path[-1], value))
        else:
            self.root = value

    def delete(self, path: Path) -> None:
        """Remove a member or an element, or all."""
        if path:
            self._edit(path, lambda parent: _delete(parent, path[-1]))
        elif self.root is _REMOVED:
            raise BuiltinFault("deleted node encountered during delete operation")
        else:
            self.root = _REMOVED

    def _edit(self, path: Path, change: Callable[[Value], None]) -> None:
        """Change the container that the last step stands in, copying the way to it."""
        if self.root is _REMOVED:
            raise BuiltinFault("nil value encountered where composite value was expected")
        way = [self.root]
        for step in path[:-1]:
            self._charge(1)
            way.append(_child(way[-1], step))
        last = self._mine(way[-1])
        change(last)
        for parent, step in zip(reversed(way[:-1]), reversed(path[:-1]), strict=True):
            child, old = last, way.pop()
            last = self._mine(parent)
            if last is parent and child is old and type(parent) is not Set:
                continue  # already in place
            _put(last, step, child)
        self.root = last

    def _mine(self, value: Value) -> Value:
        if id(value) in self._own:
            return value
        kind = type(value)
        if kind in {dict, list, Set}:
            self._build(len(value) + 1)
            value = Set(set(value.keys)) if kind is Set else value.copy()
            if kind is not Set:  # a set caches its order, so it is never changed after it was read
                self._own[id(value)] = value
        return value


def _child(value: Value, step: Value) -> Value:
    kind = type(value)
    if kind is dict:
        form = key(step)
        if form in value:
            return value[form]
        raise BuiltinFault(f"path {text(step)} does not exist in object term {text(value)}")
    if kind is list:
        index = _index(len(value), step)
        if 0 <= index < len(value):
            return value[index]
        raise BuiltinFault(f"path {index} does not exist in array term {text(value)}")
    if kind is Set:
        if step in value:
            return step
        raise BuiltinFault(f"path {text(step)} does not exist in set term {text(value)}")
    raise BuiltinFault(
        f"expected composite type for path {text(step)}, found value: {_scalar(value)}",
    )


def _put(parent: Value, step: Value, child: Value) -> None:
    """Replace a child that exists."""
    if type(parent) is dict:
        parent[key(step)] = child
    elif type(parent) is list:
        parent[_index(len(parent), step)] = child
    else:
        parent.keys.discard(key(step))
        parent.keys.add(key(child))


def _insert(parent: Value, step: Value, value: Value) -> None:
    kind = type(parent)
    if kind is dict:
        parent[key(step)] = value
    elif kind is list:
        index = _index(len(parent), step)
        if not 0 <= index <= len(parent):
            raise BuiltinFault("index for array insertion out of bounds")
        parent.insert(index, value)
    elif kind is Set:
        if not equal(step, value):
            raise BuiltinFault(
                f"set key {text(step)} does not equal value to be inserted {text(value)}",
            )
        parent.keys.add(key(value))
    else:
        _not_composite(parent)


def _delete(parent: Value, step: Value) -> None:
    kind = type(parent)
    if kind is dict or kind is Set:
        members = parent if kind is dict else parent.keys
        form = key(step)
        if form not in members:
            raise BuiltinFault(f"cannot delete child key {text(step)} that does not exist")
        members.pop(form) if kind is dict else members.discard(form)
    elif kind is list:
        index = _index(len(parent), step)
        if not 0 <= index < len(parent):
            raise BuiltinFault("index for array delete out of bounds")
        del parent[index]
    else:
        _not_composite(parent)


def _index(size: int, step: Value) -> int:
    """The index that a step names: an integer, its digits, or ``-`` for the end."""
    if type(step) is int:
        return step
    if is_number(step):
        if isinstance(step, Number) and _digits(step.text):
            return int(step)
        raise BuiltinFault("invalid number type for indexing")
    if type(step) is not str:
        raise BuiltinFault("invalid type for indexing")
    if step == "-":
        return size
    if not _digits(step):
        raise BuiltinFault("invalid string for indexing")
    if step != "0" and step.startswith("0"):
        raise BuiltinFault("leading zeros are not allowed in JSON paths")
    return int(step)


def _digits(step: str) -> bool:
    bare = step[1:] if step[:1] in {"+", "-"} else step
    return bare.isascii() and bare.isdigit() and len(bare) < 20


def _not_composite(value: Value) -> NoReturn:
    raise BuiltinFault(f"expected composite type, found value: {_scalar(value)}")


def _scalar(value: Value) -> str:
    return f"{text(value)} (type: ast.{type_name(value).capitalize()})"


def _patch(context: EvalContext, target: Value, operations: Value) -> Value:
    document = _Document(context, target)
    for operation in operands.array(operations, 2):
        if type(operation) is not dict:
            raise BuiltinFault(
                "must be an array of JSON-Patch objects, but at least one element is not an object",
            )
        where = _attribute(operation, "path")
        name = _attribute(operation, "op")
        if type(name) is not str:
            raise BuiltinFault(f"attribute 'op' must be a string but found: {type_name(name)}")
        path = _path(where)
        run = _OPERATIONS.get(name)
        if run is None:
            raise BuiltinFault(f"unrecognized op: '{name}'")
        run(document, path, operation)
    return UNDEFINED if document.root is _REMOVED else document.root


def _attribute(operation: dict[Any, Value], name: str) -> Value:
    if name not in operation:
        raise BuiltinFault(f"missing required attribute '{name}'")
    return operation[name]


def _add(document: _Document, path: Path, operation: dict[Any, Value]) -> None:
    document.insert(path, _attribute(operation, "value"))


def _drop(document: _Document, path: Path, operation: dict[Any, Value]) -> None:  # noqa: ARG001
    document.delete(path)


def _replace(document: _Document, path: Path, operation: dict[Any, Value]) -> None:
    document.delete(path)
    document.insert(path, _attribute(operation, "value"))


def _move(document: _Document, path: Path, operation: dict[Any, Value]) -> None:
    source = _path(_attribute(operation, "from"))
    value = document.get(source)
    document.delete(source)
    document.insert(path, value)


def _copy(document: _Document, path: Path, operation: dict[Any, Value]) -> None:
    document.insert(path, document.get(_path(_attribute(operation, "from"))))


def _test(document: _Document, path: Path, operation: dict[Any, Value]) -> None:
    found = document.get(path)
    wanted = _attribute(operation, "value")
    if not equal(found, wanted):
        raise BuiltinFault(
            f"value from EditTree != patch value.\n\nExpected: {text(wanted)}\n\nFound: {text(found)}",
        )


_OPERATIONS: Final[dict[str, Callable[[_Document, Path, dict[Any, Value]], None]]] = {
    "add": _add,
    "remove": _drop,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}

_STEPS = Union((STRING, Array(dynamic=ANY)))
_PATHS = Union((Array(dynamic=_STEPS), SetOf(_STEPS)))
_DOCUMENT = Object(dynamic=(ANY, ANY))
_OPERATION = Object(static=(("op", STRING), ("path", ANY)), dynamic=(ANY, ANY))
row("json.filter", Function((_DOCUMENT, _PATHS), _DOCUMENT), _filter, context=True)
row("json.remove", Function((_DOCUMENT, _PATHS), _DOCUMENT), _remove, context=True)
row("json.patch", Function((ANY, Array(dynamic=_OPERATION)), ANY), _patch, context=True)
