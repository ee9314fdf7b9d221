"""BreakGlass: for an emergency, what would be refused is let through with a warning, until a moment.

It is the last of the three that lower enforcement, and the only one that admits what could not be judged
(a registry that is down is a likely emergency). Every use of it is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sekisho.kube.decode import Field, Resource, Text, Time, resource
from sekisho.kube.ladder import API_VERSION
from sekisho.kube.match import EVERY_OBJECT, MATCH, TEXTS, Match
from sekisho.kube.selectors import any_wildcard

if TYPE_CHECKING:
    from sekisho.kube.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """An emergency: its reason, its end, and what it covers.

    Without ``policies`` (wildcards) it covers all policies, without ``match`` all objects, without ``users``
    and ``groups`` everybody.
    """

    name: str
    reason: str
    expires: datetime
    approver: str = ""
    policies: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    match: Match = EVERY_OBJECT

    def in_force(self, now: datetime) -> bool:
        """Whether it has not yet ended; at its last moment it has."""
        return now < self.expires

    def covers(self, subject: Subject) -> bool:
        """Whether it is about this object, and this user may use it."""
        anybody = not self.users and not self.groups
        user = subject.username in self.users or any(group in self.groups for group in subject.groups)
        return (anybody or user) and self.match.selects(subject)

    def covers_policy(self, policy: str) -> bool:
        """Whether it is about this policy."""
        return not self.policies or any_wildcard(self.policies, policy)


BREAK_GLASS: Final[Resource[BreakGlass]] = resource(
    API_VERSION,
    "BreakGlass",
    BreakGlass,
    Field("reason", "spec.reason", Text()),
    Field("expires", "spec.expires", Time()),
    Field("approver", "spec.approver", Text(), ""),
    Field("policies", "spec.policies", TEXTS, ()),
    Field("users", "spec.users", TEXTS, ()),
    Field("groups", "spec.groups", TEXTS, ()),
    Field("match", "spec.match", MATCH, EVERY_OBJECT),
)
