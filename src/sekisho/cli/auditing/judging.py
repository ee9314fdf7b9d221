"""Policies as who judges in a live audit: the engine of what governs, over an inventory of what is held.

The inventory is made of the audit's own objects, and never of another view of the cluster: what a verdict
read is remembered by the versions that the audit knows, and a verdict made from older objects would pass for
one made from these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sekisho import audit, policy
from sekisho.audit.live import whole
from sekisho.cli.admission.checks import GROUP as ADMISSION
from sekisho.cli.admission.checks import KINDS as ADMISSION_KINDS
from sekisho.cli.auditing.parts import snapshot_of
from sekisho.cli.rules import GROUPS as RULES
from sekisho.cli.rules import owners_by_key
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.owner import OWNER_KEY
from sekisho.kube.review.rules import Loaded, load_rules
from sekisho.policy.loading import POLICY_GROUPS
from sekisho.policy.parts import substance

DEFINITIONS: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
"""They say what kinds there are, and which of them are in a namespace."""

OWNERS: Final = frozenset(
    {
        ("apps", "ReplicaSet"),
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
        ("batch", "CronJob"),
    }
)
"""Controllers, in which owners of what they bring about are looked up."""

EngineOf = Callable[[Sequence[Object]], policy.Engine]
"""The engine of these policies; the definitions of custom kinds are among them."""


NOTHING: Final = policy.Engine.of(())
"""Before policies are known."""


@dataclass(slots=True)
class _Governing:
    """What governs, by version of its substance, so that a status that is written changes nothing."""

    digests: dict[audit.Key, tuple[str, str]] = field(default_factory=dict)
    digest: str = ""


class PolicyJudging:
    """Judges by the policies of the cluster, at an enforcement point.

    ``engine_of`` makes the engine when policies change; with ``current`` it is the one that judges writes, so
    that an audit never has other policies in force than admission. ``owner_key`` is the label that names
    owners. ``positions`` has each finding's field looked for, which takes a second evaluation.
    """

    def __init__(
        self,
        engine_of: EngineOf,
        *,
        owner_key: str = OWNER_KEY,
        positions: bool = False,
        point: str = policy.AUDIT,
        current: Callable[[], policy.Engine | None] | None = None,
    ) -> None:
        self._engine_of = engine_of
        self._owner_key = owner_key
        self._positions = positions
        self._point = point
        self._current = current
        self._base = NOTHING
        self._governing = _Governing()
        self._rules: tuple[Object, ...] = ()
        self._whole: dict[audit.Key, tuple[str, Object]] = {}
        self._inventory = ""
        self.engine = NOTHING
        self.policies: tuple[Object, ...] = ()
        self.loaded: Loaded | None = None

    # What governs.

    def governs(self, gvk: GVK) -> bool:
        """Templates, constraints and their kin, Kubernetes' own policies, and what lowers enforcement."""
        if gvk.group == ADMISSION:
            return gvk.kind in ADMISSION_KINDS
        return gvk.group in POLICY_GROUPS or gvk.group in RULES or (gvk.group, gvk.kind) == DEFINITIONS

    def update(self, governing: Sequence[Object]) -> None:
        """Build the engine and the rules anew if what governs means something else than before."""
        digests: dict[audit.Key, tuple[str, str]] = {}
        for row in governing:
            key = audit.key_of(row)
            known = self._governing.digests.get(key)
            if known is None or known[0] != row.resource_version:
                known = (row.resource_version, audit.digest(substance(whole(row))))
            digests[key] = known
        digest = audit.digest(sorted([*key, found] for key, (_, found) in digests.items()))
        changed = digest != self._governing.digest
        self._governing = _Governing(digests, digest)
        base = self._base
        if changed:
            objects = [whole(row) for row in governing]
            self.policies = tuple(row for row in objects if policy.is_policy(row))
            self._rules = tuple(row for row in objects if row.gvk.group in RULES)
            if self._current is None:
                base = self._engine_of(objects)
        if self._current is not None:
            base = self._current() or NOTHING
        if base is not self._base:
            self._base = self.engine = base
            self._inventory = ""

    # What is needed.

    def needs(self, gvk: GVK) -> bool:
        """Whether a kind is judged, read by policies that judge others, or says whose something is."""
        return self.judges(gvk) or self._read(gvk) or (gvk.group, gvk.kind) in OWNERS

    def judges(self, gvk: GVK) -> bool:
        """Whether a policy may be about objects of a kind; mutators may be about any."""
        return bool(self.engine.mutators.mutators) or self.engine.concerns(gvk)

    def _read(self, gvk: GVK) -> bool:
        """Whether objects of a kind have to be there whole when others are judged."""
        if gvk.group == "" and gvk.kind == "Namespace":
            return True
        synced = self.engine.settings.synced or ()
        for constraint in self.engine.constraints:
            for row in constraint.template.facts.inventoried:
                # What reads all that there is sees what is synced, as at admission.
                if row.may_be(gvk) and (row.group_version or row.kind or gvk in synced):
                    return True
        if self.engine.vap is None:
            return False
        params = [row.written.param_kind for row in self.engine.vap.policies]
        found = any(kind is not None and (kind.group, kind.kind) == (gvk.group, gvk.kind) for kind in params)
        return found or (gvk.group, gvk.kind) == DEFINITIONS

    # What judges.

    def snapshot(self, objects: Mapping[audit.Key, Object]) -> audit.Snapshot:
        """The engine over these objects, and the rules."""
        read = {gvk for gvk in {row.gvk for row in objects.values()} if self._read(gvk)}
        known: dict[audit.Key, tuple[str, Object]] = {}
        for key, row in objects.items():
            if row.gvk not in read:
                continue
            before = self._whole.get(key)
            same = before is not None and before[0] == row.resource_version
            known[key] = before if before is not None and same else (row.resource_version, whole(row))
        self._whole = known
        inventory = audit.digest(sorted(f"{key} {version}" for key, (version, _) in known.items()))
        if inventory != self._inventory:
            self.engine = self.engine.with_inventory(row for _, row in known.values())
            self._inventory = inventory
        self.loaded = self._load(objects)
        snapshot = snapshot_of(self.engine, self.loaded, point=self._point, positions=self._positions)
        return replace(snapshot, ask=lambda row: snapshot.ask(whole(row)))

    def _load(self, objects: Mapping[audit.Key, Object]) -> Loaded:
        """The rules; owners are looked up among what is held now."""
        return load_rules(self._rules, owner_key=self._owner_key, lookup=owners_by_key(objects))
