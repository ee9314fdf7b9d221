"""The ``fieldPath`` of a rule: ``.spec.x`` or ``.labels['a.b']``, checked against the schema."""

from __future__ import annotations

import re
from typing import Final

from sekisho.kube.schema import Schema

_STEP: Final = re.compile(r"\.([^.\[\]']+)|\['((?:[^'\\]|\\.)*)'\]", re.DOTALL)
_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "'": "'",
    "\\": "\\",
}


class FieldPathError(ValueError):
    """A fieldPath is malformed, or there is no such field."""


def go_path(where: str, step: str | int, *, key: bool = False) -> str:
    """A path one step further down, as Kubernetes' field errors write it; ``key``: of a map."""
    if key or isinstance(step, int):
        return f"{where}[{step}]"
    return f"{where}.{step}" if where else step


def parse_field_path(text: str, schema: Schema) -> tuple[str, ...]:
    """The steps of a fieldPath below a node. Raises FieldPathError."""
    return tuple(step for step, _ in parse_steps(text, schema))


def parse_steps(text: str, schema: Schema) -> tuple[tuple[str, bool], ...]:
    """The steps of a fieldPath below a node, with whether each is the key of a map. Raises FieldPathError."""
    steps: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise FieldPathError(f"expected [ or . but got: {text[at:]}")
        name = found[1] if found[1] is not None else _unescaped(found[2])
        node = schema.resolved()
        child = node.properties.get(name) if node.properties else node.additional
        if child is None:
            raise FieldPathError("does not refer to a valid field")
        steps.append((name, not node.properties))
        schema, at = child, found.end()
    return tuple(steps)


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPES:
            raise FieldPathError(f"invalid string literal: invalid escape char {found[0]}")
        return _ESCAPES[found[1]]

    return re.sub(r"\\(.)", one, text, flags=re.DOTALL)
