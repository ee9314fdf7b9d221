"""A rule of ``x-kubernetes-validations`` as it is written, and what the API server refuses about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.cel.kubernetes.rules.fieldpath import FieldPathError, parse_steps
from sekisho.diag import ObjectPath, Path, Source, path_text
from sekisho.kube import fielderror
from sekisho.kube.schema import Schema

KEYWORD: Final = "x-kubernetes-validations"

REASONS: Final = (
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
)
"""The reasons that a rule may give, in the order in which the API server lists them."""

INVALID: Final = "FieldValueInvalid"

_FIELDS: Final[Mapping[str, type]] = {
    "rule": str,
    "message": str,
    "messageExpression": str,
    "reason": str,
    "fieldPath": str,
    "optionalOldSelf": bool,
}
_LINE_BREAK: Final = re.compile(r"[\n\r]")

Problem = tuple[Path, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a schema stands, so that what is wrong with its rules can be told there.

    ``base`` is its path, which messages begin with. ``checked``: the shape of rules has been checked already.
    """

    base: Path = ()
    checked: bool = False
    at: Callable[[Path], ObjectPath | None] = lambda _: None
    source: Callable[[Path, str], Source] = lambda path, text: Source(path_text(path), text)


NOWHERE: Final = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A rule. ``path`` is where it stands in the schema.

    ``field_steps`` lead to the field that it is about, each with whether it is the key of a map.
    """

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_steps: tuple[tuple[str, bool], ...] = ()
    optional_old_self: bool = False
    path: Path = ()

    @property
    def field_path(self) -> Path:
        """The path to the field that it is about, below its own."""
        return tuple(step for step, _ in self.field_steps)

    @property
    def shown(self) -> str:
        """How messages call it: by its message, else by the rule itself."""
        return (self.message or self.rule).strip()

    @property
    def default_message(self) -> str:
        """What is said where no expression says more."""
        return self.message.strip() or f"failed rule: {self.shown}"


def read_rule(raw: Any, schema: Schema, path: Path, place: Place) -> tuple[Written | None, list[Problem]]:
    """A rule of the node ``schema`` that stands at ``path``, or None; and what is wrong with it."""
    found = list(_problems(raw, schema, (*place.base, *path), checked=place.checked))
    if found:
        return None, [(at[len(place.base) :], message) for at, message in found]
    field = raw.get("fieldPath") or ""
    rule = Written(
        rule=raw["rule"],
        message=raw.get("message") or "",
        message_expression=raw.get("messageExpression") or "",
        reason=raw.get("reason") or "",
        field_steps=parse_steps(field, schema) if field else (),
        optional_old_self=raw.get("optionalOldSelf") is True,
        path=path,
    )
    return rule, []


def _problems(raw: Any, schema: Schema, path: Path, *, checked: bool) -> Iterator[Problem]:
    if not isinstance(raw, Mapping):
        yield path, fielderror.wrong_type(path, raw, "object")
        return
    types = list(_type_problems(raw, path))
    if types:
        yield from () if checked else types
        return
    rule, message = raw.get("rule") or "", raw.get("message") or ""
    at: Path = (*path, "rule")
    if not rule.strip():
        yield at, fielderror.required(at, "rule is not specified")
    at = (*path, "message")
    if message and not message.strip():
        yield at, fielderror.invalid(at, message, "must be non-empty if specified")
    elif _LINE_BREAK.search(message.strip()):
        yield at, fielderror.invalid(at, message, "must not contain line breaks")
    elif _LINE_BREAK.search(rule.strip()) and not message.strip():
        yield at, fielderror.required(at, "message must be specified if rule contains line breaks")
    text, at = raw.get("messageExpression") or "", (*path, "messageExpression")
    if text and not text.strip():
        yield at, fielderror.required(at, "messageExpression must be non-empty if specified")
    reason, at = raw.get("reason"), (*path, "reason")
    if reason is not None and reason not in REASONS and not checked:
        yield at, fielderror.not_supported(at, reason, REASONS)
    yield from _field_path_problems(raw.get("fieldPath") or "", schema, (*path, "fieldPath"))


def _type_problems(raw: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    for field, kind in _FIELDS.items():
        value, at = raw.get(field), (*path, field)
        if value is not None and not isinstance(value, kind):
            yield at, fielderror.wrong_type(at, value, "string" if kind is str else "boolean")
    for field in raw:
        if field not in _FIELDS:
            yield (*path, field), fielderror.unknown_field((*path, field))


def _field_path_problems(text: str, schema: Schema, at: Path) -> Iterator[Problem]:
    if text and not text.strip():
        yield at, fielderror.invalid(at, text, "must be non-empty if specified")
    if _LINE_BREAK.search(text):
        yield at, fielderror.invalid(at, text, "must not contain line breaks")
    if text:
        try:
            parse_steps(text, schema)
        except FieldPathError:
            yield at, fielderror.invalid(at, text, "must be a valid path")
