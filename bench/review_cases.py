"""The policies and Pods that ``bench/review.py`` measures: 20 templates, each with two constraints."""

from __future__ import annotations

from typing import Any

from bench.rego_cases import POLICIES, container, pod

EXEMPT = ["registry.example.com/infra/*", "busybox:1.36"]
RANGES = [{"min": 1, "max": 65_535}]

PARAMETERS: dict[str, dict[str, Any]] = {
    "capabilities": {"allowedCapabilities": ["NET_BIND_SERVICE"], "requiredDropCapabilities": ["ALL"]},
    "environment": {"words": ["PASSWORD", "TOKEN", "SECRET"]},
    "escalation": {"exemptImages": EXEMPT},
    "host_namespaces": {"allowed": []},
    "host_paths": {"allowedHostPaths": [{"pathPrefix": "/var/log", "readOnly": True}]},
    "host_ports": {"hostNetwork": False, "min": 8_000, "max": 9_000},
    "image_names": {"pattern": "^registry[.]example[.]com/[a-z0-9/_-]+(:[a-z0-9._-]+|@sha256:[0-9a-f]{64})$"},
    "labels": {
        "labels": [
            {"key": "owner", "allowedRegex": "^[a-z]+[.]example[.]com$"},
            {"key": "app", "allowedRegex": ""},
        ]
    },
    "limits": {"cpu": "500m", "memory": "1Gi", "exemptImages": EXEMPT},
    "privileged": {"exemptImages": EXEMPT},
    "probes": {
        "probes": ["readinessProbe", "livenessProbe"],
        "probeTypes": ["tcpSocket", "httpGet", "exec"],
    },
    "ratio": {"ratio": "2"},
    "read_only_root": {},
    "repos": {"repos": ["registry.example.com/", "gcr.io/example/"]},
    "requests": {"resources": ["cpu", "memory"], "memory": "1Gi"},
    "service_account_token": {},
    "sysctls": {"forbidden": ["kernel.*", "net.ipv4.ip_*"]},
    "tags": {"tags": ["latest", "dev"]},
    "users": {
        "runAsUser": {"rule": "MustRunAsNonRoot", "ranges": RANGES},
        "runAsGroup": {"rule": "MustRunAs", "ranges": RANGES},
    },
    "volume_types": {"volumes": ["configMap", "secret", "emptyDir", "projected"]},
}
"""The parameters of each template's constraints; its Rego is in ``policies``."""

MATCHES: tuple[dict[str, Any], ...] = (
    {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]},
    {
        "kinds": [{"apiGroups": ["*"], "kinds": ["Pod", "Deployment"]}],
        "excludedNamespaces": ["kube-*"],
        "labelSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
    },
)
"""How the two constraints of a template match; both match the Pods."""


def kind_of(name: str) -> str:
    """``host_paths`` → ``BenchHostPaths``."""
    return "Bench" + "".join(part.title() for part in name.split("_"))


def template(name: str) -> dict[str, Any]:
    """The ConstraintTemplate of a policy."""
    text = (POLICIES / f"{name}.rego").read_text(encoding="utf-8")
    kind = kind_of(name)
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    source = {"version": "v1", "rego": text.replace("package template", f"package {kind.lower()}", 1)}
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}, "validation": {"openAPIV3Schema": schema}}},
            "targets": [
                {
                    "target": "admission.k8s.gatekeeper.sh",
                    "code": [{"engine": "Rego", "source": source}],
                }
            ],
        },
    }


def constraints(name: str) -> list[dict[str, Any]]:
    """The constraints of a policy."""
    return [
        {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": kind_of(name),
            "metadata": {"name": f"{kind_of(name).lower()}-{number}"},
            "spec": {"match": match, "parameters": PARAMETERS[name]},
        }
        for number, match in enumerate(MATCHES)
    ]


def pods() -> dict[str, dict[str, Any]]:
    """A Pod that nothing is wrong with, and one that breaks most of the policies."""
    good = pod(container("web"), container("proxy"), container("metrics"), automountServiceAccountToken=False)
    bare = container("web", image="docker.io/library/web", resources={})
    del bare["livenessProbe"]
    bare["ports"] = [{"containerPort": 80, "hostPort": 80}]
    bare["env"].append({"name": "DB_PASSWORD", "value": "hunter2"})
    bare["securityContext"] = {"privileged": True, "capabilities": {"add": ["NET_ADMIN"]}, "runAsUser": 0}
    bad = pod(bare, container("proxy"), container("metrics"), hostNetwork=True)
    bad["metadata"]["labels"] = {"team": "shop"}
    bad["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/var/run/docker.sock"}})
    bad["spec"]["securityContext"] = {"sysctls": [{"name": "kernel.shm", "value": "1"}]}
    return {"clean": good, "in breach": bad}
