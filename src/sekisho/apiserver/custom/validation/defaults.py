"""Defaults in a schema: each must be valid by its own node, and have no unknown fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sekisho.apiserver.causes import invalid, parted
from sekisho.apiserver.custom.schemas import read, rules_of
from sekisho.apiserver.decode import causes_of
from sekisho.apiserver.status import Cause
from sekisho.diag import Path, path_text
from sekisho.kube.schema import ABSENT, Schema, has_rules, prune, validate


def default_causes(raw: Mapping[str, Any], at: Path) -> list[Cause]:
    """What is wrong with the defaults of a structural schema that stands at ``at``."""
    return list(_node(read(raw, at).schema, path_text(at), root=True))


def _node(schema: Schema, at: str, *, root: bool = False) -> Iterator[Cause]:
    if schema.target is not None:
        return  # the fields of every object: what is theirs has no defaults here
    if schema.default is not ABSENT:
        yield from _default(schema, f"{at}.default")
    if schema.items is not None:
        yield from _node(schema.items, f"{at}.items")
    for name, child in schema.properties.items():
        if not (root and name in ("metadata", "kind", "apiVersion")):
            yield from _node(child, f"{at}.properties[{name}]")


def _default(schema: Schema, at: str) -> Iterator[Cause]:
    value = schema.default
    if prune(value, schema) != value:
        yield invalid(at, value, "must not have unknown fields")
        return
    problems = list(validate(value, schema))
    for cause in causes_of(problems):
        field = "" if cause.field == "<nil>" else cause.field
        below = f"{at}{field}" if field.startswith("[") else f"{at}.{field}" if field else at
        yield Cause(reason=cause.reason, message=cause.message, field=below)
    if not problems and has_rules(schema):
        from sekisho.cel.kubernetes.rules import validate_rules

        for broken in validate_rules(rules_of(schema, (at,), resource=False), value, value):
            cause = parted(broken.message)
            yield replace(cause, field=f"{at}.{cause.field}" if cause.field else at)
