"""The types of documents below ``data``: what rules define, merged along their paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sekisho.rego.check.typecheck.ops import either, of_value, select, values
from sekisho.rego.types import ANY, STRING, Object, SetOf, Type, Union
from sekisho.rego.values import unkey


class DataNode:
    """A path below ``data``: the type of the document there, if a rule defines it, and the paths below.

    Children are keyed by ground steps in their ``values.key`` form.
    """

    __slots__ = ("children", "value")

    def __init__(self) -> None:
        self.value: Type | None = None
        self.children: dict[Any, DataNode] = {}

    def put(self, path: Iterable[Any], type: Type) -> None:
        """Set the type at a path, whatever was there."""
        node = self
        for step in path:
            node = node.children.setdefault(step, DataNode())
        node.value = type

    def insert(self, path: Sequence[Any], type: Type) -> None:
        """Add the type of one more rule at a path, and to the objects that it is part of."""
        node = self
        for i, step in enumerate(path):
            child = node.children.get(step)
            if child is None:
                child = node.children[step] = DataNode()
            elif child.value is not None and i + 1 < len(path) and isinstance(child.value, Object):
                child.value = _insert_into(child.value, path[i + 1 :], type)
            node = child
        node.value = merge(node.value, type)
        if isinstance(type, Object) and node.children:
            for below, leaf in list(node.leaves()):
                if isinstance(node.value, Object):
                    node.value = _insert_into(node.value, below, leaf)

    def leaves(self) -> Iterator[tuple[tuple[Any, ...], Type]]:
        """The types below this path, with their paths from here."""
        for step, child in self.children.items():
            if child.value is not None:
                yield (step,), child.value
            else:
                for below, leaf in child.leaves():
                    yield (step, *below), leaf

    def extent(self) -> Type:
        """The type of the whole document at this path; there may be base data beside the rules."""
        if self.value is not None:
            return self.value
        static = tuple((step, child.extent()) for step, child in self.children.items())
        return Object(static, (STRING, ANY))

    def select(self, steps: Sequence[Any]) -> Type | None:
        """The type of what a reference from here gives; a step that is None may be anything."""
        node = self
        for i, step in enumerate(steps):
            child = None if step is None else node.children.get(step)
            if child is None:
                if node.value is None and step is not None:
                    return ANY
                return select_all(node.extent(), steps[i:])
            node = child
        return node.extent()


def select_all(type: Type | None, steps: Iterable[Any]) -> Type | None:
    """The type at the end of these steps into a type; a step that is None may be anything."""
    for step in steps:
        if type is None:
            return None
        type = values(type) if step is None else select(type, step)
    return type


def merge(a: Type | None, b: Type) -> Type:
    """The type of a document that two rules contribute to."""
    if a is None:
        return b
    if isinstance(a, Object):
        if isinstance(b, Object) and not a.static and not b.static:
            assert a.dynamic is not None
            assert b.dynamic is not None
            value = merge(a.dynamic[1], b.dynamic[1])
            return Object((), (either(a.dynamic[0], b.dynamic[0]), value))
        if isinstance(b, Union) and not a.static and a.dynamic is not None:
            return _merge_into(b, a.dynamic, a)
    elif isinstance(a, SetOf) and isinstance(b, SetOf):
        return SetOf(either(a.of, b.of))
    elif isinstance(a, Union) and not isinstance(b, Union):
        return merge(b, a)
    return either(a, b)


def _merge_into(union: Union, dynamic: tuple[Type, Type], object: Object) -> Type:
    """The union with the open object in it, if it has one, widened."""
    for i, option in enumerate(union.options):
        if isinstance(option, Object) and not option.static and option.dynamic is not None:
            wider = (either(option.dynamic[0], dynamic[0]), either(option.dynamic[1], dynamic[1]))
            return Union((*union.options[:i], Object((), wider), *union.options[i + 1 :]))
    return either(object, union)


def _insert_into(object: Object, path: Sequence[Any], type: Type) -> Object:
    key = of_value(unkey(path[0]))
    value: Type = type
    if len(path) > 1:
        value = _insert_into(Object(), path[1:], type)
    if object.dynamic is not None:
        key, value = either(object.dynamic[0], key), either(object.dynamic[1], value)
    return Object(object.static, (key, value))
