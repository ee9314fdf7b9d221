"""The fast path: a schema becomes a function that says whether a value is certainly valid.

Most objects are valid, so this runs over every object and ``explain`` only over those that it does not
pass. False means "look closer", not "invalid": odd spellings that are valid too (an integer written as
``3.0``, null where the server reads it as absent) may be left to ``explain``. True means that ``explain``
finds nothing; a property test holds the two together.

A check is either a function or, for the leaves that need no more, a Python type that the value's class must
be. Properties are compiled when a value first has them: a Pod with one volume compiles one kind of volume.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from sekisho.kube.schema import formats
from sekisho.kube.schema.explain import conforms
from sekisho.kube.schema.model import NO_BOUNDS, NO_JUNCTORS, NO_SIZES, Schema
from sekisho.kube.schema.pattern import searcher

Test = Callable[[Any], bool]
Check = Test | type

_checks: WeakKeyDictionary[Schema, Check] = WeakKeyDictionary()


def checker(schema: Schema) -> Test:
    """The function that says of a value whether it is certainly valid."""
    check = compiled(schema)
    if isinstance(check, type):
        wanted = check
        return lambda value: value.__class__ is wanted
    return check


def compiled(schema: Schema) -> Check:
    """The check of a schema, made when it is first asked for."""
    node = schema.resolved()
    check = _checks.get(node)
    if check is None:
        check = _checks[node] = _compile(node)
    return check


def _compile(node: Schema) -> Check:
    plain = node.junctors is NO_JUNCTORS and not node.merging.enforced
    if plain and node.format == "quantity":
        return _quantity
    if plain and node.int_or_string:
        return _int_or_string(node)
    if plain and not node.type and _says_nothing(node):
        return _anything
    if plain and node.type in _MAKERS:
        check = _MAKERS[node.type](node)
        if check is not None:
            return check
    return lambda value: conforms(node, value)


def _says_nothing(node: Schema) -> bool:
    """Whether every value fits."""
    return (
        node.open
        and not (node.properties or node.required or node.format or node.pattern)
        and node.additional is None
        and node.items is None
        and node.enum is None
        and node.bounds is NO_BOUNDS
        and node.sizes is NO_SIZES
    )


def _anything(_: Any) -> bool:
    return True


def _nothing(_: Any) -> bool:
    return False


def _quantity(value: Any) -> bool:
    return value.__class__ is int or (value.__class__ is str and formats.plain_quantity(value))


def _int_or_string(node: Schema) -> Test:
    if node.pattern or node.enum is not None or node.bounds is not NO_BOUNDS or node.sizes is not NO_SIZES:
        return lambda value: conforms(node, value)
    least, most = formats.INTEGERS.get(node.format, formats.INTEGERS["int64"])
    return lambda value: value.__class__ is str or (value.__class__ is int and least <= value <= most)


def _string(node: Schema) -> Check | None:
    if node.enum is not None:
        if node.pattern or node.format or node.sizes is not NO_SIZES:
            return None
        allowed = frozenset(item for item in node.enum if isinstance(item, str))
        return lambda value: value.__class__ is str and value in allowed
    has_format = formats.find(node.format) if node.format else None
    if not node.pattern and node.sizes is NO_SIZES:
        if has_format is None:
            return str
        return lambda value: value.__class__ is str and has_format(value)
    least, most = node.sizes.min_length or 0, node.sizes.max_length
    search = searcher(node.pattern) if node.pattern else None
    if has_format is not None or isinstance(search, str):
        return None

    def check_string(value: Any) -> bool:
        if value.__class__ is not str or len(value) < least or (most is not None and len(value) > most):
            return False
        return search is None or search(value)

    return check_string


def _number(node: Schema) -> Check | None:
    if node.enum is not None or node.bounds is not NO_BOUNDS:
        return None
    return lambda value: value.__class__ is float or value.__class__ is int


def _integer(node: Schema) -> Check | None:
    if node.enum is not None:
        return None
    bounds = node.bounds
    if bounds.multiple_of is not None or not _whole(bounds.minimum, bounds.maximum):
        return None
    least, most = formats.INTEGERS.get(node.format, formats.INTEGERS["int64"])
    if bounds.minimum is not None:
        least = max(least, int(bounds.minimum) + bounds.exclusive_minimum)
    if bounds.maximum is not None:
        most = min(most, int(bounds.maximum) - bounds.exclusive_maximum)
    return lambda value: value.__class__ is int and least <= value <= most


def _whole(*limits: float | None) -> bool:
    return all(limit is None or limit == int(limit) for limit in limits)


def _boolean(node: Schema) -> Check | None:
    return bool if node.enum is None else None


def _array(node: Schema) -> Check | None:
    if node.sizes is not NO_SIZES or node.enum is not None:
        return None
    if node.items is None:
        return list
    items = compiled_later(node.items)
    if isinstance(items, type):
        wanted = items

        def all_leaves(value: Any) -> bool:
            if value.__class__ is not list:
                return False
            for item in value:  # noqa: SIM110 - a generator would cost more than the loop
                if item.__class__ is not wanted:
                    return False
            return True

        return all_leaves
    test = items

    def all_items(value: Any) -> bool:
        if value.__class__ is not list:
            return False
        for item in value:  # noqa: SIM110 - likewise
            if not test(item):
                return False
        return True

    return all_items


def compiled_later(schema: Schema) -> Check:
    """The check of a schema; for an object one that is compiled on its first use, so that cycles end."""
    node = schema.resolved()
    if node.type not in {"object", "array"}:
        return compiled(node)
    check = _checks.get(node)
    if check is not None:
        return check
    made: Test | None = None

    def on_first_use(value: Any) -> bool:
        nonlocal made
        if made is None:
            made = checker(node)
        return made(value)

    return on_first_use


class _Properties(dict[Any, Check]):
    """The checks of an object's properties, compiled when a value first has them."""

    __slots__ = ("_others", "_schemas")

    def __init__(self, node: Schema) -> None:
        super().__init__()
        self._schemas = node.properties
        if node.additional is not None:
            self._others = compiled_later(node.additional)
        else:
            self._others = _anything if node.open else _nothing

    def __missing__(self, key: Any) -> Check:
        schema = self._schemas.get(key)
        if schema is None:
            return self._others
        check = self[key] = compiled(schema)
        return check


