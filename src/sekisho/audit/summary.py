"""Counts of a ledger: how many objects, by policy, namespace and owner, on which rung."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sekisho.audit.model import Entry, Ledger
from sekisho.audit.world import World
from sekisho.kube.review import NO_RULES, Rules, Rung


@dataclass(slots=True)
class Count:
    """Objects with findings, by the gravest rung of each; ``waived`` ones have nothing but waived findings.

    ``failed`` are objects that could not be judged.
    """

    deny: int = 0
    warn: int = 0
    observe: int = 0
    waived: int = 0
    failed: int = 0

    def add(self, name: str) -> None:
        """Count one more object under a name of these."""
        setattr(self, name, getattr(self, name) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The counts. An object counts once in ``total`` and for each policy, namespace and owner that it has."""

    objects: int
    total: Count
    policies: Mapping[str, Count] = field(default_factory=dict)
    namespaces: Mapping[str, Count] = field(default_factory=dict)
    owners: Mapping[str, Count] = field(default_factory=dict)


def summary(ledger: Ledger, world: World, rules: Rules = NO_RULES) -> Summary:
    """Count a ledger; ``world`` and ``rules`` say whose an object is.

    Cluster-scoped objects have the namespace "", objects of nobody the owner "".
    """
    total = Count()
    policies: dict[str, Count] = {}
    namespaces: dict[str, Count] = {}
    owners: dict[str, Count] = {}
    for key, entry in ledger.entries.items():
        by_policy = _standings(entry)
        if not by_policy:
            continue
        worst = max(by_policy.values(), key=_ORDER.index)
        total.add(worst)
        namespaces.setdefault(key.namespace, Count()).add(worst)
        owners.setdefault(world.owner(entry.object, rules), Count()).add(worst)
        for policy, standing in by_policy.items():
            if policy:
                policies.setdefault(policy, Count()).add(standing)
    return Summary(
        objects=len(ledger.entries),
        total=total,
        policies=dict(sorted(policies.items())),
        namespaces=dict(sorted(namespaces.items())),
        owners=dict(sorted(owners.items())),
    )


_ORDER = ("waived", "observe", "warn", "deny", "failed")
_NAMES = {Rung.OBSERVE: "observe", Rung.WARN: "warn", Rung.DENY: "deny"}


def _standings(entry: Entry) -> dict[str, str]:
    """By policy, how the object stands; what could not be asked is under no policy."""
    found: dict[str, str] = {}
    for finding in entry.findings():
        standing = "waived" if finding.waiver else _NAMES[finding.rung]
        known = found.get(finding.policy)
        if known is None or _ORDER.index(standing) > _ORDER.index(known):
            found[finding.policy] = standing
    if any(True for _ in entry.failures()):
        found[""] = "failed"
    return found
