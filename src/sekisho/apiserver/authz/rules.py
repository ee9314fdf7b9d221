"""Rules of roles: what one allows, whether some cover others, and how messages write them.

The semantics are those of Kubernetes' RBAC (``pkg/apis/rbac/v1``, component-helpers
``auth/rbac/validation``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sekisho.apiserver.authorize import Attributes

ALL: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: verbs on resources of groups, perhaps of certain names only; or verbs on paths."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Rule:
        """From the rule of a role, as JSON."""
        return cls(
            verbs=tuple(raw.get("verbs") or ()),
            groups=tuple(raw.get("apiGroups") or ()),
            resources=tuple(raw.get("resources") or ()),
            names=tuple(raw.get("resourceNames") or ()),
            paths=tuple(raw.get("nonResourceURLs") or ()),
        )

    def to_json(self) -> dict[str, Any]:
        """As roles have it."""
        rows = {
            "verbs": self.verbs,
            "apiGroups": self.groups,
            "resources": self.resources,
            "resourceNames": self.names,
            "nonResourceURLs": self.paths,
        }
        return {key: list(values) for key, values in rows.items() if values}

    def allows(self, question: Attributes) -> bool:
        """Whether this rule allows what is asked."""
        if not _any(self.verbs, question.verb):
            return False
        if question.path:
            return any(_path_covers(own, question.path) for own in self.paths)
        return (
            _any(self.groups, question.group)
            and self._has_resource(question.full_resource, question.subresource)
            and (not self.names or question.name in self.names)
        )

    def _has_resource(self, full: str, subresource: str) -> bool:
        if ALL in self.resources or full in self.resources:
            return True
        return bool(subresource) and f"*/{subresource}" in self.resources

    def parts(self) -> Iterator[Rule]:
        """The same in rules of one verb and one resource, name or path each."""
        for group in self.groups:
            for resource in self.resources:
                for verb in self.verbs:
                    one = Rule(verbs=(verb,), groups=(group,), resources=(resource,))
                    yield from (replace(one, names=(name,)) for name in self.names) if self.names else (one,)
        for path in self.paths:
            yield from (Rule(verbs=(verb,), paths=(path,)) for verb in self.verbs)

    def covers(self, part: Rule) -> bool:
        """Whether all that a part allows is allowed by this rule."""
        return (
            _all(self.verbs, part.verbs)
            and _all(self.groups, part.groups)
            and all(self._covers_resource(resource) for resource in part.resources)
            and (not self.names if not part.names else not self.names or set(part.names) <= set(self.names))
            and all(any(_path_covers(own, path) for own in self.paths) for path in part.paths)
        )

    def _covers_resource(self, resource: str) -> bool:
        _, slash, subresource = resource.partition("/")
        if ALL in self.resources or resource in self.resources:
            return True
        return bool(slash) and f"*/{subresource}" in self.resources

    def __str__(self) -> str:
        rows = (
            ("APIGroups", self.groups),
            ("Resources", self.resources),
            ("NonResourceURLs", self.paths),
            ("ResourceNames", self.names),
            ("Verbs", self.verbs),
        )
        return "{" + ", ".join(f"{label}:{go_list(values)}" for label, values in rows if values) + "}"


EVERYTHING: Final = (
    Rule(verbs=(ALL,), groups=(ALL,), resources=(ALL,)),
    Rule(verbs=(ALL,), paths=(ALL,)),
)
"""What a cluster's administrator may do."""


def rules_of(raw: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules of a role."""
    return tuple(map(Rule.of, raw.get("rules") or ()))


def missing(own: Sequence[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The parts of ``wanted`` that ``own`` does not cover."""
    parts = (part for rule in wanted for part in rule.parts())
    return [part for part in parts if not any(rule.covers(part) for rule in own)]


def compact(parts: Iterable[Rule]) -> list[Rule]:
    """Parts of the same resource in one rule with all their verbs."""
    others: list[Rule] = []
    verbs: dict[Rule, list[str]] = {}
    for part in parts:
        if part.paths:
            others.append(part)
        else:
            verbs.setdefault(replace(part, verbs=()), []).extend(part.verbs)
    return [*others, *(replace(head, verbs=tuple(rows)) for head, rows in verbs.items())]


def go_list(values: Iterable[str]) -> str:
    """Texts as Go's ``%q`` writes a list of them."""
    shown = " ".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return f"[{shown}]"


def _any(own: tuple[str, ...], asked: str) -> bool:
    return ALL in own or asked in own


def _all(own: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    return ALL in own or set(asked) <= set(own)


def _path_covers(own: str, path: str) -> bool:
    return own == path or (own.endswith(ALL) and path.startswith(own.rstrip(ALL)))
