"""The one list of names that generated code may touch.

``GLOBALS`` and the functions of the built-ins a program uses are all that its code can see: it runs with
empty ``__builtins__``, has no imports, and reaches attributes only of the values and states given to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import repeat
from typing import Any, Final

from sekisho.lang.meter import LONG
from sekisho.rego import codes
from sekisho.rego.documents import (
    document,
    document_get,
    document_items,
    document_value,
    override,
    rule_or_data,
)
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.state import NEW, EvalState, builtin_error, error
from sekisho.rego.values import (
    NUMERIC,
    UNDEFINED,
    Bag,
    Key,
    Number,
    Set,
    Value,
    compare,
    equal,
    key,
    sorted_keys,
    unkey,
)

EMPTY: Final[dict[Any, Any]] = {}
"""What a lookup gives for a missing object on the way to a deeper key. Never written to."""


# --- lookups and loops ------------------------------------------------------------------------------------


def get(base: Value, step: Value) -> Value:
    """``base[step]``, or UNDEFINED."""
    kind = type(base)
    if kind is dict:
        return base.get(step if type(step) is str else key(step), UNDEFINED)
    if kind is list:
        if type(step) is not int:
            step = key(step)
            if type(step) is not int:
                return UNDEFINED
        return base[step] if 0 <= step < len(base) else UNDEFINED
    if kind is Set:
        return step if key(step) in base.keys else UNDEFINED
    return UNDEFINED


def get_stored(base: Value, step: Value) -> Value:
    """``get`` for a document of the store, whose keys are text: there ``x[2]`` finds the key ``"2"`` too."""
    value = get(base, step)
    if value is UNDEFINED and type(base) is dict and type(step) is int:
        return base.get(str(step), UNDEFINED)
    return value


def each(state: EvalState, base: Value, grows: Any = None) -> Iterable[Value]:
    """What ``base[_]`` runs through, in Rego's order; the loop is paid for."""
    kind = type(base)
    if kind is list:
        values: Iterable[Value] = base
    elif kind is dict:
        values = [base[k] for k in sorted_keys(base)]
    elif kind is Set:
        values = base.sorted()
    else:
        return ()
    return _pay(state, values, len(base), grows)


def pairs(state: EvalState, base: Value, grows: Any = None) -> Iterable[tuple[Value, Value]]:
    """What ``base[k]`` runs through as keys and values, in Rego's order; the loop is paid for."""
    kind = type(base)
    if kind is list:
        values: Iterable[tuple[Value, Value]] = enumerate(base)
    elif kind is dict:
        values = [(k.value if type(k) is Key else k, base[k]) for k in sorted_keys(base)]
    elif kind is Set:
        elements = base.sorted()
        values = zip(elements, elements, strict=True)
    else:
        return ()
    return _pay(state, values, len(base), grows)


def each_loose(state: EvalState, base: Value, grows: Any = None) -> Iterable[Value]:
    """``each`` where neither the order of the turns nor a repeated one can be seen."""
    kind = type(base)
    if kind is list:
        values: Any = base
    elif kind is dict:
        values = base.values()
    elif kind is Set:
        values = base.loose()
    else:
        return ()
    length = len(values)
    if length > LONG or grows is not None:
        return _pay(state, values, length, grows)
    meter = state.meter
    meter.left -= length + 1
    if meter.left < 0:
        meter.check()
    return values  # type: ignore[no-any-return]


def pairs_loose(state: EvalState, base: Value, grows: Any = None) -> Iterable[tuple[Value, Value]]:
    """``pairs`` where neither the order of the turns nor a repeated one can be seen."""
    kind = type(base)
    if kind is dict:
        values: Any = base.items()
        for k in base:
            if type(k) is Key:
                values = [(unkey(k), v) for k, v in values]
                break
    elif kind is list:
        values = enumerate(base)
    elif kind is Set:
        elements = base.loose()
        return _pay(state, zip(elements, elements, strict=True), len(elements), grows)
    else:
        return ()
    return _pay(state, values, len(base), grows)


