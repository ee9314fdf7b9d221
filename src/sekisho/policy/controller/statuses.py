"""Statuses in the cluster: what this pod says of each policy, and what all say in the policy's own status.

Each pod writes objects of its own (``policy.status``), so no two write the same one; one of them, the leader,
puts them together in ``status.byPod`` of the policies. Both compare first, and write differences only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sekisho.cluster.client import MERGE, Client, Refused, Selection
from sekisho.diag import Diagnostic, ObjectRef
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy.constraint import is_constraint
from sekisho.policy.controller import kinds
from sekisho.policy.controller.snapshot import Snapshot
from sekisho.policy.controller.watches import Watches
from sekisho.policy.status import Generated, Pod, aggregated, has_status, pod_status
from sekisho.policy.status.pod import POD_LABEL

Raw = Mapping[str, Any]

_LOG: Final = logging.getLogger(__name__)

GONE: Final = 404
CONFLICT: Final = 409

TIMES: Final = frozenset({"lastTransitionTime", "lastCacheUpdateTime", "errorTimestamp"})
"""What is not looked at when statuses are compared: it says when, and nothing new happened."""

Faults = Callable[[], Mapping[ObjectRef, Sequence[Diagnostic]]]
"""What others found wrong with policies, beside the snapshot."""

States = Callable[[], Mapping[ObjectRef, Generated]]
"""How far the ValidatingAdmissionPolicies of templates and constraints have come."""


class PodStatuses:
    """Writes what this pod says. ``more`` has faults of other followers, ``states`` what was generated."""

    def __init__(self, client: Client, watches: Watches, pod: Pod) -> None:
        self._client = client
        self._watches = watches
        self.pod = pod
        self.more: list[Faults] = []
        self.states: States = dict
        self.watched = dict.fromkeys(kinds.POD_STATUSES, Selection(namespace=pod.namespace))

    async def follow(self, snapshot: Snapshot) -> float | None:
        """Write what is new or different, and remove what is about nothing. Raises DiagnosticError."""
        there = {_name(raw): raw for raw in self._own()}
        states = self.states()
        for object in snapshot.objects:
            if not has_status(object):
                continue
            faults = [*snapshot.faults.get(object.ref(), ())]
            faults += (row for more in self.more for row in more().get(object.ref(), ()))
            made = pod_status(
                object, faults, self.pod, now=datetime.now(UTC), generated=states.get(object.ref())
            )
            current = there.pop(_name(made), None)
            if current is None or _meaning(current) != _meaning(made):
                await self._write(made, current)
        for raw in there.values():
            await self._remove(raw)
        return None

    def _own(self) -> Iterator[Raw]:
        for gvk in kinds.POD_STATUSES:
            for raw in self._watches.objects(gvk).values():
                if raw["metadata"].get("labels", {}).get(POD_LABEL) == self.pod.id:
                    yield raw

    async def _write(self, made: dict[str, Any], current: Raw | None) -> None:
        resource = await self._client.resource(_gvk(made))
        try:
            if current is None:
                await self._client.create(resource, made)
            else:
                await self._client.replace(resource, {**current, **made, "metadata": current["metadata"]})
        except Refused as error:
            if error.code != CONFLICT:
                raise
            _LOG.info("%s was written by somebody else; it is looked at again", made["metadata"]["name"])

    async def _remove(self, raw: Raw) -> None:
        resource = await self._client.resource(_gvk(raw))
        metadata = raw["metadata"]
        await self._client.delete(resource, metadata["name"], metadata.get("namespace", ""))


class PolicyStatuses:
    """Puts together in each policy's ``status`` what the pods say. For the leader alone."""

    def __init__(self, client: Client, watches: Watches, namespace: str) -> None:
        self._client = client
        self._watches = watches
        self.watched = dict.fromkeys(kinds.POD_STATUSES, Selection(namespace=namespace))

    async def follow(self, snapshot: Snapshot) -> float | None:
        """Write the statuses that differ. Raises DiagnosticError."""
        by_policy = self._said()
        for gvk, raw in self._policies(snapshot):
            object = Object(raw)
            said = by_policy.get(object.uid, ())
            wanted = aggregated(object, said)
            if _parts(wanted) != _parts(object.get("status") or {}):
                await self._write(gvk, object, _parts(wanted))
        return None

    def _policies(self, snapshot: Snapshot) -> Iterator[tuple[GVK, Raw]]:
        """The policies with their newest statuses, as far as they are watched."""
        found = {kinds.constraint(row.kind) for row in snapshot.objects if is_constraint(row)}
        for gvk in (*kinds.POLICIES, *sorted(found)):
            for raw in self._watches.objects(gvk).values():
                if has_status(Object(raw)):
                    yield gvk, raw

    def _said(self) -> Mapping[str, Sequence[Raw]]:
        """The statuses of pods by the uid of the policy that they are about."""
        found: dict[str, list[Raw]] = {}
        for gvk in kinds.POD_STATUSES:
            for raw in self._watches.objects(gvk).values():
                uid = next((value for name, value in raw["status"].items() if name.endswith("UID")), "")
                found.setdefault(str(uid), []).append(raw)
        return found

    async def _write(self, gvk: GVK, object: Object, status: dict[str, Any]) -> None:
        resource = await self._client.resource(gvk)
        patch = {"metadata": {"uid": object.uid}, "status": status}
        try:
            await self._client.patch(
                resource, object.name, patch, namespace=object.namespace, kind=MERGE, subresource="status"
            )
        except Refused as error:
            if error.code not in (GONE, CONFLICT):
                raise


def _parts(status: Raw) -> dict[str, Any]:
    """What is put together here of a status; audits write the rest."""
    return {name: status[name] for name in ("byPod", "created") if name in status}


def _meaning(raw: Raw) -> Any:
    return _without_times({"labels": raw["metadata"].get("labels"), "status": raw.get("status")})


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(row) for name, row in value.items() if name not in TIMES}
    if isinstance(value, list):
        return [_without_times(row) for row in value]
    return value


def _name(raw: Raw) -> tuple[str, str]:
    return str(raw["kind"]), str(raw["metadata"]["name"])


def _gvk(raw: Raw) -> GVK:
    return GVK.of(str(raw["apiVersion"]), str(raw["kind"]))
