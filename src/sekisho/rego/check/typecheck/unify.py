"""Which types can be equal."""

from __future__ import annotations

from sekisho.rego.check.typecheck.ops import select
from sekisho.rego.types import UNKNOWN, Anything, Array, Function, Object, SetOf, Type, Union


def unifies(a: Type | None, b: Type | None) -> bool:
    """Whether a value can have both types; an unknown type unifies with none."""
    if a is None or b is None or a is UNKNOWN or b is UNKNOWN:
        return False
    if isinstance(a, Anything):
        return not isinstance(b, Function)
    if isinstance(b, Anything):
        return not isinstance(a, Function)
    if isinstance(a, Union):
        return any(unifies(option, b) for option in a.options)
    if isinstance(b, Union):
        return any(unifies(a, option) for option in b.options)
    if a.__class__ is not b.__class__:
        return False
    if isinstance(a, Array):
        assert isinstance(b, Array)
        return _arrays(a, b)
    if isinstance(a, Object):
        assert isinstance(b, Object)
        return _objects(a, b)
    if isinstance(a, SetOf):
        assert isinstance(b, SetOf)
        return unifies(a.of, b.of)
    if isinstance(a, Function):
        assert isinstance(b, Function)
        return len(a.args) == len(b.args) and all(map(unifies, a.args, b.args))
    return True


def _arrays(a: Array, b: Array) -> bool:
    for i in range(max(len(a.static), len(b.static))):
        left = a.static[i] if i < len(a.static) else a.dynamic
        right = b.static[i] if i < len(b.static) else b.dynamic
        if not unifies(left, right):
            return False
    return a.dynamic is None or b.dynamic is None or unifies(a.dynamic, b.dynamic)


def _objects(a: Object, b: Object) -> bool:
    if not _static(a, b) or not _static(b, a):
        return False
    return a.dynamic is None or b.dynamic is None or unifies(a.dynamic[1], b.dynamic[1])


def _static(a: Object, b: Object) -> bool:
    for key, value in a.static:
        other = select(b, key)
        if other is None:
            if a.dynamic is not None or b.dynamic is not None:
                continue
            return False
        if not unifies(value, other):
            return False
    return True