def _pay(state: EvalState, values: Iterable[Any], length: int, grows: Any) -> Iterable[Any]:
    meter = state.meter
    if grows is not None and len(grows) > LONG:
        check_growth(state, len(grows))
    if length > LONG:
        return meter.watch(values)
    meter.left -= length + 1
    if meter.left < 0:
        meter.check()
    return values


def check_growth(state: EvalState, size: int) -> None:
    """Stop when a collection that is being built has outgrown the limit."""
    limit = state.meter.limits.items
    if size + state.meter.items > limit.value:
        state.meter.build(size)


def solutions(state: EvalState, values: Value, grows: Any = None) -> Iterable[Value]:
    """The solutions of a relation; nothing where its call was undefined."""
    if values is UNDEFINED:
        return ()
    if grows is not None and len(grows) > LONG:
        check_growth(state, len(grows))
    return state.meter.watch(values)


def enter(state: EvalState) -> None:
    """Pay for a call of a function."""
    meter = state.meter
    meter.left -= 1
    if meter.left < 0:
        meter.check()


def iterable(value: Value) -> bool:
    """Whether ``every`` can run through a value."""
    kind = type(value)
    return kind is list or kind is dict or kind is Set


def member(value: Value, collection: Value) -> bool:
    """``value in collection``."""
    kind = type(collection)
    if kind is Set:
        return key(value) in collection.keys
    if kind is dict:
        collection = collection.values()
    elif kind is not list:
        return False
    if type(value) is str:
        return value in collection
    return any(map(equal, collection, repeat(value)))


# --- comparisons ------------------------------------------------------------------------------------------


def less(a: Value, b: Value) -> bool:
    """``a < b``."""
    kind = type(a)
    if kind is type(b) and (kind is int or kind is str):
        return bool(a < b)
    return compare(a, b) < 0


def less_equal(a: Value, b: Value) -> bool:
    """``a <= b``."""
    return not greater(a, b)


def greater(a: Value, b: Value) -> bool:
    """``a > b``."""
    kind = type(a)
    if kind is type(b) and (kind is int or kind is str):
        return bool(a > b)
    return compare(a, b) > 0


def greater_equal(a: Value, b: Value) -> bool:
    """``a >= b``."""
    return not less(a, b)


# --- building ---------------------------------------------------------------------------------------------


def put(state: EvalState, position: int, target: dict[Any, Value], form: Any, value: Value) -> None:
    """Add a pair to an object under construction; another value under the key is an error."""
    old = target.get(form, UNDEFINED)
    if old is UNDEFINED:
        target[form] = value
    elif not equal(old, value):
        raise _conflict(state, position, "object keys must be unique")


class Nested:
    """An object under construction whose solutions lie at paths of several keys."""

    __slots__ = ("paths", "root")

    def __init__(self) -> None:
        self.root: dict[Any, Value] = {}
        self.paths: dict[tuple[Any, ...], None] = {}


def put_deep(state: EvalState, position: int, nested: Nested, keys: tuple[Any, ...], value: Value) -> None:
    """Add a value at a path of keys."""
    put(state, position, _leaf(state, position, nested, keys), keys[-1], value)


def add_deep(state: EvalState, position: int, nested: Nested, keys: tuple[Any, ...], value: Value) -> None:
    """Add an element to the set at a path of keys."""
    leaf = _leaf(state, position, nested, keys).setdefault(keys[-1], Set(set()))
    if type(leaf) is not Set:
        raise _conflict(state, position, "object keys must be unique")
    leaf.keys.add(key(value))


def _leaf(state: EvalState, position: int, nested: Nested, keys: tuple[Any, ...]) -> dict[Any, Value]:
    """The innermost object on a path. A path below another one's value is an error."""
    if any(keys[:length] in nested.paths for length in range(1, len(keys))):
        raise _conflict(state, position, "object keys must be unique")
    nested.paths[keys] = None
    target = nested.root
    for step in keys[:-1]:
        target = target.setdefault(step, {})
        if type(target) is not dict:
            raise _conflict(state, position, "object keys must be unique")
    return target


