"""Subresources that are acts: bind a Pod to a Node, evict it, give a service account a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sekisho.apiserver import names, status
from sekisho.apiserver.answer import Answer, json_answer
from sekisho.apiserver.causes import invalid, required
from sekisho.apiserver.decode import decode
from sekisho.apiserver.eviction import needs_budget, take_budget
from sekisho.apiserver.kinds import kind_type
from sekisho.apiserver.options import dry_run
from sekisho.apiserver.route import Call
from sekisho.apiserver.status import Cause
from sekisho.apiserver.store import Place, Row, Store
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.writes import Changed, Writer, place_of
from sekisho.kube.gvk import GVK

if TYPE_CHECKING:
    from sekisho.apiserver.tokens import ServiceAccountTokens

Json = dict[str, Any]

EVICTION: Final = kind_type(GVK("policy", "v1", "Eviction"))
BINDING: Final = kind_type(GVK("", "v1", "Binding"))
TOKEN_REQUEST: Final = kind_type(GVK("authentication.k8s.io", "v1", "TokenRequest"))

Act = Callable[[Call, ResourceType], Awaitable[Answer]]


class Acts:
    """What can be done by POST to a subresource. Without ``accounts`` nobody is given a token."""

    def __init__(self, store: Store, writer: Writer, accounts: ServiceAccountTokens | None = None) -> None:
        self._store = store
        self._writer = writer
        self._accounts = accounts
        self._rows: Mapping[str, Act] = {"binding": self._bind, "eviction": self._evict, "token": self._token}

    def find(self, name: str) -> Act | None:
        """What a subresource does, None if it is no act."""
        return self._rows.get(name)

    def _row(self, call: Call, type: ResourceType) -> Row:
        row = self._store.get(place_of(call, type))
        if row is None:
            raise status.not_found(type.resource, call.target.name)
        return row

    async def _evict(self, call: Call, type: ResourceType) -> Answer:
        """``pods/eviction``."""
        value = decode(call, EVICTION).value
        name = value["metadata"].get("name")
        if name and name != call.target.name:
            raise status.bad_request("name in URL does not match name in Eviction object")
        options = dict(value.get("deleteOptions") or {})
        dry = dry_run(call) or options.get("dryRun") == ["All"]
        pod = self._row(call, type).load()
        if needs_budget(pod):
            await take_budget(self._store, pod, dry=dry)
        if dry:
            options["dryRun"] = ["All"]
        await self._writer.delete(call, type, options)
        return _done()

    async def _bind(self, call: Call, type: ResourceType) -> Answer:
        """``pods/binding``: what a scheduler decides."""
        value = decode(call, BINDING).value
        target = value.get("target") or {}
        if target.get("kind") not in ("", "Node", "Minion", None):
            cause = Cause(
                reason="FieldValueNotSupported",
                message=f'Unsupported value: "{target["kind"]}": supported values: "Node", "<empty>"',
                field="target.kind",
            )
            raise status.invalid(BINDING.gvk, call.target.name, [cause])
        if not target.get("name"):
            raise status.invalid(BINDING.gvk, call.target.name, [required("target.name")])

        async def change(old: Json) -> Changed:
            # A binding is nobody's: what a Pod runs on is not among its managed fields.
            return Changed(_bound(old, target["name"], value["metadata"]), [], managed=True)

        await self._writer.change(call, type, change)
        return _done()

    async def _token(self, call: Call, type: ResourceType) -> Answer:
        """``serviceaccounts/token``."""
        from sekisho.apiserver.tokens import DEFAULT_SECONDS, ISSUER

        if self._accounts is None:
            raise status.no_such_resource()
        decoded = decode(call, TOKEN_REQUEST)
        value, spec = decoded.value, dict(decoded.value.get("spec") or {})
        account = self._row(call, type)
        seconds = spec.get("expirationSeconds") or DEFAULT_SECONDS
        _check_seconds(seconds, account.place.name)
        spec["audiences"], spec["expirationSeconds"] = spec.get("audiences") or [ISSUER], seconds
        found: Json = {"expirationTimestamp": None, "token": ""}
        bound = self._bound_object(account.place.namespace, spec.get("boundObjectRef"))
        if not dry_run(call):
            issued = self._accounts.issue(account, audiences=spec["audiences"], seconds=seconds, bound=bound)
            ends = datetime.fromtimestamp(issued.ends, UTC)
            found = {"expirationTimestamp": names.timestamp(ends), "token": issued.token}
        metadata = {
            "name": account.place.name,
            "namespace": account.place.namespace,
            "creationTimestamp": names.timestamp(),
        }
        answer = json_answer({**value, "metadata": metadata, "spec": spec, "status": found}, 201)
        return replace(answer, warnings=tuple(decoded.warnings))

    def _bound_object(self, namespace: str, reference: Mapping[str, Any] | None) -> Row | None:
        """The object that a token is to be bound to. Raises ApiError (400, 404, 409)."""
        from sekisho.apiserver.tokens import BOUND

        if not reference:
            return None
        kind = BOUND.get((reference.get("apiVersion") or "", reference.get("kind") or ""))
        if kind is None:
            asked = f"{reference.get('apiVersion', '')}, Kind={reference.get('kind', '')}"
            raise status.bad_request(f"cannot bind token for serviceaccount to object of type {asked}")
        name = reference.get("name") or ""
        row = self._store.get(Place(*kind, "" if kind[1] == "nodes" else namespace, name))
        resource = status.Resource(group=kind[0], plural=kind[1])
        if row is None:
            raise status.not_found(resource, name)
        uid = reference.get("uid")
        if uid and uid != row.uid:
            why = f"the UID in the bound object reference ({uid}) does not match the UID in record. "
            raise status.conflict(
                resource, name, f"{why}The object might have been deleted and then recreated"
            )
        return row


def _bound(pod: Json, node: str, metadata: Mapping[str, Any]) -> Json:
    """A Pod on a Node. Raises ApiError (409) for one that is somewhere, or going."""
    resource = status.Resource(plural="pods/binding")
    name = pod["metadata"]["name"]
    if metadata.get("uid") and metadata["uid"] != pod["metadata"].get("uid"):
        why = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: "
        raise status.conflict(resource, name, f"{why}{pod['metadata'].get('uid', '')}")
    if pod["metadata"].get("deletionTimestamp"):
        raise status.conflict(resource, name, f"pod {name} is being deleted, cannot be assigned to a host")
    spec = dict(pod["spec"])
    if spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        raise status.conflict(resource, name, why)
    if spec.get("schedulingGates"):
        raise status.conflict(resource, name, f"pod {name} has non-empty .spec.schedulingGates")
    new = {**pod, "spec": {**spec, "nodeName": node}}
    annotations = metadata.get("annotations")
    if annotations:
        own = pod["metadata"].get("annotations") or {}
        new["metadata"] = {**pod["metadata"], "annotations": {**own, **annotations}}
    counted = dict(pod.get("status") or {})
    rows = [row for row in counted.get("conditions") or () if row.get("type") != "PodScheduled"]
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": names.timestamp(),
    }
    new["status"] = {**counted, "conditions": [*rows, scheduled]}
    return new


def _check_seconds(seconds: int, name: str) -> None:
    from sekisho.apiserver.tokens import MAX_SECONDS, MIN_SECONDS

    why = ""
    if seconds < MIN_SECONDS:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > MAX_SECONDS:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        raise status.invalid(TOKEN_REQUEST.gvk, name, [invalid("spec.expirationSeconds", seconds, why)])


def _done() -> Answer:
    value = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return json_answer(value, 201)
