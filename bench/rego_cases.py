"""The rules and objects that ``bench/rego.py`` measures: what people guard clusters with."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POLICIES = Path(__file__).with_name("policies")
INVENTORY = 1_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy, its parameters, an object that breaks it, one that does not, and the inventory it reads."""

    name: str
    text: str
    inputs: tuple[Any, Any]
    data: Any


def container(name: str, **fields: Any) -> dict[str, Any]:
    """A container as people write them."""
    base: dict[str, Any] = {
        "name": name,
        "image": f"registry.example.com/team/{name}:1.4.2",
        "args": ["--listen", ":8080", "--log-level", "info"],
        "env": [{"name": f"SETTING_{n}", "value": f"value-{n}"} for n in range(6)],
        "ports": [{"name": "http", "containerPort": 8080}],
        "resources": {
            "limits": {"cpu": "200m", "memory": "512Mi"},
            "requests": {"cpu": "100m", "memory": "256Mi"},
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}, "periodSeconds": 10},
        "securityContext": {
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": True}],
    }
    return {**base, **fields}


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-7f9c",
            "namespace": "shop",
            "labels": {"app": "web", "team": "shop", "tier": "front", "owner": "shop.example.com"},
            "annotations": {"checksum/config": "0f343b0931126a20f133d67c2b018a3b"},
        },
        "spec": {
            "serviceAccountName": "web",
            "containers": list(containers),
            "initContainers": [container("migrate")],
            "volumes": [{"name": "config", "configMap": {"name": "web"}}],
            **spec,
        },
    }


def ingress(number: int, host: str) -> dict[str, Any]:
    """An Ingress."""
    rules = [{"host": host, "http": {"paths": [{"path": "/", "backend": {"service": {"name": "web"}}}]}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": f"ingress-{number}", "namespace": f"team-{number % 20}"},
        "spec": {"rules": rules},
    }


def plain(kind: str, group_version: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Any other object."""
    metadata = {"name": "web", "namespace": "shop", "labels": {"app": "web"}}
    return {"apiVersion": group_version, "kind": kind, "metadata": metadata, "spec": spec}


def request(item: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """What Gatekeeper makes of an object under audit."""
    group, _, version = item["apiVersion"].rpartition("/")
    review = {
        "kind": {"group": group, "version": version, "kind": item["kind"]},
        "name": item["metadata"]["name"],
        "namespace": item["metadata"]["namespace"],
        "namespaceObject": {},
        "object": item,
        "oldObject": None,
        "operation": "",
        "options": None,
        "resource": {"group": "", "version": "", "resource": ""},
        "uid": "",
        "userInfo": {},
    }
    return {"review": review, "parameters": parameters}


def inventory() -> dict[str, Any]:
    """A cluster with a thousand Ingresses in twenty namespaces."""
    namespaces: dict[str, Any] = {}
    for number in range(INVENTORY):
        item = ingress(number, f"host-{number}.example.com")
        kinds = namespaces.setdefault(item["metadata"]["namespace"], {}).setdefault(
            "networking.k8s.io/v1", {}
        )
        kinds.setdefault("Ingress", {})[item["metadata"]["name"]] = item
    return {"inventory": {"namespace": namespaces, "cluster": {}}}


def rules() -> list[Rule]:
    """All rules."""
    good = pod(container("web"), container("proxy"), container("metrics"))
    bare = container("web", image="docker.io/library/web", resources={}, securityContext={"privileged": True})
    del bare["livenessProbe"]
    bare["ports"] = [{"containerPort": 80, "hostPort": 80}]
    bare["securityContext"] = {"privileged": True, "capabilities": {"add": ["NET_ADMIN"]}, "runAsUser": 0}
    bad = pod(bare, container("proxy"), container("metrics"), hostNetwork=True)
    bad["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/var/run/docker.sock"}})
    safe = copy.deepcopy(good)
    safe["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/var/log/app"}})
    nameless = copy.deepcopy(bad)
    del nameless["metadata"]["labels"]["owner"]
    node_port, cluster_ip = (
        plain("Service", "v1", {"type": kind, "selector": {"app": "web"}, "ports": [{"port": 80}]})
        for kind in ("NodePort", "ClusterIP")
    )
    many, few = (plain("Deployment", "apps/v1", {"replicas": count}) for count in (50, 3))
    taken, free = ingress(1_001, "host-7.example.com"), ingress(1_001, "new.example.com")
    secure = copy.deepcopy(free)
    secure["spec"]["tls"] = [{"hosts": ["new.example.com"], "secretName": "tls"}]
    secure["metadata"]["annotations"] = {"kubernetes.io/ingress.allow-http": "false"}
    ranges = [{"min": 1, "max": 65_535}]
    cases: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        (
            "labels",
            {
                "labels": [
                    {"key": "owner", "allowedRegex": "^[a-z]+[.]example[.]com$"},
                    {"key": "app", "allowedRegex": ""},
                ]
            },
            nameless,
            good,
        ),
        ("repos", {"repos": ["registry.example.com/", "gcr.io/example/"]}, bad, good),
        (
            "limits",
            {"cpu": "500m", "memory": "1Gi", "exemptImages": ["registry.example.com/infra/*"]},
            bad,
            good,
        ),
        (
            "probes",
            {"probes": ["readinessProbe", "livenessProbe"], "probeTypes": ["tcpSocket", "httpGet", "exec"]},
            bad,
            good,
        ),
        (
            "host_paths",
            {"allowedHostPaths": [{"pathPrefix": "/var/log", "readOnly": True}, {"pathPrefix": "/etc/ssl"}]},
            bad,
            safe,
        ),
        ("ingress_unique", {}, taken, free),
        ("privileged", {"exemptImages": ["registry.example.com/infra/*", "busybox:1.36"]}, bad, good),
        (
            "capabilities",
            {
                "allowedCapabilities": ["NET_BIND_SERVICE"],
                "requiredDropCapabilities": ["NET_RAW", "SYS_ADMIN"],
            },
            bad,
            good,
        ),
        (
            "replicas",
            {"ranges": [{"min_replicas": 2, "max_replicas": 5}, {"min_replicas": 8, "max_replicas": 10}]},
            many,
            few,
        ),
        ("tags", {"tags": ["latest", "dev"]}, bad, good),
        ("node_port", {}, node_port, cluster_ip),
        ("host_ports", {"hostNetwork": False, "min": 8_000, "max": 9_000}, bad, good),
        ("read_only_root", {}, bad, good),
        ("https_only", {}, free, secure),
        (
            "users",
            {
                "runAsUser": {"rule": "MustRunAsNonRoot", "ranges": ranges},
                "runAsGroup": {"rule": "MustRunAs", "ranges": ranges},
            },
            bad,
            good,
        ),
    ]
    return [
        Rule(
            name,
            (POLICIES / f"{name}.rego").read_text(encoding="utf-8"),
            (request(broken, parameters), request(fine, parameters)),
            inventory() if name == "ingress_unique" else {},
        )
        for name, parameters, broken, fine in cases
    ]