def agree(state: EvalState, position: int, old: Value, value: Value) -> Value:
    """The value of a complete rule, given what was found before."""
    if old is not UNDEFINED and not equal(old, value):
        raise _conflict(state, position, "complete rules must not produce multiple outputs")
    return value


def agree_function(state: EvalState, position: int, old: Value, value: Value) -> Value:
    """The result of a function, given what was found before."""
    if old is not UNDEFINED and not equal(old, value):
        raise _conflict(state, position, "functions must not produce multiple outputs for same inputs")
    return value


def _conflict(state: EvalState, position: int, message: str) -> Exception:
    return error(codes.EVAL_CONFLICT, message, state.loaded.span(position))


# --- built-ins --------------------------------------------------------------------------------------------


def fault(state: EvalState, position: int) -> Value:
    """A built-in has just refused its operands: undefined, or the end when errors are strict."""
    options = state.options
    if options.strict or options.faults is not None:
        caught = sys.exception()
        assert isinstance(caught, BuiltinFault)
        error = builtin_error(state, position, caught)
        if options.strict:
            raise error
        assert options.faults is not None
        options.faults(error.diagnostics[0])
    return UNDEFINED


def refuse(state: EvalState, position: int, function: Any, *args: Value) -> Value:
    """The native form of a built-in did not apply: ask the built-in itself."""
    try:
        return function(*args)
    except BuiltinFault:
        return fault(state, position)


def mockable(state: EvalState, position: int, name: str, function: Any, *args: Value) -> Value:
    """Call a function that some ``with`` may have replaced."""
    mock = state.mocks.get(name) if state.mocks else None
    if mock is None:
        return _call(state, position, name, function, args)
    calls, what = mock
    if not calls:
        return what
    inner = state.derive()
    inner.mocks = None
    if isinstance(what, str):
        return _call(inner, position, what, None, args)
    return what(inner, *args)


def _call(state: EvalState, position: int, name: str, function: Any, args: tuple[Value, ...]) -> Value:
    if function is not None:
        return function(state, *args)
    row = state.loaded.builtins[name]
    try:
        return row.function(state, *args) if row.context else row.function(*args)
    except BuiltinFault:
        return fault(state, position)


GLOBALS: Final[dict[str, object]] = {
    "Bag": Bag,
    "BuiltinFault": BuiltinFault,
    "E": EMPTY,
    "NEW": NEW,
    "NOT_TEXT": (AttributeError, TypeError),
    "NUMERIC": NUMERIC,
    "Number": Number,
    "Set": Set,
    "U": UNDEFINED,
    "AttributeError": AttributeError,
    "TypeError": TypeError,
    "add_deep": add_deep,
    "agree": agree,
    "agree_function": agree_function,
    "bool": bool,
    "dict": dict,
    "document": document,
    "document_get": document_get,
    "document_items": document_items,
    "document_value": document_value,
    "each": each,
    "each_loose": each_loose,
    "enter": enter,
    "equal": equal,
    "fault": fault,
    "get": get,
    "get_stored": get_stored,
    "greater": greater,
    "greater_equal": greater_equal,
    "int": int,
    "iterable": iterable,
    "key": key,
    "len": len,
    "less": less,
    "less_equal": less_equal,
    "list": list,
    "member": member,
    "mockable": mockable,
    "override": override,
    "pairs": pairs,
    "pairs_loose": pairs_loose,
    "put": put,
    "put_deep": put_deep,
    "Nested": Nested,
    "refuse": refuse,
    "rule_or_data": rule_or_data,
    "set": set,
    "solutions": solutions,
    "str": str,
    "type": type,
}

__all__ = ["GLOBALS", "unkey"]
