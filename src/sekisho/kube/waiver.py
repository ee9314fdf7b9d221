"""Waiver: some findings of some objects are accepted, by somebody, for a reason, until a day.

Waivers are cluster-scoped on purpose: whoever may create objects in a namespace could else exempt himself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sekisho.diag import Diagnostic, Path
from sekisho.kube import fielderror
from sekisho.kube.decode import Field, Resource, Text, Time, resource
from sekisho.kube.ladder import WAIVERS
from sekisho.kube.match import EVERY_OBJECT, MATCH, TEXTS, Match
from sekisho.kube.selectors import any_wildcard

if TYPE_CHECKING:
    from sekisho.kube.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Which findings: of ``policies`` (wildcards), with ``codes`` (or aliases), with ``fingerprints``.

    Lists that are given must all agree. ``match`` says which objects; only fingerprints, which name an
    object themselves, do without it. ``owner`` answers for it; ``ticket`` is where it is followed up.
    ``where`` is what a reader is told: ``Waiver NAME``, or the annotation that it was made from.
    """

    name: str
    reason: str
    owner: str
    expires: datetime
    ticket: str = ""
    where: str = ""
    policies: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    match: Match = EVERY_OBJECT

    def in_force(self, now: datetime) -> bool:
        """Whether it has not yet expired; at its last moment it has."""
        return now < self.expires

    @property
    def title(self) -> str:
        """How reports name it."""
        return self.where or f"Waiver {self.name}"

    def concerns(self, finding: Diagnostic, subject: Subject) -> bool:
        """Whether it is about this finding, expired or not."""
        code = finding.code
        return (
            (not self.policies or any_wildcard(self.policies, finding.policy))
            and (not self.codes or code.id in self.codes or code.alias in self.codes)
            and (not self.fingerprints or finding.fingerprint() in self.fingerprints)
            and self.match.selects(subject)
        )


def _check(waiver: Waiver) -> Iterable[tuple[Path, str]]:
    spec: Path = ("spec",)
    if not (waiver.policies or waiver.codes or waiver.fingerprints):
        yield (
            spec,
            fielderror.required(spec, "policies, codes or fingerprints must be specified"),
        )
    elif waiver.match.empty and not waiver.fingerprints:
        path: Path = ("spec", "match")
        detail = "a waiver says which objects; to lower a policy everywhere, use a Rollout"
        yield spec, fielderror.required(path, detail)


WAIVER: Final[Resource[Waiver]] = resource(
    WAIVERS,
    "Waiver",
    Waiver,
    Field("reason", "spec.reason", Text()),
    Field("owner", "spec.owner", Text()),
    Field("expires", "spec.expires", Time()),
    Field("ticket", "spec.ticket", Text(), ""),
    Field("policies", "spec.policies", TEXTS, ()),
    Field("codes", "spec.codes", TEXTS, ()),
    Field("fingerprints", "spec.fingerprints", TEXTS, ()),
    Field("match", "spec.match", MATCH, EVERY_OBJECT),
    check=_check,
)
