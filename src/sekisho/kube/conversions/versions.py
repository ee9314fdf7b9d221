"""Which versions are one family, and from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.kube.conversions import autoscalers, events

Json = dict[str, Any]
Convert = Callable[[Mapping[str, Any]], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The version that is stored, and to it and from it for each other one (apiVersions)."""

    stored: str
    to_stored: Mapping[str, Convert]
    from_stored: Mapping[str, Convert]


FAMILIES: Final[Mapping[tuple[str, str], Family]] = {
    ("autoscaling", "HorizontalPodAutoscaler"): Family(
        stored="autoscaling/v2",
        to_stored={"autoscaling/v1": autoscalers.to_v2},
        from_stored={"autoscaling/v1": autoscalers.to_v1},
    ),
    ("", "Event"): Family(
        stored="v1",
        to_stored={"events.k8s.io/v1": events.to_core},
        from_stored={"events.k8s.io/v1": events.to_events},
    ),
}
"""By the group and the kind of the stored version."""

_OF: Final[Mapping[tuple[str, str], Family]] = {
    (api_version, kind): family
    for (_, kind), family in FAMILIES.items()
    for api_version in (family.stored, *family.to_stored)
}


def converted(value: Mapping[str, Any], api_version: str) -> Mapping[str, Any] | None:
    """An object in a version; None where there is no way to it."""
    given, kind = str(value.get("apiVersion") or ""), str(value.get("kind") or "")
    if given == api_version:
        return value
    family = _OF.get((given, kind))
    if family is None or _OF.get((api_version, kind)) is not family:
        return None
    back, forth = family.to_stored.get(given), family.from_stored.get(api_version)
    stored = value if back is None else back(value)
    return stored if forth is None else forth(stored)
