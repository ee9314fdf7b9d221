"""One row for each kind that has rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.validation import (
    cluster,
    configuration,
    events,
    networking,
    pods,
    scaling,
    storage,
    workloads,
)
from sekisho.apiserver.validation.fields import Causes, Raw

Rule = Callable[[Raw, Raw | None], Causes]

RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("", "configmaps"): configuration.config_map,
    ("", "endpoints"): networking.endpoints,
    ("", "events"): events.event,
    ("", "limitranges"): configuration.limits,
    ("", "nodes"): cluster.node,
    ("", "persistentvolumeclaims"): storage.claim,
    ("", "persistentvolumes"): storage.volume,
    ("", "pods"): pods.pod,
    ("", "resourcequotas"): configuration.quota,
    ("", "secrets"): configuration.secret,
    ("apps", "daemonsets"): workloads.daemon_set,
    ("apps", "deployments"): workloads.deployment,
    ("apps", "replicasets"): workloads.replica_set,
    ("apps", "statefulsets"): workloads.stateful_set,
    ("autoscaling", "horizontalpodautoscalers"): scaling.autoscaler,
    ("batch", "cronjobs"): workloads.cron_job,
    ("batch", "jobs"): workloads.job,
    ("coordination.k8s.io", "leases"): cluster.lease,
    ("discovery.k8s.io", "endpointslices"): networking.endpoint_slice,
    ("events.k8s.io", "events"): events.strict_event,
    ("networking.k8s.io", "ingresses"): networking.ingress,
    ("networking.k8s.io", "networkpolicies"): networking.network_policy,
    ("node.k8s.io", "runtimeclasses"): cluster.runtime_class,
    ("policy", "poddisruptionbudgets"): scaling.budget,
    ("scheduling.k8s.io", "priorityclasses"): cluster.priority_class,
    ("storage.k8s.io", "storageclasses"): storage.storage_class,
}
"""By group and plural."""


CHANGES: Final[Mapping[tuple[str, str], Callable[[Raw, Raw], Causes]]] = {
    ("", "pods"): pods.pod_change,
}
"""What no change may do but through a subresource."""


def broken(type: ResourceType, new: Raw, old: Raw | None, subresource: str = "") -> list[Cause]:
    """The rules of its kind that an object breaks, or a change of it does."""
    if type.custom is not None:
        return []
    rule, change = RULES.get((type.group, type.plural)), CHANGES.get(type.key)
    found = [*rule(new, old)] if rule is not None else []
    if change is not None and old is not None and not subresource:
        found += change(new, old)
    return found
