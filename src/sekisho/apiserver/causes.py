"""Causes of an Invalid error, one function for each kind that apimachinery's ``field.Error`` knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.status import Cause
from sekisho.kube.fielderror import shown


def invalid(at: str, value: Any, detail: str) -> Cause:
    """A value that is malformed."""
    return Cause(reason="FieldValueInvalid", message=f"Invalid value: {shown(value)}: {detail}", field=at)


def invalid_list(at: str, values: Sequence[str], detail: str) -> Cause:
    """A list of texts that is malformed, which Go writes in its own way."""
    rows = ", ".join(shown(row) for row in values)
    return Cause(reason="FieldValueInvalid", message=f"Invalid value: []string{{{rows}}}: {detail}", field=at)


def required(at: str, detail: str = "") -> Cause:
    """A value that is missing."""
    tail = f": {detail}" if detail else ""
    return Cause(reason="FieldValueRequired", message=f"Required value{tail}", field=at)


def forbidden(at: str, detail: str) -> Cause:
    """A value that may not be there."""
    return Cause(reason="FieldValueForbidden", message=f"Forbidden: {detail}", field=at)


def not_supported(at: str, value: Any, allowed: Iterable[str]) -> Cause:
    """A value that is none of those known."""
    names = ", ".join(f'"{row}"' for row in allowed)
    message = f"Unsupported value: {shown(value)}: supported values: {names}"
    return Cause(reason="FieldValueNotSupported", message=message, field=at)


def duplicate(at: str, value: Any) -> Cause:
    """A value that is there twice."""
    return Cause(reason="FieldValueDuplicate", message=f"Duplicate value: {shown(value)}", field=at)


def too_many(at: str, count: int, most: int) -> Cause:
    """A list that is too long."""
    unit = "item" if most == 1 else "items"
    message = f"Too many: {count}: must have at most {most} {unit}"
    return Cause(reason="FieldValueTooMany", message=message, field=at)


def immutable(at: str, value: Any) -> Cause:
    """A value that may not change."""
    return invalid(at, value, "field is immutable")


def invalids(at: str, value: Any, details: Sequence[str]) -> list[Cause]:
    """One cause for all that is wrong with a value; none if nothing is."""
    return [invalid(at, value, ",".join(details))] if details else []


def not_told(found: Iterable[Cause], told: Sequence[Cause]) -> list[Cause]:
    """Causes of fields about which nothing has been said yet, nor about what is around or in them."""

    def near(one: str, other: str) -> bool:
        return (
            one == other
            or one.startswith((f"{other}.", f"{other}["))
            or other.startswith((f"{one}.", f"{one}["))
        )

    def same(one: Cause, other: Cause) -> bool:
        """Some fields are called otherwise by a rule than where they stand (a Node's taints)."""
        leaf, text = one.field.rpartition(".")[2], one.message.partition(": supported")[0]
        return leaf == other.field.rpartition(".")[2] and text == other.message.partition(": supported")[0]

    return [
        cause for cause in found if not any(near(cause.field, row.field) or same(cause, row) for row in told)
    ]


_REASONS: Final[Mapping[str, str]] = {
    "Invalid value": "FieldValueInvalid",
    "Required value": "FieldValueRequired",
    "Forbidden": "FieldValueForbidden",
    "Unsupported value": "FieldValueNotSupported",
    "Duplicate value": "FieldValueDuplicate",
    "Too many": "FieldValueTooMany",
    "Too long": "FieldValueTooLong",
}
"""The reason of an error, by how its text begins."""

_PARTS: Final = re.compile(rf"(?:(.*?): )?(({'|'.join(_REASONS)}).*)", re.DOTALL)


def parted(text: str) -> Cause:
    """The cause that a text such as ``spec.x: Invalid value: …`` tells of."""
    found = _PARTS.fullmatch(text)
    if found is None:
        return Cause(reason="FieldValueInvalid", message=text)
    return Cause(reason=_REASONS[found[3]], message=found[2], field=found[1] or "")
