"""What each rung of the ladder would do to the objects that are there, and the shortest way to ``deny``.

One scan answers for all rungs, since a finding is one whatever its rung. What a waiver in force accepts is
refused on no rung; break-glass is left out, since nobody plans with an emergency.

The shortest way: each violation that stands in the way is either mended in its object (once for everything
that the object's outermost controller brings about) or waived (one policy in one namespace). The fewest such
steps are a smallest vertex cover of the graph with objects on one side and policies in namespaces on the
other, which by König's theorem comes from a largest matching. Of several smallest ones, this is the one that
mends most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sekisho.audit.cover import smallest_cover
from sekisho.audit.model import Entry, Key, Ledger, Snapshot, key_of
from sekisho.audit.scan import AT_EASE, Pace, scan
from sekisho.audit.world import World
from sekisho.kube.object import Object
from sekisho.kube.owner import MAX_CONTROLLERS
from sekisho.kube.review import Rules, Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy as it is now: its identity, the original's word for its action, the rung that it asks for."""

    name: str
    word: str
    rung: Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one policy stands. ``denied`` are the objects that it would refuse on the rung deny.

    ``today`` of them are refused already. ``safe`` is the highest rung on which it refuses nothing that it
    does not refuse today; ``held`` are the namespaces in which deny is not safe.
    """

    policy: Policy
    denied: int
    today: int
    waived: int
    safe: Rung
    held: tuple[str, ...]

    @property
    def next(self) -> Rung | None:
        """The rung above its own, if that is safe today."""
        above = Rung(self.policy.rung + 1) if self.policy.rung < Rung.DENY else None
        return above if above is not None and above <= self.safe else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One step towards deny: mend an object (``object`` is set), or waive a policy in a namespace.

    ``covers`` are the violations that it takes out of the way, as objects and policies.
    """

    object: Key | None = None
    policy: str = ""
    namespace: str = ""
    covers: tuple[tuple[Key, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a rung would do if every policy were on it: objects refused, warned about, only noted."""

    denied: tuple[Entry, ...] = ()
    warned: tuple[Entry, ...] = ()
    noted: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The answer. ``today`` is what happens now, ``owners`` whose the guilty objects are.

    ``unjudged`` objects could not be asked about at all.
    """

    ledger: Ledger
    today: Effect
    effects: Mapping[Rung, Effect]
    standings: tuple[Standing, ...]
    ways: tuple[Way, ...]
    owners: Mapping[Key, str]
    unjudged: tuple[Entry, ...] = field(default=())


def preview(
    snapshot: Snapshot,
    policies: Sequence[Policy],
    objects: Iterable[Object],
    *,
    now: datetime,
    pace: Pace = AT_EASE,
) -> Preview:
    """What raising the policies would do to these objects, as of ``now`` (aware)."""
    rules = replace(snapshot.rules, break_glass=())
    subjects = tuple(objects)
    ledger = scan(subjects, replace(snapshot, rules=rules), now=now, pace=pace)
    entries = tuple(ledger.entries.values())
    open_ = {key: _open(entry) for key, entry in ledger.entries.items()}
    guilty = tuple(entry for key, entry in ledger.entries.items() if open_[key])
    world = World.of(subjects)
    unjudged = tuple(entry for entry in entries if any(True for _ in entry.failures()))
    return Preview(
        ledger=ledger,
        today=Effect(
            denied=tuple(row for row in guilty if _worst(row) is Rung.DENY),
            warned=tuple(row for row in guilty if _worst(row) is Rung.WARN),
            noted=tuple(row for row in guilty if _worst(row) is Rung.OBSERVE),
        ),
        effects={
            Rung.OBSERVE: Effect(noted=guilty),
            Rung.WARN: Effect(warned=guilty),
            Rung.DENY: Effect(denied=guilty),
        },
        standings=tuple(_standing(policy, entries) for policy in policies),
        ways=_ways(ledger, open_, rules),
        owners={key_of(row.object): world.owner(row.object, rules) for row in guilty},
        unjudged=unjudged,
    )


def _open(entry: Entry) -> tuple[str, ...]:
    """The policies that the object violates and that nothing waives, each once."""
    return tuple(dict.fromkeys(row.policy for row in entry.findings() if not row.waiver))


def _worst(entry: Entry) -> Rung:
    return max(row.rung for row in entry.findings() if not row.waiver)


def _standing(policy: Policy, entries: Sequence[Entry]) -> Standing:
    denied = today = waived = 0
    held: set[str] = set()
    for entry in entries:
        rows = [row for row in entry.findings() if row.policy == policy.name]
        unwaived = [row for row in rows if not row.waiver]
        if unwaived:
            denied += 1
            if any(row.rung is Rung.DENY for row in unwaived):
                today += 1
            else:
                held.add(entry.object.namespace)
        elif rows:
            waived += 1
    return Standing(
        policy=policy,
        denied=denied,
        today=today,
        waived=waived,
        safe=Rung.WARN if held else Rung.DENY,
        held=tuple(sorted(held)),
    )


def _ways(ledger: Ledger, open_: Mapping[Key, tuple[str, ...]], rules: Rules) -> tuple[Way, ...]:
    edges: dict[Key, set[tuple[str, str]]] = {}
    behind: dict[tuple[Key, tuple[str, str]], list[Key]] = {}
    for key, policies in open_.items():
        root = _root(ledger.entries[key].object, rules)
        for policy in policies:
            waiver = (policy, key.namespace)
            edges.setdefault(root, set()).add(waiver)
            behind.setdefault((root, waiver), []).append(key)
    mend, waive = smallest_cover({root: sorted(rows) for root, rows in edges.items()})
    ways: list[Way] = []
    for root, rows in edges.items():
        if root in mend:
            covers = [(key, row[0]) for row in sorted(rows) for key in behind[root, row]]
            ways.append(Way(object=root, covers=tuple(covers)))
    for policy, namespace in sorted(waive):
        covers = [
            (key, policy)
            for (root, row), keys in behind.items()
            if row == (policy, namespace) and root not in mend
            for key in keys
        ]
        ways.append(Way(policy=policy, namespace=namespace, covers=tuple(covers)))
    return tuple(sorted(ways, key=lambda way: -len(way.covers)))


def _root(object: Object, rules: Rules) -> Key:
    """The outermost controller of an object that is at hand: where its pods are written down."""
    for _ in range(MAX_CONTROLLERS):
        controller = object.controller
        above = rules.lookup(controller, object.namespace) if rules.lookup and controller else None
        if above is None:
            break
        object = above
    return key_of(object)
