"""Operations on types: union, selection, order and text, as OPA's type checker has them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.rego.check.text import value_text
from sekisho.rego.types import (
    ANY,
    BOOLEAN,
    NULL,
    NUMBER,
    STRING,
    UNKNOWN,
    Anything,
    Array,
    Boolean,
    Function,
    Null,
    Num,
    Object,
    SetOf,
    String,
    Type,
    Union,
    Unknown,
)
from sekisho.rego.values import Value, is_number, unkey

OPTIONS: Final = Limit("a union of types", 200, "types", "each further one is compared with all of them")
SIZE: Final = Limit(
    "an inferred type", 10_000, "parts", "a variable used twice doubles it, and so do ten more"
)

_SCALARS: Final = {Null: 0, Boolean: 1, Num: 2, String: 3, Unknown: -1}
_NAMES: Final = {Null: "null", Boolean: "boolean", Num: "number", String: "string", Unknown: "???"}


def type_text(type: Type | None) -> str:
    """A type as OPA prints it: ``any<number, string>``, ``object<a: number>[string: any]``, ``???``."""
    if type is None:
        return "???"
    name = _NAMES.get(type.__class__)
    if name is not None:
        return name
    if isinstance(type, Array):
        dynamic = "" if type.dynamic is None else f"[{type_text(type.dynamic)}]"
        return "array" + _angled(map(type_text, type.static)) + dynamic
    if isinstance(type, Object):
        static = (f"{_plain(unkey(k))}: {type_text(v)}" for k, v in _sorted_static(type))
        dynamic = ""
        if type.dynamic is not None:
            dynamic = f"[{type_text(type.dynamic[0])}: {type_text(type.dynamic[1])}]"
        return "object" + _angled(static) + dynamic
    if isinstance(type, SetOf):
        return f"set[{type_text(type.of)}]"
    if isinstance(type, Union):
        return "any" + _angled(map(type_text, sorted(type.options, key=order_key)))
    if isinstance(type, Function):
        return f"({', '.join(map(type_text, type.args))}) => {type_text(type.result)}"
    return "any"


def _angled(parts: Iterable[str]) -> str:
    text = ", ".join(parts)
    return f"<{text}>" if text else ""


def _plain(value: Value) -> str:
    return value if isinstance(value, str) else value_text(value)


def order_key(type: Type | None) -> tuple[Any, ...]:
    """A key that sorts types in OPA's order; equal keys mean equal types."""
    if type is None:
        return (-1,)
    rank = _SCALARS.get(type.__class__)
    if rank is not None:
        return (rank,)
    if isinstance(type, Array):
        return (4, type.dynamic is not None, order_key(type.dynamic), tuple(map(order_key, type.static)))
    if isinstance(type, Object):
        static = tuple((_value_key(k), order_key(v)) for k, v in _sorted_static(type))
        if type.dynamic is None:
            return (5, False, (), (), static)
        return (5, True, order_key(type.dynamic[0]), order_key(type.dynamic[1]), static)
    if isinstance(type, SetOf):
        return (6, order_key(type.of))
    if isinstance(type, Union):
        return (7, *sorted(map(order_key, type.options)))
    if isinstance(type, Function):
        args = tuple(map(order_key, type.args))
        return (8, len(args), args, order_key(type.result), order_key(type.variadic))
    return (7,)


def _sorted_static(type: Object) -> list[tuple[Value, Type]]:
    if len(type.static) < 2:
        return list(type.static)
    return sorted(type.static, key=lambda pair: _value_key(pair[0]))


def _value_key(form: Any) -> tuple[int, Any]:
    value = unkey(form)
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (1, value)
    if is_number(value):
        return (2, Decimal(value))
    if isinstance(value, str):
        return (3, value)
    return (4, value_text(value))


def either(a: Type | None, b: Type | None) -> Type:
    """The type that is one of two; the wider one, if it contains the other."""
    if a is None or a is UNKNOWN:
        return b or UNKNOWN
    if b is None or b is UNKNOWN or a is b:
        return a
    if isinstance(a, Function) or isinstance(b, Function):
        return _either_function(a, b)
    if a is ANY or b is ANY or isinstance(a, Anything) or isinstance(b, Anything):
        return ANY
    if a == b:
        return a
    options: list[Type] = list(a.options) if isinstance(a, Union) else [a]
    known = set(map(order_key, options))
    for option in b.options if isinstance(b, Union) else (b,):
        key = order_key(option)
        if key not in known:
            known.add(key)
            options.append(option)
    if len(options) == 1:
        return options[0]
    if OPTIONS.exceeded_by(len(options)):
        return ANY
    return Union(tuple(sorted(options, key=order_key)))


