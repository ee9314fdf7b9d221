"""Kinds of the cluster: priorities, runtimes, leases, nodes."""

from __future__ import annotations

from typing import Final

from sekisho.apiserver.causes import forbidden, invalid
from sekisho.apiserver.status import Cause
from sekisho.apiserver.validation.fields import (
    POSITIVE,
    Causes,
    Raw,
    fixed,
    get,
    network,
    not_negative,
    numbered,
    one_of,
    qualified,
    same,
)
from sekisho.apiserver.validation.placing import EFFECTS
from sekisho.kube.names import dns_label, label_value

MAX_PRIORITY: Final = 1_000_000_000
SYSTEM: Final = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def priority_class(new: Raw, old: Raw | None) -> Causes:
    """A PriorityClass."""
    name, value = get(new, "metadata", "name") or "", new.get("value") or 0
    if name.startswith("system-"):
        if name not in SYSTEM:
            detail = (
                "priority class names with 'system-' prefix are reserved for system use only. error: "
                f"{name} is not a known system priority class"
            )
            yield forbidden("metadata.name", detail)
    elif value > MAX_PRIORITY:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {MAX_PRIORITY}")
    yield from one_of("preemptionPolicy", new.get("preemptionPolicy"), ("PreemptLowerPriority", "Never"))
    if not same(new, old, "value"):
        yield forbidden("value", "may not be changed in an update.")
    yield from fixed(new, old, "preemptionPolicy")


def runtime_class(new: Raw, old: Raw | None) -> Causes:
    """A RuntimeClass."""
    handler = new.get("handler") or ""
    for text in dns_label(handler):
        yield invalid("handler", handler, text)
    yield from fixed(new, old, "handler")


def lease(new: Raw, old: Raw | None) -> Causes:  # noqa: ARG001 - all have one form
    """A Lease."""
    seconds = get(new, "spec", "leaseDurationSeconds")
    if isinstance(seconds, int) and seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", seconds, POSITIVE)
    yield from not_negative("spec.leaseTransitions", get(new, "spec", "leaseTransitions"))


def node(new: Raw, old: Raw | None) -> Causes:
    """A Node."""
    seen: set[tuple[str, str]] = set()
    for at, row in numbered(new, "spec", "taints", at="metadata.taints"):
        key, effect, value = row.get("key") or "", row.get("effect") or "", row.get("value") or ""
        yield from qualified(f"{at}.key", key)
        yield from (invalid(f"{at}.value", value, text) for text in label_value(value))
        yield from one_of(f"{at}.effect", effect, EFFECTS, needed=True)
        if (key, effect) in seen:
            printed = f'core.Taint{{Key:"{key}", Value:"{value}", Effect:"{effect}", TimeAdded:<nil>}}'
            message = f"Duplicate value: {printed}: taints must be unique by key and effect pair"
            yield Cause(reason="FieldValueDuplicate", message=message, field=at)
        seen.add((key, effect))
    ranges = get(new, "spec", "podCIDRs") or (
        [get(new, "spec", "podCIDR")] if get(new, "spec", "podCIDR") else []
    )
    for index, text in enumerate(ranges):
        yield from network(f"spec.podCIDRs[{index}]", text)
    before = get(old, "spec", "podCIDR")
    if before and get(new, "spec", "podCIDR") != before:
        yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
