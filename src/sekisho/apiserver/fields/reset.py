"""What a write leaves as it is, whatever is sent of it: such fields are nobody's by that write.

One table for the built-in kinds (kube-apiserver's strategies, ``GetResetFields``), one rule for custom
resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sekisho.apiserver.fields.sets import NONE, Fields, Path, without_below
from sekisho.apiserver.types import ResourceType

ANY: Final = "*"
"""In a pattern: whatever element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Which paths count. ``dropped``: these and what is below them do not; ``only``: none but these do."""

    dropped: Fields = NONE
    only: tuple[Path, ...] = ()

    def of(self, fields: Fields) -> Fields:
        """The paths that count."""
        if self.only:
            return frozenset(path for path in fields if any(_begins(path, row) for row in self.only))
        return without_below(fields, self.dropped)


def _begins(path: Path, pattern: Path) -> bool:
    return all(step in (element, ANY) for element, step in zip(path, pattern, strict=False))


NOTHING: Final = Reset()

_STATUS: Final[Path] = ("f:status",)
_SPEC: Final[Path] = ("f:spec",)
_METADATA: Final[Path] = ("f:metadata",)


def _drop(*paths: Path) -> Reset:
    return Reset(dropped=frozenset(paths))


_WITH_STATUS: Final[Mapping[str, Reset]] = {"": _drop(_STATUS), "status": _drop(_SPEC)}
_STATUS_ALONE: Final[Mapping[str, Reset]] = {"": _drop(_STATUS), "status": _drop(_SPEC, _METADATA)}

_RESIZED: Final = tuple(
    ("f:spec", rows, ANY, field)
    for rows in ("f:containers", "f:initContainers")
    for field in ("f:resources", "f:resizePolicy")
)

BUILT_IN: Final[Mapping[tuple[str, str], Mapping[str, Reset]]] = {
    ("", "namespaces"): {**_WITH_STATUS, "finalize": _drop(_STATUS)},
    ("", "nodes"): _WITH_STATUS,
    ("", "persistentvolumeclaims"): _WITH_STATUS,
    ("", "persistentvolumes"): _WITH_STATUS,
    ("", "pods"): {
        "": _drop(_STATUS),
        "status": _drop(_SPEC, ("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
        "ephemeralcontainers": Reset(only=(("f:spec", "f:ephemeralContainers"),)),
        "resize": Reset(only=_RESIZED),
    },
    ("", "replicationcontrollers"): _WITH_STATUS,
    ("", "resourcequotas"): _WITH_STATUS,
    ("", "services"): _WITH_STATUS,
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): _STATUS_ALONE,
    ("apiextensions.k8s.io", "customresourcedefinitions"): _STATUS_ALONE,
    ("apps", "daemonsets"): _WITH_STATUS,
    ("apps", "deployments"): {"": _drop(_STATUS), "status": _drop(_SPEC, ("f:metadata", "f:labels"))},
    ("apps", "replicasets"): _WITH_STATUS,
    ("apps", "statefulsets"): _WITH_STATUS,
    ("autoscaling", "horizontalpodautoscalers"): _WITH_STATUS,
    ("batch", "cronjobs"): _WITH_STATUS,
    ("batch", "jobs"): _WITH_STATUS,
    ("certificates.k8s.io", "certificatesigningrequests"): {
        "": _drop(_SPEC, _STATUS),
        "status": _drop(_SPEC, ("f:status", "f:conditions")),
        "approval": _drop(_SPEC, ("f:status", "f:certificate")),
    },
    ("flowcontrol.apiserver.k8s.io", "flowschemas"): _STATUS_ALONE,
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"): _STATUS_ALONE,
    ("networking.k8s.io", "ingresses"): _WITH_STATUS,
    ("policy", "poddisruptionbudgets"): _WITH_STATUS,
    ("storage.k8s.io", "volumeattachments"): _STATUS_ALONE,
}
"""Group and plural, then subresource. ServiceCIDRs are not here: kube-apiserver lists theirs for a group that
does not exist, so what is sent of their status is owned."""

_CUSTOM: Final[Mapping[str, Reset]] = {"": _drop(_STATUS), "status": _drop(_SPEC)}


def reset_of(type: ResourceType, subresource: str) -> Reset:
    """What a write to a resource, or to a subresource of it, leaves as it is."""
    if type.custom is not None:
        return _CUSTOM.get(subresource, NOTHING) if "status" in type.subresources else NOTHING
    return BUILT_IN.get(type.key, {}).get(subresource, NOTHING)
