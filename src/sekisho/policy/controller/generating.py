"""ValidatingAdmissionPolicies of templates, and bindings of constraints, in the cluster (policy.md 1.6).

A template asks for a policy by ``generateVAP`` in its K8sNativeValidation, a constraint for a binding by an
action at the point ``vap.k8s.io``; defaults may ask in their stead, as Gatekeeper's flags do. What is made is
owned by what it is made of, and what nobody asks for any more is deleted, if it is owned so.

The webhook goes on judging by such a constraint unless its scoped actions leave the webhook's point out: that
is so in Gatekeeper too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from sekisho.cluster.client import EVERYTHING, Client, Refused
from sekisho.cluster.informer import Key
from sekisho.diag import DiagnosticError, ObjectRef
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy.constraint import GROUP as CONSTRAINTS
from sekisho.policy.constraint import SCOPED, VAP, Constraint
from sekisho.policy.controller import kinds
from sekisho.policy.controller.definitions import definition_name, owned_by
from sekisho.policy.controller.snapshot import Snapshot
from sekisho.policy.controller.watches import Watches
from sekisho.policy.status import Generated, State
from sekisho.policy.template import GROUP as TEMPLATES
from sekisho.policy.template import Template
from sekisho.policy.vap.translate import ACTIONS, Scope, scope_of, to_binding, to_policy

Raw = dict[str, Any]

POLICY, BINDING = kinds.GENERATED

WAIT: Final = timedelta(seconds=30)
"""How long a constraint's kind is defined before a binding uses it: an API server takes that long until it
finds a new kind, and a policy without its params refuses everything (Gatekeeper's figure)."""

NO_CEL: Final = "K8sNativeValidation engine is missing"
NO_POLICY: Final = (
    "conditions are not satisfied to generate ValidatingAdmissionPolicy and ValidatingAdmissionPolicyBinding"
)
WAITING: Final = (
    "waiting until {} before generating ValidatingAdmissionPolicyBinding to make sure api-server has cached "
    "constraint CRD"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Whether policies and bindings are made where nobody says so (Gatekeeper's flags of these names).

    ``wait`` is how long a kind must have been defined. ``exempt`` are the namespaces that may be ignored.
    """

    policies: bool = False
    bindings: bool = False
    wait: timedelta = WAIT
    exempt: tuple[str, ...] = ()


@dataclass(slots=True)
class _Wanted:
    """What should be there, by kind and name, and what became of whom it was made of."""

    objects: dict[tuple[GVK, str], Raw] = field(default_factory=dict)
    owners: dict[tuple[GVK, str], ObjectRef] = field(default_factory=dict)
    states: dict[ObjectRef, Generated] = field(default_factory=dict)
    again: float | None = None

    def add(self, gvk: GVK, made: Raw, owner: Object, reference: Raw) -> None:
        """An object that should be there, owned by another one."""
        metadata = {**made["metadata"], "ownerReferences": [reference]}
        key = (gvk, str(metadata["name"]))
        self.objects[key] = {**made, "metadata": metadata}
        self.owners[key] = owner.ref()
        self.states.setdefault(owner.ref(), Generated(state=State.GENERATED))


class Generating:
    """Writes policies and bindings. ``states`` says how far those of templates and constraints have come."""

    def __init__(self, client: Client, watches: Watches, defaults: Defaults | None = None) -> None:
        self._client = client
        self._watches = watches
        self._defaults = defaults or Defaults()
        self._written: dict[tuple[GVK, str], tuple[str, str]] = {}
        self.states: Mapping[ObjectRef, Generated] = {}
        self.watched = dict.fromkeys((*kinds.GENERATED, kinds.WEBHOOKS), EVERYTHING)

    async def follow(self, snapshot: Snapshot) -> float | None:
        """Write what should be there, delete what should not. Raises DiagnosticError.

        Gives the seconds until a binding that waits may be written.
        """
        wanted = self._wanted(snapshot)
        for key, made in wanted.objects.items():
            try:
                await self._apply(key, made)
            except Refused as error:
                if error.code == 429 or error.code >= 500:
                    raise
                fault = Generated(state=State.ERROR, message=error.diagnostics[0].message)
                wanted.states[wanted.owners[key]] = fault
        for gvk, raw in self._owned():
            if (gvk, str(raw["metadata"]["name"])) not in wanted.objects:
                await self._delete(gvk, raw)
        self.states = wanted.states
        return wanted.again

    def _wanted(self, snapshot: Snapshot) -> _Wanted:
        wanted = _Wanted()
        scope = self._scope(snapshot)
        policies: set[str] = set()
        for template in snapshot.engine.templates.values():
            if template.native is not None and self._asks(template):
                self._policy(template, scope, wanted, policies)
        for constraint in snapshot.engine.constraints:
            self._binding(constraint, wanted, policies)
        return wanted

    def _scope(self, snapshot: Snapshot) -> Scope:
        hooks = map(Object, self._watches.objects(kinds.WEBHOOKS).values())
        return scope_of((*hooks, *snapshot.objects), self._defaults.exempt)

    def _asks(self, template: Template) -> bool:
        assert template.native is not None, "the caller has looked"
        said = template.native.source.generate
        return self._defaults.policies if said is None else said

    def _policy(self, template: Template, scope: Scope, wanted: _Wanted, policies: set[str]) -> None:
        assert template.native is not None, "the caller has looked"
        try:
            made, warnings = to_policy(template, template.native.source, scope)
        except DiagnosticError as error:
            message = f"ValidatingAdmissionPolicy is not generated: {error.diagnostics[0].message}"
            wanted.states[template.object.ref()] = Generated(state=State.ERROR, message=message)
            return
        warning = "; ".join(row.message for row in warnings)
        wanted.states[template.object.ref()] = Generated(state=State.GENERATED, message=warning)
        wanted.add(POLICY, made, template.object, owned_by(template.object))
        policies.add(template.kind)

    def _binding(self, constraint: Constraint, wanted: _Wanted, policies: set[str]) -> None:
        scoped = constraint.action == SCOPED
        words = constraint.actions.get(VAP, ()) if scoped or self._defaults.bindings else ()
        if not any(word in ACTIONS for word in words):
            return
        ref = constraint.object.ref()
        if constraint.object.kind not in policies:
            message = NO_CEL if constraint.template.native is None else NO_POLICY
            wanted.states[ref] = Generated(state=State.ERROR, message=message)
            return
        until = self._cached(constraint.object.kind)
        left = (until - datetime.now(UTC)).total_seconds()
        if left > 0:
            message = WAITING.format(until.strftime("%Y-%m-%dT%H:%M:%SZ"))
            wanted.states[ref] = Generated(state=State.WAITING, message=message)
            wanted.again = min(left, wanted.again) if wanted.again is not None else left
            return
        made = to_binding(constraint)
        if made is not None:
            wanted.add(BINDING, made, constraint.object, _owned_by(constraint.object))

    def _cached(self, kind: str) -> datetime:
        """When an API server will have found a kind of constraints."""
        now = datetime.now(UTC)
        raw = self._watches.object(kinds.DEFINITION, Key("", definition_name(kind)))
        for row in ((raw or {}).get("status") or {}).get("conditions") or ():
            if row.get("type") == "Established" and row.get("status") == "True":
                return datetime.fromisoformat(str(row["lastTransitionTime"])) + self._defaults.wait
        return now + self._defaults.wait

    async def _apply(self, key: tuple[GVK, str], made: Raw) -> None:
        """Apply an object, unless it was applied like that and nobody has changed it since."""
        digest = hashlib.blake2b(orjson.dumps(made), digest_size=16).hexdigest()
        current = self._watches.object(key[0], Key("", key[1]))
        if current is not None and self._written.get(key) == (digest, _state(current)):
            return
        resource = await self._client.resource(key[0])
        found = await self._client.apply(resource, made, force=True)
        assert isinstance(found, dict), "what is forced has no conflicts"
        self._written[key] = (digest, _state(found))

    def _owned(self) -> Iterator[tuple[GVK, Mapping[str, Any]]]:
        """The policies and bindings that are there and were made of templates and constraints."""
        for gvk, group in ((BINDING, CONSTRAINTS), (POLICY, TEMPLATES)):
            for raw in self._watches.objects(gvk).values():
                owner = Object(raw).controller
                if owner is not None and owner.gvk.group == group:
                    yield gvk, raw

    async def _delete(self, gvk: GVK, raw: Mapping[str, Any]) -> None:
        metadata = raw["metadata"]
        self._written.pop((gvk, str(metadata["name"])), None)
        await self._client.delete(await self._client.resource(gvk), metadata["name"], uid=metadata["uid"])


def _state(raw: Mapping[str, Any]) -> str:
    """What changes with every change but a status's."""
    metadata = raw["metadata"]
    return f"{metadata.get('uid')} {metadata.get('generation')}"


def _owned_by(constraint: Object) -> Raw:
    return {
        "apiVersion": constraint.api_version,
        "kind": constraint.kind,
        "name": constraint.name,
        "uid": constraint.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
