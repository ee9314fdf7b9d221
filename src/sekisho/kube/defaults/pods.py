"""The defaults of pod specs (Kubernetes ``pkg/apis/core/v1/defaults.go`` and its generated companion).

Left out: what a feature gate that is off by default adds, and pod-level requests, which are sums over
containers that admission may still change.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sekisho.kube.defaults.shape import Raw, Shape, each, one

_EMPTY: Final[Raw] = {}
_MODE: Final = 0o644
"""The mode of files that a volume projects."""

_NAME: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?)*(?::\d+)?/)?"
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*",
    re.ASCII,
)


def pull_policy(image: Any) -> str:
    """What ``imagePullPolicy`` becomes: Always for the tag latest, spoken or not, else IfNotPresent."""
    if not isinstance(image, str):
        return "IfNotPresent"
    name, _, digest = image.partition("@")
    colon = name.rfind(":")
    tag = ""
    if colon > name.rfind("/"):
        name, tag = name[:colon], name[colon + 1 :]
    if tag != "latest" and (tag or digest):
        return "IfNotPresent"
    return "Always" if _NAME.fullmatch(name) else "IfNotPresent"


def _container(container: Raw) -> Raw:
    if container.get("imagePullPolicy"):
        return container
    return {**container, "imagePullPolicy": pull_policy(container.get("image"))}


def _pod_container(container: Raw) -> Raw:
    """In a Pod itself, not in a template, limits are the requests that are not there."""
    container = _container(container)
    resources = container.get("resources")
    if not isinstance(resources, dict) or not isinstance(limits := resources.get("limits"), dict):
        return container
    requests = resources.get("requests")
    requests = requests if isinstance(requests, dict) else {}
    missing = {name: amount for name, amount in limits.items() if name not in requests}
    if not missing:
        return container
    return {**container, "resources": {**resources, "requests": {**requests, **missing}}}


def _volume(volume: Raw) -> Raw:
    if all(value is None for name, value in volume.items() if name != "name"):
        return {**volume, "emptyDir": _EMPTY}
    image = volume.get("image")
    if isinstance(image, dict) and not image.get("pullPolicy"):
        return {**volume, "image": {**image, "pullPolicy": pull_policy(image.get("reference"))}}
    return volume


def _service_account(spec: Raw) -> Raw:
    """``serviceAccount`` is the old name of ``serviceAccountName``; the two are kept equal."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if not name or (spec.get("serviceAccountName") == name and spec.get("serviceAccount") == name):
        return spec
    return {**spec, "serviceAccountName": name, "serviceAccount": name}


def _pod(spec: Raw) -> Raw:
    spec = _service_account(spec)
    grace = spec.get("terminationGracePeriodSeconds")
    if isinstance(grace, int) and grace < 0:
        spec = {**spec, "terminationGracePeriodSeconds": 1}
    if spec.get("hostNetwork") is True:
        for name in ("containers", "initContainers"):
            containers = spec.get(name)
            if isinstance(containers, list):
                new = [_host_ports(container) for container in containers]
                if any(a is not b for a, b in zip(new, containers, strict=True)):
                    spec = {**spec, name: new}
    return spec


def _host_ports(container: Any) -> Any:
    """On the host's network the port of a container is the host's."""
    ports = container.get("ports") if isinstance(container, dict) else None
    if not isinstance(ports, list):
        return container
    new = [
        {**port, "hostPort": port["containerPort"]}
        if isinstance(port, dict) and not port.get("hostPort") and port.get("containerPort")
        else port
        for port in ports
    ]
    return container if all(a is b for a, b in zip(new, ports, strict=True)) else {**container, "ports": new}


