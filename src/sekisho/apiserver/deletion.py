"""What a deletion asks for: preconditions, propagation, grace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sekisho.apiserver import status
from sekisho.apiserver.causes import not_supported
from sekisho.apiserver.status import Resource
from sekisho.apiserver.types import ResourceType
from sekisho.kube.gvk import GVK

LONGEST: Final = 100 * 365 * 86_400
"""Seconds of grace at most: whatever is more is for ever, and no time that a date can hold."""

TYPES: Final[Mapping[str, type]] = {
    "gracePeriodSeconds": int,
    "propagationPolicy": str,
    "orphanDependents": bool,
    "preconditions": dict,
    "dryRun": list,
}
"""What the fields of DeleteOptions are (apimachinery meta/v1)."""


def options_of(body: Any, query: Mapping[str, str]) -> dict[str, Any]:
    """DeleteOptions from a body, and from the query what the body leaves out. Raises ApiError (400)."""
    if not isinstance(body, dict):
        raise status.bad_request("the body must be DeleteOptions")
    options: dict[str, Any] = {key: value for key, value in body.items() if value is not None}
    options.setdefault("propagationPolicy", query.get("propagationPolicy"))
    seconds = query.get("gracePeriodSeconds")
    if seconds is not None:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", seconds):
            raise status.bad_request(f"gracePeriodSeconds: {seconds!r} is no whole number")
        options.setdefault("gracePeriodSeconds", int(seconds))
    for field_, wanted in TYPES.items():
        value = options.get(field_)
        fits = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
        if value is not None and not fits:
            raise status.bad_request(f"DeleteOptions cannot be read: {field_} has another type")
    return options


def check_preconditions(
    options: Mapping[str, Any], old: Mapping[str, Any], type: ResourceType, name: str
) -> None:
    """Raise ApiError (409) if the object is not the one that the client means."""
    wanted = options.get("preconditions")
    if not isinstance(wanted, Mapping):
        return
    for field_, label, became in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        value = wanted.get(field_)
        found = old["metadata"].get(field_, "")
        if value is not None and value != found:
            why = (
                f"the {label} in the precondition ({value}) does not match the {label} in record ({found}). "
                f"The object might have been {became}"
            )
            raise status.conflict(Resource(group=type.group, plural=type.kind), name, why)


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
        cause = not_supported("propagationPolicy", policy, ("Foreground", "Background", "Orphan", "nil"))
        raise status.invalid(GVK("meta.k8s.io", "", "DeleteOptions"), "", [cause])
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
    return min(max(0, int(seconds)), LONGEST)


def holds(type: ResourceType, old: Mapping[str, Any]) -> bool:
    """Whether a kind has a way of its own to hold an object back."""
    return type.key == ("", "namespaces") and bool((old.get("spec") or {}).get("finalizers"))
