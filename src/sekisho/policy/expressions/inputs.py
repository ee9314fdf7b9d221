"""What the variables of an evaluation are, made of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.diag import Deadline
from sekisho.kube.gvk import GVK, GVR
from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.policy.expressions import names

_METADATA: Final = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "finalizers",
)
"""What ``namespaceObject`` has of its metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The values of one evaluation.

    ``authorizer`` and ``resource_authorizer`` are values of the authorizer library; None where nobody can be
    asked, and an expression that asks fails. ``unknown`` says why a variable has no value, by its name.
    """

    object: Any
    old_object: Any
    request: Mapping[str, Any]
    params: Any = None
    namespace: Any = None
    authorizer: Any = None
    resource_authorizer: Any = None
    unknown: Mapping[str, str] = field(default_factory=dict)
    deadline: Deadline | None = None

    def activation(self, *, authorizer: bool, namespace: bool = True) -> dict[str, Any]:
        """The variables by name; those of the authorizer only where they are asked for."""
        values = {
            names.OBJECT: self.object,
            names.OLD_OBJECT: self.old_object,
            names.REQUEST: self.request,
            names.PARAMS: self.params,
            names.NAMESPACE: self.namespace if namespace else None,
        }
        if authorizer and self.authorizer is not None:
            values[names.AUTHORIZER] = self.authorizer
            values[names.RESOURCE_AUTHORIZER] = self.resource_authorizer
        return values


def request_value(request: Request, resource: GVR, kind: GVK, namespace: str) -> dict[str, Any]:
    """``request``. The resource and kind are those under which the request matched."""
    original = request.resource if request.resource.resource else resource
    out = request.to_json()
    out.update(
        kind=kind.to_json(),
        resource=resource.to_json(),
        requestKind=(request.request_kind or request.kind).to_json(),
        requestResource=(request.request_resource or original).to_json(),
        object=None,
        oldObject=None,
    )
    if request.subresource:
        out["requestSubResource"] = request.request_subresource or request.subresource
    if namespace:
        out["namespace"] = namespace
    return out


def namespace_value(namespace: Object | None) -> dict[str, Any] | None:
    """``namespaceObject``."""
    if namespace is None:
        return None
    given = namespace.metadata
    metadata = {key: given[key] for key in _METADATA if key in given}
    out: dict[str, Any] = {"metadata": metadata}
    for part in ("spec", "status"):
        out[part] = namespace.raw.get(part) or {}
    return out
