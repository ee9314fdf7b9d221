"""Rollout: how far up the ladder a policy is, in which namespaces, since when. It lowers, never raises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sekisho.diag import Path
from sekisho.kube import fielderror
from sekisho.kube.decode import Choice, Field, Labels, Resource, Text, Time, resource
from sekisho.kube.ladder import API_VERSION, RUNGS, Rung
from sekisho.kube.match import TEXTS, in_namespaces
from sekisho.kube.selectors import Selector, any_wildcard

if TYPE_CHECKING:
    from sekisho.kube.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A limit on how hard policies act. ``policies`` (wildcards over identities) or ``bundles`` say which.

    With ``namespaces`` or a selector it is about objects in those namespaces, else about all. Several
    Rollouts of one policy: the lowest rung holds.
    """

    name: str
    rung: Rung
    policies: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    namespace_selector: Selector | None = None
    since: datetime | None = None
    reason: str = ""

    def in_force(self, now: datetime) -> bool:
        """Whether it has begun."""
        return self.since is None or self.since <= now

    def concerns(self, policy: str, bundle: str, subject: Subject) -> bool:
        """Whether it is about this policy on this object."""
        named = any_wildcard(self.policies, policy) or (bundle != "" and bundle in self.bundles)
        return named and in_namespaces(subject, self.namespaces, self.namespace_selector)


def _check(rollout: Rollout) -> Iterable[tuple[Path, str]]:
    if not rollout.policies and not rollout.bundles:
        yield ("spec",), fielderror.required(("spec",), "policies or bundles must be specified")


ROLLOUT: Final[Resource[Rollout]] = resource(
    API_VERSION,
    "Rollout",
    Rollout,
    Field("rung", "spec.rung", Choice(RUNGS)),
    Field("policies", "spec.policies", TEXTS, ()),
    Field("bundles", "spec.bundles", TEXTS, ()),
    Field("namespaces", "spec.namespaces", TEXTS, ()),
    Field("namespace_selector", "spec.namespaceSelector", Labels(), None),
    Field("since", "spec.since", Time(), None),
    Field("reason", "spec.reason", Text(), ""),
    check=_check,
)
