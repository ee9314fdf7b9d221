"""object.*: reading, merging and choosing of keys. Operands are never changed; results share their parts."""

from __future__ import annotations

from typing import Any, Final

from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.types import ANY, BOOLEAN, Array, Function, Object, SetOf, Union
from sekisho.rego.values import UNDEFINED, Set, Value, equal, key


def _get(document: Value, path: Value, default: Value) -> Value:
    """A key's value, or the value at a path of keys; a stored null is a value."""
    if type(document) is not dict:
        operands.object_(document, 1)
    if type(path) is str:
        return document.get(path, default)
    if type(path) is not list:
        return document.get(key(path), default)
    current = document
    for step in path:
        current = step_into(current, step)
        if current is UNDEFINED:
            return default
    return current


def step_into(value: Value, step: Value) -> Value:
    """What a reference finds one step into a value: UNDEFINED where there is nothing."""
    kind = type(value)
    if kind is dict:
        return value.get(step if type(step) is str else key(step), UNDEFINED)
    if kind is list:
        return value[step] if type(step) is int and 0 <= step < len(value) else UNDEFINED
    if kind is Set:
        return step if step in value else UNDEFINED
    return UNDEFINED


def _keys(document: Value) -> Set:
    return Set(set(operands.object_(document, 1)))


def _chosen(keys: Value) -> Any:
    """The keys that an array, a set or an object of keys names, as something to look them up in."""
    kind = type(keys)
    if kind is list:
        return set(map(key, keys))
    if kind is Set:
        return keys.keys
    if kind is not dict:
        operands.wrong_type(2, keys, "object", "set", "array")
    return keys


def _filter(document: Value, keys: Value) -> dict[Any, Value]:
    source = operands.object_(document, 1)
    chosen = _chosen(keys)
    return {name: value for name, value in source.items() if name in chosen}


def _remove(document: Value, keys: Value) -> dict[Any, Value]:
    source = operands.object_(document, 1)
    chosen = _chosen(keys)
    return {name: value for name, value in source.items() if name not in chosen}


# --- union ------------------------


def _union(context: EvalContext, left: Value, right: Value) -> dict[Any, Value]:
    return _merged(context, operands.object_(left, 1), operands.object_(right, 2))


def _merged(context: EvalContext, left: dict[Any, Value], right: dict[Any, Value]) -> dict[Any, Value]:
    """``left`` with ``right`` over it: objects on both sides merge, else the right one wins."""
    if not left or not right:
        return left or right
    context.meter.build(len(left) + len(right))
    out = {**left, **right}
    shared = left.keys() & right.keys()
    for name in shared:
        a, b = left[name], right[name]
        if type(a) is dict and type(b) is dict:
            out[name] = _merged(context, a, b)
    return out


def _union_n(context: EvalContext, objects: Value) -> dict[Any, Value]:
    members = operands.array(objects, 1)
    out: dict[Any, Value] = {}
    for member in members:
        if type(member) is not dict:
            operands.wrong_element(1, members, member, "object")
        out = _merged(context, out, member)
    return out


# --- subset ------------------------


def _subset(context: EvalContext, whole: Value, part: Value) -> bool:
    kinds = type(whole), type(part)
    if kinds == (dict, dict):
        return _object_subset(context, whole, part)
    if kinds == (Set, Set):
        return bool(part.keys <= whole.keys)
    if kinds == (list, list):
        return _array_subset(context, whole, part)
    if kinds != (list, Set):
        operands.refuse("both arguments object.subset must be of the same type or array and set")
    return bool(part.keys <= set(map(key, whole)))


def _object_subset(context: EvalContext, whole: dict[Any, Value], part: dict[Any, Value]) -> bool:
    context.meter.charge(len(part))
    for name, value in part.items():
        other = whole.get(name, UNDEFINED)
        if other is UNDEFINED:
            return False
        kinds = type(other), type(value)
        if kinds == (dict, dict):
            fits = _object_subset(context, other, value)
        elif kinds == (Set, Set):
            fits = value.keys <= other.keys
        elif kinds == (list, list):
            fits = _array_subset(context, other, value)
        else:
            fits = equal(other, value)
        if not fits:
            return False
    return True


def _array_subset(context: EvalContext, whole: list[Value], part: list[Value]) -> bool:
    """Whether ``part`` stands in ``whole`` as a run."""
    context.meter.charge((len(whole) + 1) * max(len(part), 1))
    return any(
        all(map(equal, whole[start : start + len(part)], part)) for start in range(len(whole) - len(part) + 1)
    )


_OBJECT: Final = Object(dynamic=(ANY, ANY))
_COLLECTION: Final = Union((Array(dynamic=ANY), _OBJECT, SetOf(ANY)))

row("object.get", Function((_OBJECT, ANY, ANY), ANY), _get)
row("object.keys", Function((_OBJECT,), SetOf(ANY)), _keys)
row("object.filter", Function((_OBJECT, _COLLECTION), _OBJECT), _filter)
row("object.remove", Function((_OBJECT, _COLLECTION), _OBJECT), _remove)
row("object.union", Function((_OBJECT, _OBJECT), _OBJECT), _union, context=True)
row("object.union_n", Function((Array(dynamic=_OBJECT),), _OBJECT), _union_n, context=True)
row(
    "object.subset",
    Function((_COLLECTION, _COLLECTION), BOOLEAN),
    _subset,
    context=True,
    note="an array that repeats an element does not make up for another one, as it does in OPA",
)
