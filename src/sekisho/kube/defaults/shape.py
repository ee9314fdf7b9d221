"""How defaults are described and applied: one ``Shape`` for each kind of object that has any.

Applying copies only what changes: an object without anything to default comes back as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

Raw = dict[str, Any]

Finish = Callable[[Raw], Raw]
"""What no table says: takes an object, gives it back or a changed copy."""

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Child(NamedTuple):
    """A field with defaults of its own inside: an object, or with ``each`` a list of objects.

    ``made`` is true for a struct of Go's that is always there, so that its absence counts as ``{}``.
    """

    shape: Shape
    each: bool = False
    made: bool = False


class Shape:
    """The defaults of one kind of object, applied in this order.

    absent: fields that get a value if they are absent or null (Go's pointers).
    zero: fields that get one also if they are ``""`` or 0, which Go cannot tell from absent.
    finish: the rest, after those.
    children: fields that are objects or lists of objects.

    Values are shared by all objects that get them and are never changed. Tables are kept as tuples: they are
    walked for every container of every object.
    """

    __slots__ = ("absent", "children", "finish", "zero")

    def __init__(
        self,
        absent: Mapping[str, Any] = NOTHING,
        zero: Mapping[str, Any] = NOTHING,
        finish: Finish | None = None,
        children: Mapping[str, Child] = NOTHING,
    ) -> None:
        self.absent = tuple(absent.items())
        self.zero = tuple(zero.items())
        self.finish = finish
        self.children = tuple((name, *child) for name, child in children.items())


def apply(shape: Shape, value: Raw) -> Raw:
    """The object with its defaults; the same one if it has them all. What is malformed stays as it is."""
    new = value
    get = value.get
    for name, default in shape.absent:
        if get(name) is None:
            if new is value:
                new = dict(value)
            new[name] = default
    for name, default in shape.zero:
        if not get(name):
            if new is value:
                new = dict(value)
            new[name] = default
    finish = shape.finish
    if finish is not None:
        new = finish(new)
    for name, inner_shape, each, made in shape.children:
        inner = new.get(name)
        if inner is None:
            if not made:
                continue
            inner = {}
        if each:
            changed = _each(inner_shape, inner)
        elif inner.__class__ is dict:
            changed = apply(inner_shape, inner)
        else:
            continue
        if changed is not inner:
            if new is value:
                new = dict(value)
            new[name] = changed
    return new


def _each(shape: Shape, items: Any) -> Any:
    if items.__class__ is not list:
        return items
    new = items
    for index, item in enumerate(items):
        if item.__class__ is dict:
            changed = apply(shape, item)
            if changed is not item:
                if new is items:
                    new = list(items)
                new[index] = changed
    return new


def one(shape: Shape, *, made: bool = False) -> Child:
    """A field that is an object."""
    return Child(shape, made=made)


def each(shape: Shape) -> Child:
    """A field that is a list of objects."""
    return Child(shape, each=True)


def below(*path: str, shape: Shape, made: bool = False) -> Shape:
    """A shape that has another one some fields further down."""
    for name in reversed(path):
        shape = Shape(children={name: Child(shape, made=made)})
    return shape
