"""The built-in resources: which kinds are served in which versions, and how kubectl may call them.

Facts from Kubernetes 1.33: short names, categories, which kinds count generations and which only observe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from sekisho.apiserver.conversions import HOMES, conversion_of
from sekisho.apiserver.release import MINOR, VERSION
from sekisho.apiserver.strategies import STRATEGIES
from sekisho.apiserver.structs import compact, filled
from sekisho.apiserver.types import CREATE_ONLY, EVERY_VERB, PLAIN, ResourceType, ScalePaths, Subresource
from sekisho.kube.gvk import BUILT_IN, GVK, GVR, KindInfo, parse_api_version
from sekisho.kube.schema import Schema
from sekisho.kube.schema.builtin import builtin, stability
from sekisho.kube.schema.store import store

SHORT: Final[Mapping[str, tuple[str, ...]]] = {
    "configmaps": ("cm",),
    "componentstatuses": ("cs",),
    "endpoints": ("ep",),
    "events": ("ev",),
    "limitranges": ("limits",),
    "namespaces": ("ns",),
    "nodes": ("no",),
    "persistentvolumeclaims": ("pvc",),
    "persistentvolumes": ("pv",),
    "pods": ("po",),
    "replicationcontrollers": ("rc",),
    "resourcequotas": ("quota",),
    "serviceaccounts": ("sa",),
    "services": ("svc",),
    "customresourcedefinitions": ("crd", "crds"),
    "daemonsets": ("ds",),
    "deployments": ("deploy",),
    "replicasets": ("rs",),
    "statefulsets": ("sts",),
    "horizontalpodautoscalers": ("hpa",),
    "cronjobs": ("cj",),
    "certificatesigningrequests": ("csr",),
    "ingresses": ("ing",),
    "networkpolicies": ("netpol",),
    "poddisruptionbudgets": ("pdb",),
    "priorityclasses": ("pc",),
    "storageclasses": ("sc",),
    "ipaddresses": ("ip",),
}

CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        (
            "cronjobs",
            "daemonsets",
            "deployments",
            "horizontalpodautoscalers",
            "jobs",
            "pods",
            "replicasets",
            "replicationcontrollers",
            "services",
            "statefulsets",
        ),
        ("all",),
    ),
    "customresourcedefinitions": ("api-extensions",),
    "apiservices": ("api-extensions",),
    "mutatingwebhookconfigurations": ("api-extensions",),
    "validatingwebhookconfigurations": ("api-extensions",),
    "validatingadmissionpolicies": ("api-extensions",),
    "validatingadmissionpolicybindings": ("api-extensions",),
}

GENERATION: Final = frozenset(
    {
        "cronjobs",
        "customresourcedefinitions",
        "daemonsets",
        "deployments",
        "endpointslices",
        "flowschemas",
        "ingresses",
        "ingressclasses",
        "jobs",
        "mutatingwebhookconfigurations",
        "networkpolicies",
        "poddisruptionbudgets",
        "pods",
        "prioritylevelconfigurations",
        "priorityclasses",
        "replicasets",
        "replicationcontrollers",
        "statefulsets",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    }
)
"""Kinds that count what their spec has been (a PriorityClass gets a 1 and keeps it)."""

REVIEWS: Final = frozenset(
    {
        "localsubjectaccessreviews",
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
        "subjectaccessreviews",
        "tokenreviews",
    }
)
"""Kinds that are questions: they can only be created, and nothing is stored."""

LEFT_OUT: Final = frozenset({"bindings", "componentstatuses", "apiservices"})
"""What there is nothing behind: no scheduler binds through the collection, no components, no aggregation."""

CONDITIONAL: Final = frozenset(
    {
        "csidrivers",
        "csinodes",
        "csistoragecapacities",
        "customresourcedefinitions",
        "leases",
        "mutatingwebhookconfigurations",
        "poddisruptionbudgets",
        "runtimeclasses",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
        "volumeattachments",
    }
)
"""Kinds whose updates must name the version that they were computed from (AllowUnconditionalUpdate)."""

DEPRECATED: Final = {
    ("", "v1", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
"""What is told with every answer about a resource in a version."""

CREATED: Final = frozenset(
    {
        "clusterrolebindings",
        "clusterroles",
        "endpoints",
        "events",
        "leases",
        "limitranges",
        "rolebindings",
        "roles",
        "runtimeclasses",
        "services",
    }
)
"""Kinds that an update makes where they are not there (AllowCreateOnUpdate)."""

_STATUS: Final = ("get", "patch", "update")
_SCALE: Final = GVK("autoscaling", "v1", "Scale")

REPLICAS: Final = ScalePaths(
    spec=("spec", "replicas"), status=("status", "replicas"), selector=("spec", "selector")
)
"""Where built-in workloads have their replicas."""

SUBRESOURCES: Final[Mapping[str, Subresource]] = {
    row.name: row
    for row in (
        Subresource(name="status", verbs=_STATUS),
        Subresource(name="scale", verbs=_STATUS, kind=_SCALE),
        Subresource(name="finalize", verbs=("update",)),
        Subresource(name="approval", verbs=_STATUS),
        Subresource(name="ephemeralcontainers", verbs=_STATUS),
        Subresource(name="resize", verbs=_STATUS),
        Subresource(name="log", verbs=("get",)),
        Subresource(name="exec", verbs=("create", "get"), kind=GVK("", "v1", "PodExecOptions")),
        Subresource(name="attach", verbs=("create", "get"), kind=GVK("", "v1", "PodAttachOptions")),
        Subresource(name="portforward", verbs=("create", "get"), kind=GVK("", "v1", "PodPortForwardOptions")),
        Subresource(name="eviction", verbs=CREATE_ONLY, kind=GVK("policy", "v1", "Eviction")),
        Subresource(name="binding", verbs=CREATE_ONLY, kind=GVK("", "v1", "Binding")),
        Subresource(name="token", verbs=CREATE_ONLY, kind=GVK("authentication.k8s.io", "v1", "TokenRequest")),
    )
}


def built_in_types() -> Iterator[ResourceType]:
    """Every built-in resource, in every version that is no alpha or beta."""
    for info in BUILT_IN.kinds():
        if info.plural in LEFT_OUT:
            continue
        served = [version for version in info.versions if _served(info, version)]
        for version in served:
            yield _type(info, version, served[0])


def _served(info: KindInfo, version: str) -> bool:
    stable = stability(version)[0] == stability("v1")[0]
    return stable and store().kind(info.group, version, info.kind, MINOR) is not None


def _type(info: KindInfo, version: str, stored: str) -> ResourceType:
    facts = store().kind(info.group, version, info.kind, MINOR)
    assert facts is not None, "only served versions come here"
    review = info.plural in REVIEWS
    strategy = STRATEGIES.get((info.group, info.plural), PLAIN)
    rows = (SUBRESOURCES[name] for name in facts.subresources if name in SUBRESOURCES)
    return ResourceType(
        group=info.group,
        version=version,
        kind=info.kind,
        plural=info.plural,
        singular=info.kind.lower(),
        namespaced=info.namespaced,
        verbs=CREATE_ONLY if review else EVERY_VERB,
        short_names=SHORT.get(info.plural, ()) if info.group != "events.k8s.io" else ("ev",),
        categories=CATEGORIES.get(info.plural, ()),
        subresources={row.name: row for row in rows},
        schema=partial(_schema, info.group, version, info.kind),
        strategy=strategy,
        versions=conversion_of(
            GVR(info.group, version, info.plural),
            info.kind,
            strategy.fields,
            partial(_shape_of, info.kind),
        ),
        home=HOMES.get((info.group, info.plural)),
        stored=stored,
        generation=info.plural in GENERATION,
        scale=REPLICAS if "scale" in facts.subresources else None,
        unconditional=info.plural not in CONDITIONAL,
        creates=info.plural in CREATED,
        warning=DEPRECATED.get((info.group, version, info.plural), ""),
    )


def _shape_of(kind: str, api_version: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What writes objects of a kind as Go writes the structs of a version."""
    group, version = parse_api_version(api_version)

    def shaped(value: Mapping[str, Any]) -> dict[str, Any]:
        schema = _schema(group, version, kind)
        return dict(filled(compact(value, schema), schema, stored=True))

    return shaped


def _schema(group: str, version: str, kind: str) -> Schema | None:
    found = builtin(VERSION).lookup(group, version, kind)
    return found.schema if found else None