def bounded(type: Array | Object | SetOf) -> Type:
    """The type, or that of anything if it has become too large to look at again and again."""
    parts: list[Type] = [type]
    for part in parts:
        if isinstance(part, Array):
            parts += part.static
            if part.dynamic is not None:
                parts.append(part.dynamic)
        elif isinstance(part, Object):
            parts += [value for _, value in part.static]
            parts += part.dynamic or ()
        elif isinstance(part, SetOf):
            parts.append(part.of)
        elif isinstance(part, Union):
            parts += part.options
        if SIZE.exceeded_by(len(parts)):
            return ANY
    return type


def _either_function(a: Type, b: Type) -> Type:
    if not isinstance(a, Function) or not isinstance(b, Function) or len(a.args) != len(b.args):
        return UNKNOWN
    args = tuple(either(x, y) for x, y in zip(a.args, b.args, strict=True))
    return Function(args, either(a.result, b.result))


def keys(type: Type) -> Type | None:
    """The type of what can be enumerated as keys; None for what has none."""
    if isinstance(type, Array):
        return NUMBER
    if isinstance(type, Object):
        found: Type | None = None
        for key, _ in type.static:
            found = either(found, of_value(unkey(key)))
        if type.dynamic is not None:
            found = either(found, type.dynamic[0])
        return found
    if isinstance(type, SetOf):
        return type.of
    if isinstance(type, Union):
        return _over(type, keys)
    return ANY if isinstance(type, Anything) else None


def values(type: Type) -> Type | None:
    """The type of what can be enumerated as values; None for what has none."""
    if isinstance(type, Array):
        found: Type | None = None
        for item in type.static:
            found = either(found, item)
        return found if type.dynamic is None else either(found, type.dynamic)
    if isinstance(type, Object):
        found = None
        for _, value in type.static:
            found = either(found, value)
        return found if type.dynamic is None else either(found, type.dynamic[1])
    if isinstance(type, SetOf):
        return type.of
    if isinstance(type, Union):
        return _over(type, values)
    return ANY if isinstance(type, Anything) else None


def _over(union: Union, one: Any) -> Type | None:
    found: Type | None = None
    for option in union.options:
        part = one(option)
        if part is not None:
            found = either(part, found)
    return found


def select(type: Type | None, form: Any) -> Type | None:
    """The type of one property or item, named as by ``values.key``; None if there is none."""
    if isinstance(type, Object):
        for key, value in type.static:
            if key == form and key.__class__ is form.__class__:
                return value
        if type.dynamic is not None and contains(type.dynamic[0], of_value(unkey(form))):
            return type.dynamic[1]
        return None
    if isinstance(type, Array):
        return _select_item(type, unkey(form))
    if isinstance(type, SetOf):
        wanted = of_value(unkey(form))
        if order_key(type.of) == order_key(wanted):
            return type.of
        if isinstance(type.of, (Union, Anything)) and contains(type.of, wanted):
            return wanted
        return None
    if isinstance(type, Union):
        found: Type | None = None
        for option in type.options:
            part = select(option, form)
            if part is not None:
                found = either(part, found)
        return found
    return ANY if isinstance(type, Anything) else None


def _select_item(type: Array, value: Value) -> Type | None:
    if not is_number(value) or value != int(value) or value < 0:
        return None
    if value < len(type.static):
        return type.static[int(value)]
    return type.dynamic


def contains(a: Type, b: Type) -> bool:
    """Whether a type is a superset of another, as far as OPA looks."""
    if isinstance(a, Anything):
        return not isinstance(b, Function)
    if isinstance(a, Union):
        wanted = order_key(b)
        return any(order_key(option) == wanted for option in a.options)
    return a == b or order_key(a) == order_key(b)


def of_value(value: Value) -> Type:
    """The type of a constant."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, str):
        return STRING
    if isinstance(value, list):
        return Array(tuple(map(of_value, value)))
    if isinstance(value, dict):
        return Object(tuple((k, of_value(v)) for k, v in value.items()))
    if is_number(value):
        return NUMBER
    found: Type | None = None
    for item in value:
        found = either(found, of_value(item))
    return SetOf(found or ANY)


def unknown(type: Type | None) -> bool:
    """Whether a type, or a part of it, is not known."""
    if type is None or type is UNKNOWN:
        return True
    if isinstance(type, Array):
        return any(map(unknown, type.static)) or (type.dynamic is not None and unknown(type.dynamic))
    if isinstance(type, Object):
        if any(unknown(value) for _, value in type.static):
            return True
        return type.dynamic is not None and (unknown(type.dynamic[0]) or unknown(type.dynamic[1]))
    if isinstance(type, SetOf):
        return unknown(type.of)
    if isinstance(type, Function):
        return any(map(unknown, type.args)) or unknown(type.result)
    return False
