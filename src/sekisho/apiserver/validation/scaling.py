"""Disruption budgets and autoscalers."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver.causes import forbidden, invalid, not_supported, required
from sekisho.apiserver.validation.fields import (
    POSITIVE,
    Causes,
    Raw,
    get,
    numbered,
    one_of,
    rows,
    selector,
    share,
)


def budget(new: Raw, old: Raw | None) -> Causes:  # noqa: ARG001 - all have one form
    """A PodDisruptionBudget."""
    spec = get(new, "spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        both = {"minAvailable": least, "maxUnavailable": most}
        yield invalid("spec", both, "minAvailable and maxUnavailable cannot be both set")
    for name, value in (("minAvailable", least), ("maxUnavailable", most)):
        if value is not None:
            yield from share(f"spec.{name}", value)
    yield from selector("spec.selector", spec.get("selector"))
    policies = ("AlwaysAllow", "IfHealthyBudget")
    yield from one_of("spec.unhealthyPodEvictionPolicy", spec.get("unhealthyPodEvictionPolicy"), policies)


TYPES: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
SELECT: Final = ("Disabled", "Max", "Min")


def autoscaler(new: Raw, old: Raw | None) -> Causes:  # noqa: ARG001
    """A HorizontalPodAutoscaler."""
    spec = get(new, "spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if isinstance(least, int) and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, POSITIVE)
    if isinstance(least, int) and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    for name in ("kind", "name"):
        if not get(spec, "scaleTargetRef", name):
            yield required(f"spec.scaleTargetRef.{name}")
    for at, row in numbered(spec, "metrics", at="spec.metrics"):
        yield from _metric(row, at)
    if least == 0 and not any(row.get("type") in ("Object", "External") for row in rows(spec, "metrics")):
        detail = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden("spec.metrics", detail)
    for name in ("scaleUp", "scaleDown"):
        at = f"spec.behavior.{name}"
        yield from one_of(f"{at}.selectPolicy", get(spec, "behavior", name, "selectPolicy"), SELECT)


def _metric(row: Raw, at: str) -> Causes:
    type = row.get("type") or ""
    if not type:
        yield required(f"{at}.type", "must specify a metric source type")
        return
    if type not in TYPES:
        yield from 2 * [
            not_supported(f"{at}.type", type, tuple(TYPES))
        ]  # once for the type, once for its source
        return
    source, here = row.get(TYPES[type]), f"{at}.{TYPES[type]}"
    if source is None:
        yield required(here, "must populate information for the given metric source")
        return
    if type in ("Resource", "ContainerResource"):
        yield from _resource(source, here)


def _resource(source: Any, at: str) -> Causes:
    if not get(source, "name"):
        yield required(f"{at}.name", "must specify a resource name")
    target = get(source, "target")
    used, raw = get(target, "averageUtilization"), get(target, "averageValue")
    if isinstance(used, int) and used < 1:
        yield invalid(f"{at}.target.averageUtilization", used, POSITIVE)
    if used is None and raw is None:
        detail = "must set either a target raw value or a target utilization"
        yield required(f"{at}.target.averageUtilization", detail)
    if used is not None and raw is not None:
        yield forbidden(
            f"{at}.target.averageValue", "may not set both a target raw value and a target utilization"
        )
