"""The types of what expressions see besides the object (apiserver plugin/cel, BuildRequestType)."""

from __future__ import annotations

from typing import Final

from sekisho.cel.types import (
    BOOL,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelType,
    Field,
    Struct,
    list_of,
    map_of,
)

_STRINGS: Final = list_of(STRING)


def _struct(name: str, /, **fields: CelType) -> Struct:
    rows = {field: Field(type=type) for field, type in fields.items()}
    return Struct(name=f"kubernetes.{name}", fields=rows)


_KIND: Final = _struct("GroupVersionKind", group=STRING, version=STRING, kind=STRING)
_RESOURCE: Final = _struct("GroupVersionResource", group=STRING, version=STRING, resource=STRING)
_USER: Final = _struct(
    "UserInfo", username=STRING, uid=STRING, groups=_STRINGS, extra=map_of(STRING, _STRINGS)
)

REQUEST: Final = _struct(
    "AdmissionRequest",
    kind=_KIND.type,
    resource=_RESOURCE.type,
    subResource=STRING,
    requestKind=_KIND.type,
    requestResource=_RESOURCE.type,
    requestSubResource=STRING,
    name=STRING,
    namespace=STRING,
    operation=STRING,
    userInfo=_USER.type,
    dryRun=BOOL,
    options=DYN,
)
"""``request``: the AdmissionRequest without its objects, which have variables of their own."""

_NAMESPACE_SPEC: Final = _struct("NamespaceSpec", finalizers=_STRINGS)
_CONDITION: Final = _struct(
    "NamespaceCondition",
    status=STRING,
    type=STRING,
    lastTransitionTime=TIMESTAMP,
    message=STRING,
    reason=STRING,
)
_NAMESPACE_STATUS: Final = _struct("NamespaceStatus", conditions=list_of(_CONDITION.type), phase=STRING)
_NAMESPACE_METADATA: Final = _struct(
    "NamespaceMetadata",
    name=STRING,
    generateName=STRING,
    namespace=STRING,
    labels=map_of(STRING, STRING),
    annotations=map_of(STRING, STRING),
    UID=STRING,
    creationTimestamp=TIMESTAMP,
    deletionGracePeriodSeconds=INT,
    deletionTimestamp=TIMESTAMP,
    generation=INT,
    resourceVersion=STRING,
    finalizers=_STRINGS,
)
NAMESPACE: Final = _struct(
    "Namespace",
    metadata=_NAMESPACE_METADATA.type,
    spec=_NAMESPACE_SPEC.type,
    status=_NAMESPACE_STATUS.type,
)
"""``namespaceObject``: the Namespace, without what only controllers need."""

STRUCTS: Final = (
    _KIND,
    _RESOURCE,
    _USER,
    REQUEST,
    _NAMESPACE_SPEC,
    _CONDITION,
    _NAMESPACE_STATUS,
    _NAMESPACE_METADATA,
    NAMESPACE,
)
