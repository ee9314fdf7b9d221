"""Mutating and validating webhooks: which are asked about a request, and what becomes of their answers.

Facts from apiserver ``pkg/admission/plugin/webhook``. Mutating ones are asked one after the other, by the
names of their configurations; where one has changed the object, those that want it are asked once more.
Validating ones are asked at the same time. A webhook that cannot be asked, or answers what is no answer, is
left to its failure policy.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import orjson

from sekisho.apiserver import names, status
from sekisho.apiserver.admission.asked import Asked
from sekisho.apiserver.admission.chain import denied_by, not_called
from sekisho.apiserver.audit import note
from sekisho.apiserver.causes import parted
from sekisho.apiserver.registry import Registry
from sekisho.apiserver.store import Event, Store
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.webhooks import Caller, Refused
from sekisho.diag import DiagnosticError, Path
from sekisho.kube import patch
from sekisho.kube.gvk import GVK, GVR
from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.kube.selectors import Selector, label_selector

_LOG: Final = logging.getLogger(__name__)

Raw = Mapping[str, Any]

GROUP: Final = "admissionregistration.k8s.io"
MUTATING: Final = (GROUP, "mutatingwebhookconfigurations")
VALIDATING: Final = (GROUP, "validatingwebhookconfigurations")
EXEMPT: Final = frozenset(
    {
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)
"""Kinds that no webhook is asked about: one that is wrong could never be mended."""

SECONDS: Final = 10
ANY: Final = "*"
ON_DRY_RUN: Final = ("None", "NoneOnDryRun")


class Unmet(Exception):
    """Match conditions could not be evaluated, and the request is refused for it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


Conditions = Callable[[Request], bool]
"""Whether a webhook is to be asked about a request; raises Unmet."""

ReadConditions = Callable[[Object, Path], Conditions]
"""The ``matchConditions`` of the webhook at a path of its configuration; raises DiagnosticError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook of a configuration."""

    name: str
    config: str
    index: int
    client: Raw
    rules: Sequence[Raw]
    namespaces: Selector | None
    objects: Selector | None
    ignore: bool
    equivalent: bool
    seconds: int
    side_effects: str
    reviews: Sequence[str]
    again: bool
    conditions: Conditions | None = None
    broken: str = ""

    @property
    def identity(self) -> tuple[str, int]:
        """Which webhook this is."""
        return self.config, self.index


class _Match(NamedTuple):
    """The version of the resource under which a webhook is asked."""

    resource: GVR
    kind: GVK


