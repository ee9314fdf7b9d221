"""Which objects a Waiver, a Rollout or a BreakGlass is about.

The rules of enforcement only ever lower, so a condition that cannot be shown to hold does not hold: without
its Namespace at hand an object is not selected by the Namespace's labels, and an object without a namespace
is in none of those listed. An empty condition holds always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sekisho.kube.decode import Field, Labels, ListOf, Struct, Text
from sekisho.kube.gvk import GVK
from sekisho.kube.selectors import (
    Selector,
    any_wildcard,
    wildcard_matches,
    wildcard_matches_generate_name,
)

if TYPE_CHECKING:
    from sekisho.kube.object import Object
    from sekisho.kube.subject import Subject

TEXTS: Final = ListOf(Text())


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Kinds by group and name; an empty list, or ``*`` in it, is any."""

    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def matches(self, gvk: GVK) -> bool:
        """Whether a kind is among them."""
        group = not self.groups or "*" in self.groups or gvk.group in self.groups
        return group and (not self.kinds or "*" in self.kinds or gvk.kind in self.kinds)


def in_namespaces(subject: Subject, namespaces: tuple[str, ...], selector: Selector | None) -> bool:
    """Whether the subject's namespace is one of these (wildcards), and has labels of these."""
    if namespaces and not (subject.namespace and any_wildcard(namespaces, subject.namespace)):
        return False
    if selector is None:
        return True
    labels = subject.namespace_labels
    return labels is not None and selector.matches(labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which objects: all conditions that are given must hold. ``names`` are wildcards."""

    kinds: tuple[Kinds, ...] = ()
    namespaces: tuple[str, ...] = ()
    namespace_selector: Selector | None = None
    names: tuple[str, ...] = ()
    label_selector: Selector | None = None
    owners: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing, and so selects every object."""
        return self == EVERY_OBJECT

    def selects(self, subject: Subject) -> bool:
        """Whether it is about this object."""
        object = subject.object
        return (
            (not self.kinds or any(kinds.matches(object.gvk) for kinds in self.kinds))
            and in_namespaces(subject, self.namespaces, self.namespace_selector)
            and (not self.names or any(_name_matches(name, object) for name in self.names))
            and (self.label_selector is None or self.label_selector.matches(object.labels))
            and (not self.owners or subject.owner in self.owners)
        )


def _name_matches(pattern: str, object: Object) -> bool:
    if object.name:
        return wildcard_matches(pattern, object.name)
    return wildcard_matches_generate_name(pattern, object.generate_name)


EVERY_OBJECT: Final = Match()

KINDS: Final = Struct(
    Kinds,
    Field("groups", "apiGroups", ListOf(Text(empty=True)), ()),
    Field("kinds", "kinds", TEXTS, ()),
)

MATCH: Final = Struct(
    Match,
    Field("kinds", "kinds", ListOf(KINDS), ()),
    Field("namespaces", "namespaces", TEXTS, ()),
    Field("namespace_selector", "namespaceSelector", Labels(), None),
    Field("names", "names", TEXTS, ()),
    Field("label_selector", "labelSelector", Labels(), None),
    Field("owners", "owners", TEXTS, ()),
)