def _object(node: Schema) -> Check | None:
    if node.sizes is not NO_SIZES or node.enum is not None:
        return None
    if not node.properties and not node.required:
        if node.additional is not None:
            return _map(node.additional)
        if node.open:
            return dict
    checks = _Properties(node)
    required = node.required
    nulls = bool(node.properties) and all(schema.nullable for schema in node.properties.values())

    def check_object(value: Any) -> bool:
        if value.__class__ is not dict:
            return False
        for key, item in value.items():
            check = checks[key]
            if check is not item.__class__ and (check.__class__ is type or not check(item)):
                if item is None and nulls and check is not _nothing and key not in required:
                    continue
                return False
        for key in required:  # noqa: SIM110 - likewise
            if key not in value:
                return False
        return True

    return check_object


def _map(additional: Schema) -> Check:
    values = compiled_later(additional)
    if isinstance(values, type):
        wanted = values

        def map_of_leaves(value: Any) -> bool:
            if value.__class__ is not dict:
                return False
            for item in value.values():  # noqa: SIM110 - likewise
                if item.__class__ is not wanted:
                    return False
            return True

        return map_of_leaves
    test = values

    def map_of_values(value: Any) -> bool:
        if value.__class__ is not dict:
            return False
        for item in value.values():  # noqa: SIM110 - likewise
            if not test(item):
                return False
        return True

    return map_of_values


_MAKERS: Final[Mapping[str, Callable[[Schema], Check | None]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
