"""The columns of core kinds: namespaces, nodes, services, volumes, events and their like."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from sekisho.apiserver.tables.cells import (
    NONE,
    UNKNOWN,
    UNSET,
    Raw,
    age,
    at,
    at_most,
    condition,
    created,
    labels,
    number,
    quantity,
    rows,
    text,
)
from sekisho.apiserver.types import Column

NAME: Final = Column(name="Name", format="name")
AGE: Final = Column(name="Age")


def _name(value: Raw) -> str:
    return text(value, "metadata", "name")


NAMESPACE: Final = (NAME, Column(name="Status"), AGE)


def namespace(value: Raw) -> list[Any]:
    """A Namespace."""
    return [_name(value), text(value, "status", "phase"), created(value)]


CONFIG_MAP: Final = (NAME, Column(name="Data"), AGE)


def config_map(value: Raw) -> list[Any]:
    """A ConfigMap."""
    return [_name(value), len(at(value, "data") or ()) + len(at(value, "binaryData") or ()), created(value)]


SECRET: Final = (NAME, Column(name="Type"), Column(name="Data"), AGE)


def secret(value: Raw) -> list[Any]:
    """A Secret."""
    return [_name(value), text(value, "type"), len(at(value, "data") or ()), created(value)]


SERVICE_ACCOUNT: Final = (NAME, Column(name="Secrets"), AGE)


def service_account(value: Raw) -> list[Any]:
    """A ServiceAccount."""
    return [_name(value), len(rows(value, "secrets")), created(value)]


NODE: Final = (
    NAME,
    Column(name="Status"),
    Column(name="Roles"),
    AGE,
    Column(name="Version"),
    Column(name="Internal-IP", priority=1),
    Column(name="External-IP", priority=1),
    Column(name="OS-Image", priority=1),
    Column(name="Kernel-Version", priority=1),
    Column(name="Container-Runtime", priority=1),
)
ROLE_PREFIX: Final = "node-role.kubernetes.io/"
ROLE_LABEL: Final = "kubernetes.io/role"


def node(value: Raw) -> list[Any]:
    """A Node."""
    ready = condition(rows(value, "status", "conditions"), "Ready")
    words = ["Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"]
    if at(value, "spec", "unschedulable") is True:
        words.append("SchedulingDisabled")
    info = at(value, "status", "nodeInfo")
    return [
        _name(value),
        ",".join(words),
        ",".join(_roles(value)) or NONE,
        created(value),
        text(info, "kubeletVersion"),
        _address(value, "InternalIP"),
        _address(value, "ExternalIP"),
        text(info, "osImage", default=UNKNOWN),
        text(info, "kernelVersion", default=UNKNOWN),
        text(info, "containerRuntimeVersion", default=UNKNOWN),
    ]


def _roles(value: Raw) -> list[str]:
    found = set()
    for key, word in (at(value, "metadata", "labels") or {}).items():
        role = (
            key.removeprefix(ROLE_PREFIX)
            if key.startswith(ROLE_PREFIX)
            else word
            if key == ROLE_LABEL
            else ""
        )
        if role:
            found.add(role)
    return sorted(found)


def _address(value: Raw, type: str) -> str:
    return text(condition(rows(value, "status", "addresses"), type), "address", default=NONE)


SERVICE: Final = (
    NAME,
    Column(name="Type"),
    Column(name="Cluster-IP"),
    Column(name="External-IP"),
    Column(name="Port(s)"),
    AGE,
    Column(name="Selector", priority=1),
)


def service(value: Raw) -> list[Any]:
    """A Service."""
    spec = at(value, "spec")
    return [
        _name(value),
        text(spec, "type"),
        next(iter(at(spec, "clusterIPs") or ()), NONE),
        _external(value),
        ",".join(_port(row) for row in rows(spec, "ports")) or NONE,
        created(value),
        labels(at(spec, "selector")),
    ]


def _external(value: Raw) -> str:
    spec, type = at(value, "spec"), text(value, "spec", "type")
    given = ",".join(at(spec, "externalIPs") or ())
    if type in ("ClusterIP", "NodePort"):
        return given or NONE
    if type == "LoadBalancer":
        return ",".join(part for part in (load_balancer(value), given) if part) or "<pending>"
    return text(spec, "externalName") if type == "ExternalName" else UNKNOWN


def load_balancer(value: Raw) -> str:
    """The addresses of a load balancer."""
    found = rows(value, "status", "loadBalancer", "ingress")
    return ",".join(sorted({text(row, "ip") or text(row, "hostname") for row in found} - {""}))


def _port(row: Raw) -> str:
    node_port = number(row, "nodePort")
    middle = f":{node_port}" if node_port > 0 else ""
    return f"{number(row, 'port')}{middle}/{text(row, 'protocol')}"


ENDPOINTS: Final = (NAME, Column(name="Endpoints"), AGE)
MOST: Final = 3


def endpoints(value: Raw) -> list[Any]:
    """An Endpoints object."""
    found = []
    for subset in rows(value, "subsets"):
        addresses = [text(row, "ip") for row in rows(subset, "addresses")]
        ports = rows(subset, "ports")
        if not ports:
            found += addresses
        for port in ports:
            found += [_host_port(row, number(port, "port")) for row in addresses]
    return [
        _name(value),
        at_most(found, len(found), MOST, nothing=NONE if not rows(value, "subsets") else ""),
        created(value),
    ]


def _host_port(address: str, port: int) -> str:
    try:
        brackets = ipaddress.ip_address(address).version == 6
    except ValueError:
        brackets = ":" in address
    return f"[{address}]:{port}" if brackets else f"{address}:{port}"


EVENT: Final = (
    Column(name="Last Seen"),
    Column(name="Type"),
    Column(name="Reason"),
    Column(name="Object"),
    Column(name="Subobject", priority=1),
    Column(name="Source", priority=1),
    Column(name="Message"),
    Column(name="First Seen", priority=1),
    Column(name="Count", priority=1),
    Column(name="Name", format="name", priority=1),
)


def event(value: Raw) -> list[Any]:
    """An Event of either group."""
    about = at(value, "involvedObject") or at(value, "regarding") or {}
    first = at(value, "firstTimestamp") or at(value, "deprecatedFirstTimestamp") or at(value, "eventTime")
    last = at(value, "lastTimestamp") or at(value, "deprecatedLastTimestamp") or first
    count = number(value, "count") or number(value, "deprecatedCount") or 1
    if at(value, "series") is not None:
        last, count = at(value, "series", "lastObservedTime"), number(value, "series", "count")
    source = at(value, "source") or at(value, "deprecatedSource")
    component = (
        text(source, "component") or text(value, "reportingComponent") or text(value, "reportingController")
    )
    instance = text(source, "host") or text(value, "reportingInstance")
    kind, name = text(about, "kind").lower(), text(about, "name")
    return [
        age(last),
        text(value, "type"),
        text(value, "reason"),
        f"{kind}/{name}" if name else kind,
        text(about, "fieldPath"),
        f"{component}, {instance}" if instance else component,
        (text(value, "message") or text(value, "note")).strip(),
        age(first),
        count,
        _name(value),
    ]


VOLUME: Final = (
    NAME,
    Column(name="Capacity"),
    Column(name="Access Modes"),
    Column(name="Reclaim Policy"),
    Column(name="Status"),
    Column(name="Claim"),
    Column(name="StorageClass"),
    Column(name="VolumeAttributesClass"),
    Column(name="Reason"),
    AGE,
    Column(name="VolumeMode", priority=1),
)
CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"
_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _modes(found: Any) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (found or ()))


def _class(value: Raw) -> str:
    old = (at(value, "metadata", "annotations") or {}).get(CLASS_ANNOTATION)
    return old if isinstance(old, str) else text(value, "spec", "storageClassName")


def _phase(value: Raw) -> str:
    return "Terminating" if at(value, "metadata", "deletionTimestamp") else text(value, "status", "phase")


def volume(value: Raw) -> list[Any]:
    """A PersistentVolume."""
    spec, claim = at(value, "spec"), at(value, "spec", "claimRef")
    return [
        _name(value),
        quantity(at(spec, "capacity", "storage")),
        _modes(at(spec, "accessModes")),
        text(spec, "persistentVolumeReclaimPolicy"),
        _phase(value),
        "" if claim is None else f"{text(claim, 'namespace')}/{text(claim, 'name')}",
        _class(value),
        text(spec, "volumeAttributesClassName", default=UNSET),
        text(value, "status", "reason"),
        created(value),
        text(spec, "volumeMode", default=UNSET),
    ]


CLAIM: Final = (
    NAME,
    Column(name="Status"),
    Column(name="Volume"),
    Column(name="Capacity"),
    Column(name="Access Modes"),
    Column(name="StorageClass"),
    Column(name="VolumeAttributesClass"),
    AGE,
    Column(name="VolumeMode", priority=1),
)


def claim(value: Raw) -> list[Any]:
    """A PersistentVolumeClaim; size and modes are those of its volume."""
    spec, bound = at(value, "spec"), text(value, "spec", "volumeName")
    return [
        _name(value),
        _phase(value),
        bound,
        quantity(at(value, "status", "capacity", "storage")) if bound else "",
        _modes(at(value, "status", "accessModes")) if bound else "",
        _class(value),
        text(spec, "volumeAttributesClassName", default=UNSET),
        created(value),
        text(spec, "volumeMode", default=UNSET),
    ]


QUOTA: Final = (NAME, Column(name="Request"), Column(name="Limit"), AGE)


def quota(value: Raw) -> list[Any]:
    """A ResourceQuota; resources that begin with ``limits.`` stand apart."""
    hard, used = at(value, "status", "hard") or {}, at(value, "status", "used") or {}
    parts: dict[bool, list[str]] = {False: [], True: []}
    for name in sorted(hard):
        limit = name.startswith("limits.")
        parts[limit].append(f"{name}: {quantity(used.get(name))}/{quantity(hard[name])}")
    return [_name(value), ", ".join(parts[False]), ", ".join(parts[True]), created(value)]
