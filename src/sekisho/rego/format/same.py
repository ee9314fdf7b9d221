"""What two modules have in common that mean the same: the tree without what the formatter may change."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from sekisho.rego.format.rules import is_true
from sekisho.rego.nodes import Annotation, Call, Head, Import, Module, Rule, Scalar, Var
from sekisho.rego.values import Number

_OFFSETS = frozenset({"start", "end", "source"})


def canonical(module: Module) -> Any:
    """A module as plain tuples.

    Left out: offsets, the names of wildcards, ``:=`` against ``=`` in heads, values and bodies that are only
    ``true``, and imports of keywords, which are in ``Module.keywords``.
    """
    imports = sorted(
        (repr(_plain(node)) for node in module.imports if not _is_keyword_import(node)),
    )
    comments = tuple(comment.text.rstrip() for comment in module.comments)
    return (
        module.package.path,
        imports,
        tuple(_plain(rule) for rule in module.rules),
        sorted(comments),
        module.keywords,
    )


def _is_keyword_import(node: Import) -> bool:
    head = node.path if isinstance(node.path, Var) else node.path.head
    return isinstance(head, Var) and head.name == "future"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if isinstance(value, Var) and value.wildcard:
        return "_"
    if isinstance(value, (int, str, bool, Number)) or value is None:
        return type(value).__name__, str(value)
    if not is_dataclass(value):
        return repr(value)
    skipped = _OFFSETS
    if isinstance(value, Head):
        skipped |= {"assign"}
        if isinstance(value.value, Scalar) and value.value.value is True:
            skipped |= {"value"}
    if isinstance(value, Call):
        skipped |= {"infix"}
    if isinstance(value, Rule) and value.orelse is None and is_true(value.body):
        skipped |= {"body"}
    if isinstance(value, Annotation):
        return value.scope, repr(value.value)
    found = tuple(
        (field.name, _plain(getattr(value, field.name)))
        for field in fields(value)
        if field.name not in skipped and getattr(value, field.name) not in ((), None)
    )
    return type(value).__name__, found
