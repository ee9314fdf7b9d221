"""``spec.match`` of constraints and mutators (policy.md 1.4).

A match is checked and compiled once; all of its conditions must hold, an absent one always does. The order of
the conditions is Gatekeeper's, since one that fails hides the errors of those behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube.object import Object
from sekisho.kube.selectors import (
    Selector,
    any_wildcard,
    label_selector,
    wildcard_matches,
    wildcard_matches_generate_name,
)
from sekisho.policy import codes

WILDCARD_FORM: Final = re.compile(r"\*?[-:a-z0-9]*\*?\Z")
"""Gatekeeper's own pattern for namespaces and names in a match."""

SOURCES: Final = ("All", "Original", "Generated")


class MatchError(Exception):
    """A condition that cannot be answered; the constraint rejects the object ("autoreject")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is matched: the object, its Namespace where it is known, and whether somebody wrote it.

    ``source`` is Original, Generated, or empty where nobody said.
    """

    object: Object
    namespace: Object | None = None
    source: str = "Original"


Condition = Callable[[Subject], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A compiled match. ``kinds`` lists what it can match, None for anything: an index for the engine."""

    conditions: tuple[Condition, ...] = ()
    kinds: tuple[tuple[frozenset[str] | None, frozenset[str] | None], ...] | None = None

    def matches(self, subject: Subject) -> bool:
        """Whether all conditions hold; raises MatchError for one that cannot be answered."""
        return all(condition(subject) for condition in self.conditions)

    def matches_any(self, *subjects: Subject) -> bool:
        """Whether one of the objects of a request (the new one, the old one) matches."""
        return any(self.matches(subject) for subject in subjects)


EVERYTHING: Final = Match()


def compile_match(raw: Any, owner: Object, path: tuple[str, ...] = ("spec", "match")) -> Match:
    """The match that a raw one means; raises DiagnosticError (POL023, KUB010) at the field at fault.

    Shapes are checked by the constraint's schema before; what is checked here is what a schema cannot say.
    """
    if raw is None:
        return EVERYTHING
    if not isinstance(raw, Mapping):
        raise _bad(owner, path, "match must be an object")
    kinds = _kinds(raw.get("kinds"), owner, (*path, "kinds"))
    makers: tuple[Condition | None, ...] = (
        _kinds_condition(kinds),
        _scope_condition(raw.get("scope")),
        _namespaces_condition(_patterns(raw, "namespaces", owner, path), wanted=True),
        _namespaces_condition(_patterns(raw, "excludedNamespaces", owner, path), wanted=False),
        _labels_condition(raw.get("labelSelector"), owner, (*path, "labelSelector")),
        _namespace_selector_condition(raw.get("namespaceSelector"), owner, (*path, "namespaceSelector")),
        _name_condition(raw.get("name"), owner, (*path, "name")),
        _source_condition(raw.get("source"), owner, (*path, "source")),
    )
    return Match(conditions=tuple(made for made in makers if made is not None), kinds=kinds)


def _kinds(
    raw: Any, owner: Object, path: tuple[str, ...]
) -> tuple[tuple[frozenset[str] | None, frozenset[str] | None], ...] | None:
    if not raw:
        return None
    if not isinstance(raw, list):
        raise _bad(owner, path, "kinds must be a list")
    rows: list[tuple[frozenset[str] | None, frozenset[str] | None]] = []
    for index, row in enumerate(raw):
        if not isinstance(row, Mapping):
            raise _bad(owner, (*path, index), "an entry of kinds must be an object")
        rows.append((_names(row.get("apiGroups")), _names(row.get("kinds"))))
    return tuple(rows)


def _names(raw: Any) -> frozenset[str] | None:
    """The names of a list, None where it means any: absent, empty, or with a star."""
    names = frozenset(name for name in raw or () if isinstance(name, str))
    return None if not names or "*" in names else names


def _kinds_condition(
    kinds: tuple[tuple[frozenset[str] | None, frozenset[str] | None], ...] | None,
) -> Condition | None:
    if kinds is None:
        return None

    def condition(subject: Subject) -> bool:
        group, _, kind = subject.object.gvk
        return any(
            (names is None or kind in names) and (groups is None or group in groups)
            for groups, names in kinds
        )

    return condition


def _scope_condition(scope: Any) -> Condition | None:
    if scope not in ("Cluster", "Namespaced"):
        return None
    cluster = scope == "Cluster"

    def condition(subject: Subject) -> bool:
        object = subject.object
        namespaced = bool(object.namespace) or subject.namespace is not None
        return (object.is_namespace or not namespaced) is cluster

    return condition


def _patterns(raw: Mapping[str, Any], field: str, owner: Object, path: tuple[str, ...]) -> tuple[str, ...]:
    values = raw.get(field)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _bad(owner, (*path, field), f"{field} must be a list of strings")
    for index, value in enumerate(values):
        _check_pattern(value, owner, (*path, field, index))
    return tuple(values)


def _check_pattern(value: str, owner: Object, path: tuple[str | int, ...]) -> None:
    if not WILDCARD_FORM.match(value):
        raise _bad(
            owner,
            path,
            f'"{value}" is not a name or a wildcard (a star may stand at the beginning, the end, or both)',
        )


def _namespaces_condition(patterns: tuple[str, ...], *, wanted: bool) -> Condition | None:
    if not patterns:
        return None

    def condition(subject: Subject) -> bool:
        object, namespace = subject.object, subject.namespace
        if object.is_namespace:
            name = object.name
        elif namespace is not None:
            name = namespace.name
        else:
            name = object.namespace
            if not name:
                return True
        return any_wildcard(patterns, name) is wanted

    return condition


def _selector(raw: Any, owner: Object, path: tuple[str, ...]) -> Selector | None:
    return None if raw is None else label_selector(raw, owner.at(*path))


def _labels_condition(raw: Any, owner: Object, path: tuple[str, ...]) -> Condition | None:
    selector = _selector(raw, owner, path)
    if selector is None:
        return None
    return lambda subject: selector.matches(subject.object.labels)


def _namespace_selector_condition(raw: Any, owner: Object, path: tuple[str, ...]) -> Condition | None:
    selector = _selector(raw, owner, path)
    if selector is None:
        return None

    def condition(subject: Subject) -> bool:
        object, namespace = subject.object, subject.namespace
        if object.is_namespace:
            return selector.matches(object.labels)
        if namespace is not None:
            return selector.matches(namespace.labels)
        if not object.namespace:
            return True
        raise MatchError("namespace selector for namespace-scoped object but missing Namespace")

    return condition


def _name_condition(raw: Any, owner: Object, path: tuple[str, ...]) -> Condition | None:
    if not raw:
        return None
    if not isinstance(raw, str):
        raise _bad(owner, path, "name must be a string")
    _check_pattern(raw, owner, path)
    pattern = raw

    def condition(subject: Subject) -> bool:
        object = subject.object
        return wildcard_matches(pattern, object.name) or wildcard_matches_generate_name(
            pattern, object.generate_name
        )

    return condition


def _source_condition(raw: Any, owner: Object, path: tuple[str, ...]) -> Condition | None:
    source = raw or "All"
    if source not in SOURCES:
        raise _bad(owner, path, f'invalid source field "{source}"')
    if source == "All":
        return None

    def condition(subject: Subject) -> bool:
        if not subject.source:
            raise MatchError(f"source field not specified for resource {subject.object.name}")
        return bool(subject.source == source)

    return condition


def _bad(owner: Object, path: tuple[str | int, ...], message: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=codes.BAD_MATCH, message=message, at=owner.at(*path)))
