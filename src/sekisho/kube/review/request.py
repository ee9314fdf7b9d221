"""What is to be judged: the fields of an AdmissionRequest and the object's Namespace.

Built from an AdmissionReview (``from_review``), or from an object alone (``of``) for questions asked
offline: 'would this be admitted today?' is a CREATE by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube import codes
from sekisho.kube.gvk import BUILT_IN, GVK, GVR, NO_RESOURCE, Scheme
from sekisho.kube.object import Object, Raw, load

REVIEW_API_VERSION: Final = "admission.k8s.io/v1"


class Operation(Enum):
    """What is done to the object. NONE is what gator's offline input says."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfo:
    """Who asks."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] | None = None

    def to_json(self) -> dict[str, Any]:
        """As AdmissionReview writes it: what is empty is left out."""
        out: dict[str, Any] = {}
        if self.username:
            out["username"] = self.username
        if self.uid:
            out["uid"] = self.uid
        if self.groups:
            out["groups"] = list(self.groups)
        if self.extra:
            out["extra"] = {key: list(values) for key, values in self.extra.items()}
        return out


NOBODY: Final = UserInfo()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question. ``object`` is absent for DELETE, ``old_object`` for CREATE; never are both.

    ``request_kind`` and ``request_resource`` are what the client used, where the API server converted it.
    ``generated_by`` names the ExpansionTemplate that implied the object; empty for one that somebody wrote.
    """

    kind: GVK
    resource: GVR = NO_RESOURCE
    subresource: str = ""
    request_kind: GVK | None = None
    request_resource: GVR | None = None
    request_subresource: str = ""
    uid: str = ""
    name: str = ""
    namespace: str = ""
    operation: Operation = Operation.CREATE
    user: UserInfo = NOBODY
    object: Object | None = None
    old_object: Object | None = None
    dry_run: bool = False
    options: Raw | None = None
    namespace_object: Object | None = None
    generated_by: str = ""

    @classmethod
    def of(
        cls,
        object: Object,
        *,
        operation: Operation = Operation.CREATE,
        namespace_object: Object | None = None,
        scheme: Scheme = BUILT_IN,
    ) -> Request:
        """The question whether this object may be created (or deleted, …) by nobody in particular."""
        deleted = operation is Operation.DELETE
        return cls(
            kind=object.gvk,
            resource=scheme.resource(object.gvk),
            name=object.name,
            namespace="" if object.is_namespace else object.namespace,
            operation=operation,
            object=None if deleted else object,
            old_object=object if deleted else None,
            namespace_object=namespace_object,
        )

    @classmethod
    def from_review(cls, raw: Any, *, namespace_object: Object | None = None) -> Request:
        """The request inside an AdmissionReview.

        Raises DiagnosticError: KUB053 if the review is malformed, KUB002 or KUB003 if its object is.
        """
        return _Reader(raw).read(namespace_object)

    @property
    def subject(self) -> Object:
        """The object that the question is about: the new one, or the old one when it is deleted."""
        subject = self.object or self.old_object
        assert subject is not None, "a request has an object or an old object"
        return subject

    def with_object(self, object: Object) -> Request:
        """The same question about a changed object."""
        return replace(self, object=object)

    def to_json(self) -> dict[str, Any]:
        """The AdmissionRequest, as Kubernetes writes it."""
        out: dict[str, Any] = {
            "uid": self.uid,
            "kind": self.kind.to_json(),
            "resource": self.resource.to_json(),
            "operation": self.operation.value,
            "userInfo": self.user.to_json(),
            "object": self.object.raw if self.object else None,
            "oldObject": self.old_object.raw if self.old_object else None,
            "dryRun": self.dry_run,
            "options": self.options,
        }
        optional: dict[str, Any] = {
            "subResource": self.subresource,
            "requestKind": self.request_kind.to_json() if self.request_kind else None,
            "requestResource": self.request_resource.to_json() if self.request_resource else None,
            "requestSubResource": self.request_subresource,
            "name": self.name,
            "namespace": self.namespace,
        }
        out.update((key, value) for key, value in optional.items() if value)
        return out


class _Reader:
    """Reads an AdmissionReview; every complaint names the field."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def read(self, namespace_object: Object | None) -> Request:
        review = self._raw
        if not isinstance(review, Mapping) or review.get("kind") != "AdmissionReview":
            raise _bad("it is not an AdmissionReview")
        if review.get("apiVersion") != REVIEW_API_VERSION:
            raise _bad(f"its apiVersion is {review.get('apiVersion')!r}, not {REVIEW_API_VERSION!r}")
        request = self._mapping(review, "request", needed=True)
        kind = self._mapping(request, "kind", needed=True)
        object, old = self._object(request, "object"), self._object(request, "oldObject")
        if object is None and old is None and request.get("operation") != "CONNECT":
            raise _bad("request.object and request.oldObject are both missing")
        return Request(
            uid=self._text(request, "uid"),
            kind=self._kind(kind),
            resource=self._resource(self._mapping(request, "resource")),
            subresource=self._text(request, "subResource"),
            request_kind=self._kind(found) if (found := self._mapping(request, "requestKind")) else None,
            request_resource=(
                self._resource(found) if (found := self._mapping(request, "requestResource")) else None
            ),
            request_subresource=self._text(request, "requestSubResource"),
            name=self._text(request, "name"),
            namespace=self._text(request, "namespace"),
            operation=self._operation(request),
            user=self._user(self._mapping(request, "userInfo")),
            object=object,
            old_object=old,
            dry_run=request.get("dryRun") is True,
            options=self._mapping(request, "options") or None,
            namespace_object=namespace_object,
        )

    def _mapping(self, raw: Raw, field: str, *, needed: bool = False) -> Raw:
        value = raw.get(field)
        if value is None and not needed:
            return {}
        if not isinstance(value, Mapping):
            raise _bad(f"its field {field} is not a mapping")
        return value

    def _text(self, raw: Raw, field: str) -> str:
        value = raw.get(field)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise _bad(f"its field {field} is not a string")
        return value

    def _kind(self, raw: Raw) -> GVK:
        return GVK(*(self._text(raw, field) for field in ("group", "version", "kind")))

    def _resource(self, raw: Raw) -> GVR:
        return GVR(*(self._text(raw, field) for field in ("group", "version", "resource")))

    def _object(self, raw: Raw, field: str) -> Object | None:
        value = self._mapping(raw, field)
        return load(value) if value else None

    def _operation(self, raw: Raw) -> Operation:
        text = self._text(raw, "operation")
        try:
            return Operation(text)
        except ValueError:
            raise _bad(f"its operation {text!r} is unknown") from None

    def _user(self, raw: Raw) -> UserInfo:
        extra = self._mapping(raw, "extra")
        return UserInfo(
            username=self._text(raw, "username"),
            uid=self._text(raw, "uid"),
            groups=self._texts(raw, "groups"),
            extra={key: self._texts(extra, key) for key in extra} or None,
        )

    def _texts(self, raw: Raw, field: str) -> tuple[str, ...]:
        value = raw.get(field)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _bad(f"its field {field} is not a list of strings")
        return tuple(value)


def _bad(why: str) -> DiagnosticError:
    message = f"the AdmissionReview is malformed: {why}"
    return DiagnosticError(Diagnostic(code=codes.BAD_REVIEW, message=message))
