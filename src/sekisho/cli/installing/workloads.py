"""The Pods of the guard: nothing to write to, nobody privileged, bounded, probed, spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sekisho.cli.installing.access import CONTROLLER, WEBHOOK

if TYPE_CHECKING:
    from sekisho.cli.installing.wanted import Wanted

PORT: Final = 8443
HEALTH: Final = 9090
METRICS: Final = 8888
SERVICE_PORT: Final = 443

USER: Final = 65532
"""Nobody in particular: the number that distroless images use."""

GRACE: Final = 60
DRAIN: Final = 10
"""Seconds: Endpoints take some to forget a Pod, and requests under way are answered."""

LABEL: Final = "app.kubernetes.io/name"
COMPONENT: Final = "app.kubernetes.io/component"

RESTRICTED: Final[Mapping[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def workloads(wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Service, Deployments and the disruption budget."""
    yield _service(wanted)
    common = ["serve", "--namespace", wanted.namespace]
    registered = wanted.registered
    controller = f"system:serviceaccount:{wanted.namespace}:{CONTROLLER}"
    webhook = [
        *(*common, "--only", "webhook", "--service-account", WEBHOOK, "--admin-user", controller),
        *("--service-name", registered.service, "--port", str(PORT)),
        *("--validating-webhook-configuration-name", registered.validating),
        *("--mutating-webhook-configuration-name", registered.mutating),
        *("--webhook-failure-policy", registered.failure, "--webhook-timeout", str(registered.seconds)),
        *("--shutdown-delay", str(DRAIN)),
        *(word for name in wanted.exempt for word in ("--exempt-namespace", name)),
        *(("--log-denies",) if wanted.log_denies else ()),
    ]
    yield _deployment(wanted, "webhook", WEBHOOK, webhook, wanted.replicas)
    audit = ["--only", "status,audit", "--service-account", CONTROLLER]
    yield _deployment(wanted, "controller", CONTROLLER, [*common, *audit], 1)
    yield {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "sekisho-webhook", "namespace": wanted.namespace},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": _labels("webhook")}},
    }


def _labels(component: str) -> dict[str, str]:
    return {LABEL: "sekisho", COMPONENT: component}


def _service(wanted: Wanted) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": wanted.registered.service, "namespace": wanted.namespace},
        "spec": {
            "selector": _labels("webhook"),
            "ports": [{"name": "https", "port": SERVICE_PORT, "protocol": "TCP", "targetPort": "webhook"}],
        },
    }


def _deployment(
    wanted: Wanted, component: str, account: str, args: Sequence[str], replicas: int
) -> dict[str, Any]:
    labels = _labels(component)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"sekisho-{component}", "namespace": wanted.namespace, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": _pod(wanted, component, account, args)},
        },
    }


def _pod(wanted: Wanted, component: str, account: str, args: Sequence[str]) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "serviceAccountName": account,
        "priorityClassName": "system-cluster-critical",
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": {
            "fsGroup": USER,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(wanted, component, args)],
        # Programs that are compiled are kept between restarts of the container, and nowhere else.
        "volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "256Mi"}}],
    }
    if component == "webhook":
        pod["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _labels(component)},
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ]
    return pod


def _container(wanted: Wanted, component: str, args: Sequence[str]) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": component,
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "args": list(args),
        "env": [
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            {"name": "XDG_CACHE_HOME", "value": "/cache"},
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "securityContext": dict(RESTRICTED),
        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
    }
    if component == "webhook":
        container["ports"] = [
            {"name": "webhook", "containerPort": PORT, "protocol": "TCP"},
            {"name": "health", "containerPort": HEALTH, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS, "protocol": "TCP"},
        ]
        container["readinessProbe"] = _probe("/readyz", 5)
        container["livenessProbe"] = _probe("/healthz", 15)
        # Policies are compiled once, and that may take a while on a small node.
        container["startupProbe"] = {**_probe("/healthz", 5), "failureThreshold": 24}
    return container


def _probe(path: str, period: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "health"}, "periodSeconds": period, "timeoutSeconds": 2}
