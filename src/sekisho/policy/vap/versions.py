"""The object in the version under which a policy matched it.

The API server converts. Here, the versions of most kinds have the same fields, and a conversion is a change
of ``apiVersion``; autoscalers and Events are converted field by field; others whose versions differ in shape
are not converted, nor judged in a false shape.
"""

from __future__ import annotations

from typing import Final

from sekisho.kube.conversions import converted
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object, Raw

DIFFERENT: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        ("resource.k8s.io", "DeviceClass"),
        ("resource.k8s.io", "ResourceClaim"),
        ("resource.k8s.io", "ResourceClaimTemplate"),
        ("resource.k8s.io", "ResourceSlice"),
    }
)
"""Kinds of which some versions have other fields than others."""


class VersionError(Exception):
    """An object cannot be given in the version that is asked for."""


def in_version(object: Object | None, kind: GVK) -> Raw | None:
    """The object as a value in that version. Raises VersionError."""
    if object is None:
        return None
    if object.gvk.group == kind.group and object.gvk.version == kind.version:
        return object.raw
    found = converted(object.raw, kind.api_version)
    if found is not None:
        return found
    if (object.gvk.group, object.gvk.kind) in DIFFERENT:
        raise VersionError(f"failed to convert object version: {object.gvk} to {kind.api_version}")
    if object.kind != kind.kind:
        return object.raw  # a subresource: the object is of the subresource's kind
    return {**object.raw, "apiVersion": kind.api_version}