_FIELD_REF: Final = one(Shape(zero={"apiVersion": "v1"}))
_RESOURCE_REF: Final = one(Shape(absent={"divisor": "0"}))
_HTTP_GET: Final = one(Shape(zero={"path": "/", "scheme": "HTTP"}))
_PROBE: Final = one(
    Shape(
        zero={"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
        children={"httpGet": _HTTP_GET, "grpc": one(Shape(absent={"service": ""}))},
    )
)
_HANDLER: Final = one(Shape(children={"httpGet": _HTTP_GET}))
_DOWNWARD_ITEMS: Final = each(Shape(children={"fieldRef": _FIELD_REF, "resourceFieldRef": _RESOURCE_REF}))

_CONTAINER_FIELDS: Final = {
    "ports": each(Shape(zero={"protocol": "TCP"})),
    "env": each(
        Shape(
            children={
                "valueFrom": one(
                    Shape(
                        children={
                            "fieldRef": _FIELD_REF,
                            "resourceFieldRef": _RESOURCE_REF,
                            "fileKeyRef": one(Shape(absent={"optional": False})),
                        }
                    )
                )
            }
        )
    ),
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
    "lifecycle": one(Shape(children={"postStart": _HANDLER, "preStop": _HANDLER})),
}
_CONTAINER_ZERO: Final = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_CONTAINER_ABSENT: Final = {"resources": _EMPTY}
"""Not a default but a struct: the server writes it out whether it says anything or not."""

_CONTAINERS: Final = each(Shape(_CONTAINER_ABSENT, _CONTAINER_ZERO, _container, _CONTAINER_FIELDS))
_POD_CONTAINERS: Final = each(Shape(_CONTAINER_ABSENT, _CONTAINER_ZERO, _pod_container, _CONTAINER_FIELDS))

CLAIM_SPEC: Final = Shape(absent={"volumeMode": "Filesystem"})
"""The spec of a PersistentVolumeClaim."""

VOLUME_SOURCES: Final = {
    "hostPath": one(Shape(absent={"type": ""})),
    "iscsi": one(Shape(zero={"iscsiInterface": "default"})),
    "rbd": one(Shape(zero={"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"})),
    "azureDisk": one(
        Shape(absent={"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"})
    ),
    "scaleIO": one(Shape(zero={"storageMode": "ThinProvisioned", "fsType": "xfs"})),
}
"""What volumes of pods and PersistentVolumes have in common."""

_VOLUMES: Final = each(
    Shape(
        finish=_volume,
        children={
            **VOLUME_SOURCES,
            "secret": one(Shape(absent={"defaultMode": _MODE})),
            "configMap": one(Shape(absent={"defaultMode": _MODE})),
            "downwardAPI": one(Shape(absent={"defaultMode": _MODE}, children={"items": _DOWNWARD_ITEMS})),
            "projected": one(
                Shape(
                    absent={"defaultMode": _MODE},
                    children={
                        "sources": each(
                            Shape(
                                children={
                                    "downwardAPI": one(Shape(children={"items": _DOWNWARD_ITEMS})),
                                    "serviceAccountToken": one(Shape(absent={"expirationSeconds": 3600})),
                                }
                            )
                        )
                    },
                )
            ),
            "ephemeral": one(
                Shape(
                    children={
                        "volumeClaimTemplate": one(Shape(children={"spec": one(CLAIM_SPEC, made=True)}))
                    }
                )
            ),
        },
    )
)

_SPEC_ABSENT: Final = {"securityContext": _EMPTY, "terminationGracePeriodSeconds": 30}
_SPEC_ZERO: Final = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
}

TEMPLATE_SPEC: Final = Shape(
    _SPEC_ABSENT,
    _SPEC_ZERO,
    _service_account,
    {
        "volumes": _VOLUMES,
        "initContainers": _CONTAINERS,
        "containers": _CONTAINERS,
        "ephemeralContainers": _CONTAINERS,
    },
)
"""A pod spec in a template."""

POD_SPEC: Final = Shape(
    {**_SPEC_ABSENT, "enableServiceLinks": True},
    _SPEC_ZERO,
    _pod,
    {
        "volumes": _VOLUMES,
        "initContainers": _POD_CONTAINERS,
        "containers": _POD_CONTAINERS,
        "ephemeralContainers": _CONTAINERS,
    },
)
"""The spec of a Pod itself."""

TEMPLATE: Final = Shape(children={"spec": one(TEMPLATE_SPEC, made=True)})
"""A pod template."""
