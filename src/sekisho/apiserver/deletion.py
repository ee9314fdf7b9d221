"""What a deletion asks for: preconditions, propagation, grace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.apiserver import status
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.types import ResourceType


def check_preconditions(
    options: Mapping[str, Any], old: Mapping[str, Any], type: ResourceType, name: str
) -> None:
    """Raise ApiError (409) if the object is not the one that the client means."""
    wanted = options.get("preconditions")
    if not isinstance(wanted, Mapping):
        return
    for field_, label in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        value = wanted.get(field_)
        found = old["metadata"].get(field_, "")
        if value is not None and value != found:
            why = f"Precondition failed: {label} in precondition: {value}, {label} in object meta: {found}"
            raise status.conflict(type.resource, name, why)


FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"


def finalizers(metadata: Mapping[str, Any], options: Mapping[str, Any], type: ResourceType) -> list[str]:
    """The finalizers with those of the propagation policy that is asked for."""
    found = list(metadata.get("finalizers") or ())
    policy = options.get("propagationPolicy")
    orphans = options.get("orphanDependents")
    if orphans is not None and policy is None:
        policy = "Orphan" if orphans else "Background"
    if policy not in (None, "Foreground", "Background", "Orphan"):
        message = (
            f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "{policy}": '
            'supported values: "Background", "Foreground", "Orphan", "nil"'
        )
        raise ApiError(422, "Invalid", message)
    if policy is None or type.key == ("", "namespaces"):
        return found
    found = [row for row in found if row not in (FOREGROUND, ORPHAN)]
    extra = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(policy, [])
    return [*found, *extra]


def grace_of(old: Mapping[str, Any], options: Mapping[str, Any], type: ResourceType) -> int:
    """Seconds until a Pod on a node is gone; others go at once."""
    if type.key != ("", "pods"):
        return 0
    spec = old.get("spec") or {}
    phase = (old.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    asked = options.get("gracePeriodSeconds")
    seconds = asked if isinstance(asked, int) else spec.get("terminationGracePeriodSeconds", 30)
    return max(0, int(seconds))


def holds(type: ResourceType, old: Mapping[str, Any]) -> bool:
    """Whether a kind has a way of its own to hold an object back."""
    return type.key == ("", "namespaces") and bool((old.get("spec") or {}).get("finalizers"))