@dataclass(slots=True)
class Webhooks:
    """All webhooks of a store."""

    store: Store
    caller: Caller
    registry: Callable[[], Registry]
    read_conditions: ReadConditions | None = None
    _mutating: dict[str, list[Webhook]] = field(default_factory=dict, init=False)
    _validating: dict[str, list[Webhook]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for key, into in ((MUTATING, self._mutating), (VALIDATING, self._validating)):

            def changed(event: Event, into: dict[str, list[Webhook]] = into) -> None:
                into.pop(event.row.place.name, None)
                current = self.store.get(event.row.place)
                if current is not None:
                    into[current.place.name] = self._read(current.load())

            self.store.hub.listen(key, changed)
            for row in self.store.rows(key):
                into[row.place.name] = self._read(row.load())

    def _read(self, raw: dict[str, Any]) -> list[Webhook]:
        rows = raw.get("webhooks") or ()
        return [self._webhook(raw, index, row) for index, row in enumerate(rows)]

    def _webhook(self, config: dict[str, Any], index: int, raw: Raw) -> Webhook:
        conditions, broken = None, ""
        if raw.get("matchConditions"):
            if self.read_conditions is None:
                broken = "match conditions cannot be evaluated here"
            else:
                try:
                    conditions = self.read_conditions(Object(config), ("webhooks", index))
                except DiagnosticError as error:
                    broken = error.diagnostics[0].message
        return Webhook(
            name=raw.get("name", ""),
            config=config["metadata"]["name"],
            index=index,
            client=raw.get("clientConfig") or {},
            rules=raw.get("rules") or (),
            namespaces=_selector(raw.get("namespaceSelector")),
            objects=_selector(raw.get("objectSelector")),
            ignore=raw.get("failurePolicy") == "Ignore",
            equivalent=raw.get("matchPolicy", "Equivalent") == "Equivalent",
            seconds=raw.get("timeoutSeconds") or SECONDS,
            side_effects=raw.get("sideEffects", ""),
            reviews=raw.get("admissionReviewVersions") or (),
            again=raw.get("reinvocationPolicy") == "IfNeeded",
            conditions=conditions,
            broken=broken,
        )

    @property
    def mutating(self) -> bool:
        """Whether there are any that mutate."""
        return bool(self._mutating)

    async def mutate(
        self, asked: Asked, called: set[tuple[str, int]], *, second: bool = False
    ) -> tuple[bool, list[str]]:
        """Ask those that mutate. Whether one has changed the object, and warnings. Raises ApiError.

        ``called`` are those that may be asked again; in the ``second`` round no others are.
        """
        changed, warnings = False, list[str]()
        for hook in self._about(self._mutating, asked):
            if second and hook.identity not in called:
                continue
            match = self._match(hook, asked)
            if match is None:
                continue
            response = await self._ask(hook, asked, match, warnings)
            if hook.again:
                called.add(hook.identity)
            if response is None:
                continue
            new = _patched(hook, asked, response)
            if new is not None:
                new = asked.shape(new)
                changed |= new != asked.object
                asked.object = new
        return changed, warnings

    async def validate(self, asked: Asked) -> list[str]:
        """Ask those that validate, all at the same time; warnings. Raises ApiError."""
        matched = [
            (hook, match)
            for hook in self._about(self._validating, asked)
            if (match := self._match(hook, asked)) is not None
        ]
        warnings: list[list[str]] = [[] for _ in matched]
        answers = await asyncio.gather(
            *(
                self._ask(hook, asked, match, told, mutating=False)
                for (hook, match), told in zip(matched, warnings, strict=True)
            ),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return [text for told in warnings for text in told]

    def check(self, asked: Asked) -> None:
        """Refuse a configuration whose match conditions are malformed. Raises ApiError (422)."""
        if asked.key not in (MUTATING, VALIDATING) or asked.object is None or self.read_conditions is None:
            return
        causes: list[status.Cause] = []
        for index, hook in enumerate(asked.object.get("webhooks") or ()):
            if hook.get("matchConditions"):
                try:
                    self.read_conditions(Object(asked.object), ("webhooks", index))
                except DiagnosticError as error:
                    where = f"webhooks[{index}].matchConditions"
                    causes += (_placed(parted(row.message), where) for row in error.diagnostics)
        if causes:
            raise status.invalid(asked.type.gvk, asked.name, causes)

    def _about(self, hooks: Mapping[str, list[Webhook]], asked: Asked) -> Iterator[Webhook]:
        kind = asked.type.gvk
        if kind.group == GROUP and kind.kind in EXEMPT:
            return
        for name in sorted(hooks):
            yield from hooks[name]

    # Which are asked.

    def _match(self, hook: Webhook, asked: Asked) -> _Match | None:
        """Under which version a webhook is asked, None if it is not. Raises ApiError."""
        if hook.namespaces is not None and not self._in_namespaces(hook.namespaces, asked):
            return None
        if hook.objects is not None and not _has_labels(hook.objects, asked):
            return None
        found = self._rule(hook, asked)
        if found is None:
            return None
        if hook.broken:
            raise not_called(hook.name, hook.broken)
        if hook.conditions is not None:
            try:
                if not hook.conditions(asked.request(found.resource, found.kind)):
                    return None
            except Unmet as error:
                if hook.ignore:
                    return None
                raise asked.forbidden(error.message) from None
        return found

    def _in_namespaces(self, selector: Selector, asked: Asked) -> bool:
        namespaces = asked.key == ("", "namespaces")
        if not asked.namespace and not namespaces:
            return True
        if namespaces and not asked.subresource and asked.object is not None:
            labels = asked.object["metadata"].get("labels") or {}
        else:
            found = asked.namespace_object
            labels = (found.metadata.get("labels") or {}) if found is not None else {}
        return selector.matches(labels)

    def _rule(self, hook: Webhook, asked: Asked) -> _Match | None:
        own = _Match(asked.type.gvr, asked.kind or asked.type.gvk)
        for rule in hook.rules:
            if _rule_matches(rule, own.resource, asked):
                return own
        if not hook.equivalent:
            return None
        others = self._equivalents(asked.type)
        for rule in hook.rules:
            for other in others:
                if _rule_matches(rule, other.gvr, asked):
                    return _Match(other.gvr, asked.kind or other.gvk)
        return None

    def _equivalents(self, type: ResourceType) -> list[ResourceType]:
        rows = self.registry().types()
        return [row for row in rows if row.key == type.key and row.gvr != type.gvr]

    # Asking.

    async def _ask(
        self, hook: Webhook, asked: Asked, match: _Match, warnings: list[str], *, mutating: bool = True
    ) -> Raw | None:
        """The answer of a webhook that allows; None where it could not be asked and that does not matter."""
        if asked.dry_run and hook.side_effects not in ON_DRY_RUN:
            raise status.bad_request(f'admission webhook "{hook.name}" does not support dry run')
        try:
            response = await self._review(hook, asked, match, mutating=mutating)
        except Refused as refused:
            if hook.ignore:
                _LOG.warning('failing open: failed calling webhook "%s": %s', hook.name, refused.message)
                return None
            raise not_called(hook.name, refused.message) from None
        _note(hook, response.get("auditAnnotations"))
        told = response.get("warnings")
        warnings += [str(text) for text in told] if isinstance(told, list) else []
        if response.get("allowed") is not True:
            raise denied_by(hook.name, response.get("status"))
        return response

    async def _review(self, hook: Webhook, asked: Asked, match: _Match, *, mutating: bool) -> Raw:
        """The response to one AdmissionReview. Raises Refused."""
        version = next((row for row in hook.reviews if row in ("v1", "v1beta1")), "")
        if not version:
            raise Refused("webhook does not accept known AdmissionReview versions (v1, v1beta1)")
        uid = names.new_uid()
        request = await self._request(asked, match)
        request["uid"] = uid
        body = {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": request}
        try:
            answer = await self.caller.post(hook.client, body, seconds=hook.seconds)
        except Refused as refused:
            raise Refused(f"failed to call webhook: {refused.message}") from None
        wrong = _invalid(answer, uid, version, mutating=mutating)
        if wrong:
            raise Refused(f"received invalid webhook response: {wrong}")
        response: Raw = answer["response"]
        return response

    async def _request(self, asked: Asked, match: _Match) -> dict[str, Any]:
        """The AdmissionRequest, its objects in the version that the webhook is asked about."""
        request = asked.request(match.resource, match.kind).to_json()
        if match.resource == asked.type.gvr or asked.type.conversion is None:
            return request
        other = self.registry().find(*match.resource)
        if other is None or other.conversion is None:
            return request
        for name in ("object", "oldObject"):
            if request[name] is not None:
                request[name] = await other.conversion.converted(request[name])
        return request


def _note(hook: Webhook, annotations: Any) -> None:
    """What a webhook wants to stand in the audit log, under its name."""
    if isinstance(annotations, Mapping):
        note({f"{hook.name}/{key}": str(text) for key, text in annotations.items()})


def _placed(cause: status.Cause, where: str) -> status.Cause:
    return cause if cause.field else replace(cause, field=where)


def _selector(raw: Raw | None) -> Selector | None:
    """A selector that says something; None for an empty one. A malformed one was refused before."""
    if not raw or not (raw.get("matchLabels") or raw.get("matchExpressions")):
        return None
    return label_selector(raw)


def _has_labels(selector: Selector, asked: Asked) -> bool:
    """Whether labels fit; what has no metadata, as the options of a connection, fits nothing."""
    return any(
        row is not None and "metadata" in row and selector.matches(row["metadata"].get("labels") or {})
        for row in (asked.object, asked.old)
    )


def _rule_matches(rule: Raw, resource: GVR, asked: Asked) -> bool:
    def listed(name: str, value: str) -> bool:
        rows = rule.get(name) or ()
        return ANY in rows or value in rows

    namespaces = asked.key == ("", "namespaces")
    scope = rule.get("scope", ANY)
    if scope == "Namespaced" and (namespaces or not asked.namespace):
        return False
    if scope == "Cluster" and not namespaces and asked.namespace:
        return False
    return (
        listed("operations", asked.operation.value)
        and listed("apiGroups", resource.group)
        and listed("apiVersions", resource.version)
        and any(_resource_matches(row, resource, asked.subresource) for row in rule.get("resources") or ())
    )


def _resource_matches(row: str, resource: GVR, subresource: str) -> bool:
    plural, _, sub = row.partition("/")
    return plural in (ANY, resource.resource) and sub in (ANY, subresource)


def _invalid(answer: Any, uid: str, version: str, *, mutating: bool) -> str:
    """What is wrong with an answer, empty if nothing is."""
    response = answer.get("response") if isinstance(answer, Mapping) else None
    if not isinstance(response, Mapping):
        return "webhook response was absent"
    if version == "v1beta1":
        return ""
    given = (answer.get("apiVersion"), answer.get("kind"))
    if given != ("admission.k8s.io/v1", "AdmissionReview"):
        wanted = "admission.k8s.io/v1, Kind=AdmissionReview"
        return f"expected webhook response of {wanted}, got {given[0] or ''}, Kind={given[1] or ''}"
    if response.get("uid") != uid:
        return f'expected response.uid="{uid}", got "{response.get("uid") or ""}"'
    has_patch, has_type = bool(response.get("patch")), response.get("patchType") is not None
    if not mutating:
        if has_patch:
            return "validating webhook may not return response.patch"
        return "validating webhook may not return response.patchType" if has_type else ""
    if has_patch and not has_type:
        return "webhook returned response.patch but not response.patchType"
    return "webhook returned response.patchType but not response.patch" if has_type and not has_patch else ""


def _patched(hook: Webhook, asked: Asked, response: Raw) -> dict[str, Any] | None:
    """The object with the patch of an answer, None without one. Raises ApiError (500)."""
    text = response.get("patch")
    if not text:
        return None
    kind = response.get("patchType") or "JSONPatch"
    if kind != "JSONPatch":
        _unusable(hook, f'unsupported patch type "{kind}"')
        return None
    try:
        operations = orjson.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError) as error:
        _unusable(hook, f"received undecodable patch in webhook response: {error}")
        return None
    if not operations:
        return None
    if asked.object is None:
        message = (
            f'admission webhook "{hook.name}" attempted to modify the object, which is not supported for '
            "this "
            "operation"
        )
        raise status.internal(message)
    try:
        found = patch.apply(asked.object, operations)
    except DiagnosticError as error:
        raise status.internal(error.diagnostics[0].message) from None
    if not isinstance(found, dict) or (
        "metadata" in asked.object and not isinstance(found.get("metadata"), dict)
    ):
        raise status.internal(f'admission webhook "{hook.name}" left no object')
    return found


def _unusable(hook: Webhook, why: str) -> None:
    """A patch that cannot be read is no answer: left to the failure policy."""
    if not hook.ignore:
        raise not_called(hook.name, why)


__all__ = ["Conditions", "ReadConditions", "Unmet", "Webhook", "Webhooks"]
