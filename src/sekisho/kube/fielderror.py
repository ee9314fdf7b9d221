"""Messages about fields, in the words of Kubernetes' field errors (apimachinery ``field.Error``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sekisho.diag import Path, path_text

_SHOWN: Final = 200
"""Characters of an offending value that a message repeats; more hides the message."""


def invalid(path: Path, value: Any, detail: str) -> str:
    """``spec.x: Invalid value: "v": detail``."""
    return f"{_at(path)}Invalid value: {shown(value)}: {detail}"


def invalid_whole(path: Path, detail: str) -> str:
    """``spec.x: Invalid value: detail``, of a value that is too large to be repeated."""
    return f"{_at(path)}Invalid value: {detail}"


def required(path: Path, detail: str = "") -> str:
    """``spec.x: Required value: detail``."""
    return f"{_at(path)}Required value" + (f": {detail}" if detail else "")


def forbidden(path: Path, detail: str) -> str:
    """``spec.x: Forbidden: detail``."""
    return f"{_at(path)}Forbidden: {detail}"


def not_supported(path: Path, value: Any, allowed: Sequence[str]) -> str:
    """``spec.x: Unsupported value: "v": supported values: "a", "b"``."""
    values = ", ".join(json.dumps(item) for item in allowed)
    return f"{_at(path)}Unsupported value: {shown(value)}: supported values: {values}"


def duplicate(path: Path, value: Any) -> str:
    """``spec.x: Duplicate value: "v"``."""
    return f"{_at(path)}Duplicate value: {shown(value)}"


def duplicate_whole(path: Path) -> str:
    """``spec.x: Duplicate value``, of a value that is too large to be repeated."""
    return f"{_at(path)}Duplicate value"


def too_many(path: Path, count: int, most: int) -> str:
    """``spec.x: Too many: 65: must have at most 64 items``."""
    return f"{_at(path)}Too many: {count}: must have at most {most} items"


def in_body(path: Path, value: Any, detail: str) -> str:
    """What the API server says of custom resources: ``spec.x in body should be at most 5``."""
    return invalid(path, value, f"{path_text(path)} in body {detail}".lstrip())


def wrong_type(path: Path, value: Any, wanted: str) -> str:
    """What the API server says of custom resources: ``x in body must be of type string: "integer"``."""
    detail = f'{path_text(path)} in body must be of type {wanted}: "{type_name(value)}"'.lstrip()
    return f'{_at(path)}Invalid value: "{type_name(value)}": {detail}'


def unknown_field(path: Path) -> str:
    """``unknown field "spec.x"``, as strict decoding says it."""
    return f'unknown field "{path_text(path)}"'


def type_name(value: Any) -> str:
    """The JSON type of a value, as JSON Schema names it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"


def shown(value: Any) -> str:
    """A value as a message shows it: JSON as Go writes it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str, sort_keys=True, separators=(",", ":"))
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _at(path: Path) -> str:
    return f"{path_text(path)}: " if path else ""
