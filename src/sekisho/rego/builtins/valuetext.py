"""Values as Rego writes them, for messages and for ``%v``."""

from __future__ import annotations

from sekisho.rego.builtins.gotext import quote
from sekisho.rego.builtins.jsontext import number_text
from sekisho.rego.values import Set, Value, sorted_keys, unkey


def text(value: Value) -> str:
    """A value as a Rego term: strings quoted, all in Rego's order, ``set()`` if empty."""
    kind = type(value)
    if kind is str:
        return quote(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is list:
        return "[" + ", ".join(map(text, value)) + "]"
    if kind is Set:
        return "{" + ", ".join(map(text, value)) + "}" if len(value) else "set()"
    if kind is dict:
        return "{" + ", ".join(f"{text(unkey(k))}: {text(value[k])}" for k in sorted_keys(value)) + "}"
    return number_text(value)
