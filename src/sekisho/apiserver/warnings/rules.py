"""One row for each kind that has warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.validation.fields import Raw, get, numbered
from sekisho.apiserver.warnings.pods import DEPRECATED_LABELS, fractions, pod_warnings
from sekisho.kube.names import dns_label

Warnings = Iterator[str]

HOSTNAMES: Final = "this is used in Pod names and hostnames"
HOSTNAME: Final = "this is used in the Pod's hostname"
INGRESS_CLASS: Final = "kubernetes.io/ingress.class"
TOPOLOGY: Final = ("service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode")
COMPLETIONS: Final = 100_000
PARALLELISM: Final = 10_000
MANY_INDEXES: Final = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
    "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
)
ENDLESS_HISTORY: Final = (
    "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is "
    "recommended"
)


def _named(new: Raw, old: Raw | None, what: str = HOSTNAMES) -> Warnings:
    problems = dns_label(str(get(new, "metadata", "name") or "")) if old is None else ()
    if problems:
        told = f"which can result in surprising behavior; a DNS label is recommended: [{' '.join(problems)}]"
        yield f"metadata.name: {what}, {told}"


def _template(new: Raw) -> Warnings:
    yield from pod_warnings(get(new, "spec", "template") or {}, "spec.template.")


def _pod(new: Raw, old: Raw | None) -> Warnings:
    if old is None:  # a Pod that is changed was seldom changed by a person
        yield from _named(new, old, HOSTNAME)
        yield from pod_warnings(new, "")


def _workload(new: Raw, old: Raw | None) -> Warnings:
    yield from _named(new, old)
    yield from _template(new)


def _daemon_set(new: Raw, old: Raw | None) -> Warnings:  # noqa: ARG001 - all rows have one form
    yield from _template(new)


def _stateful_set(new: Raw, old: Raw | None) -> Warnings:  # noqa: ARG001 - all rows have one form
    yield from _template(new)
    for at, row in numbered(new, "spec", "volumeClaimTemplates", at="spec.volumeClaimTemplates"):
        yield from fractions(get(row, "spec", "resources"), f"{at}.resources", ("storage",), limits=False)
    if (get(new, "spec", "revisionHistoryLimit") or 0) < 0:
        yield ENDLESS_HISTORY


def _job_spec(spec: Raw, at: str) -> Warnings:
    indexed = spec.get("completionMode") == "Indexed"
    many = (spec.get("completions") or 0) > COMPLETIONS and (spec.get("parallelism") or 0) > PARALLELISM
    if indexed and many:
        yield f"{at}: {MANY_INDEXES}"
    yield from pod_warnings(spec.get("template") or {}, f"{at}.template.")


def _job(new: Raw, old: Raw | None) -> Warnings:
    yield from _named(new, old)
    yield from _job_spec(get(new, "spec") or {}, "spec")


def _cron_job(new: Raw, old: Raw | None) -> Warnings:
    yield from _named(new, old)
    yield from _job_spec(get(new, "spec", "jobTemplate", "spec") or {}, "spec.jobTemplate.spec")


def _ingress(new: Raw, old: Raw | None) -> Warnings:
    annotated = INGRESS_CLASS in (get(new, "metadata", "annotations") or {})
    if old is None and annotated and get(new, "spec", "ingressClassName") is None:
        yield f"annotation \"{INGRESS_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"


def _service(new: Raw, old: Raw | None) -> Warnings:  # noqa: ARG001 - all rows have one form
    hints, mode = TOPOLOGY
    if hints in (get(new, "metadata", "annotations") or {}):
        yield f"annotation {hints} is deprecated, please use {mode} instead"
    spec = get(new, "spec") or {}
    external = spec.get("type") == "ExternalName"
    if external and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not external and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'


def _claim(new: Raw, old: Raw | None) -> Warnings:  # noqa: ARG001 - all rows have one form
    yield from fractions(get(new, "spec", "resources"), "spec.resources", ("storage",), limits=False)


def _runtime_class(new: Raw, old: Raw | None) -> Warnings:  # noqa: ARG001 - all rows have one form
    for name in get(new, "scheduling", "nodeSelector") or {}:
        if name in DEPRECATED_LABELS:
            yield f"scheduling.nodeSelector: {DEPRECATED_LABELS[name]}"


def _node(new: Raw, old: Raw | None) -> Warnings:  # noqa: ARG001 - all rows have one form
    if get(new, "spec", "configSource"):
        yield "spec.configSource: the feature is removed"
    if get(new, "spec", "externalID"):
        yield "spec.externalID: this field is deprecated, and is unused by Kubernetes"


RULES: Final[Mapping[tuple[str, str], Callable[[Raw, Raw | None], Warnings]]] = {
    ("", "nodes"): _node,
    ("", "persistentvolumeclaims"): _claim,
    ("", "pods"): _pod,
    ("", "services"): _service,
    ("apps", "daemonsets"): _daemon_set,
    ("apps", "deployments"): _workload,
    ("apps", "replicasets"): _workload,
    ("apps", "statefulsets"): _stateful_set,
    ("batch", "cronjobs"): _cron_job,
    ("batch", "jobs"): _job,
    ("networking.k8s.io", "ingresses"): _ingress,
    ("node.k8s.io", "runtimeclasses"): _runtime_class,
}
"""By group and plural."""

BY_GENERATION: Final = frozenset({"apps", "batch"})
"""Groups whose objects are looked at again only where their spec has changed."""


def warnings_of(type: ResourceType, new: Raw, old: Raw | None) -> list[str]:
    """What clients are warned of when an object is written. ``old`` is None for a new one."""
    rule = RULES.get(type.key) if type.custom is None else None
    if rule is None:
        return []
    generations = [get(value, "metadata", "generation") for value in (new, old)]
    if old is not None and type.group in BY_GENERATION and generations[0] == generations[1]:
        return []
    return [*rule(new, old)]
