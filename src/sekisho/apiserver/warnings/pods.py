"""Warnings about a Pod or a template of one (``pkg/api/pod/warnings.go``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.validation.fields import Raw, get, numbered
from sekisho.apiserver.warnings.volumes import volume_warnings
from sekisho.kube.names import label_value
from sekisho.kube.quantity import QuantityError, parse
from sekisho.lang.golang.gotext import quote

Warnings = Iterator[str]
At = tuple[str, Raw]
"""An object with its path."""

DEPRECATED_LABELS: Final[Mapping[str, str]] = {
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
}
"""Labels of Nodes."""

DEPRECATED_ANNOTATIONS: Final[Mapping[str, str]] = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
}
NULL_SELECTOR: Final = "a null labelSelector results in matching no pod"
SECCOMP: Final = 'non-functional in v1.27+; use the "seccompProfile" field instead'
SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR: Final = 'deprecated since v1.30; use the "appArmorProfile" field instead'
APPARMOR_CONTAINER: Final = "container.apparmor.security.beta.kubernetes.io/"
BYTES: Final = ("memory", "ephemeral-storage")
"""Resources that are counted in bytes."""

_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def pod_warnings(pod: Raw, at: str) -> Warnings:
    """Warnings about a Pod or a template; ``at`` is where it stands, empty or ending in a point."""
    spec, annotations = get(pod, "spec") or {}, get(pod, "metadata", "annotations") or {}
    where = f"{at}spec"
    yield from _node_labels(spec, where)
    for name, text in DEPRECATED_ANNOTATIONS.items():
        if name in annotations:
            yield f"{at}metadata.annotations[{name}]: {text}"
    yield from volume_warnings(spec, where)
    yield from _doubled(spec, where)
    yield from _fractional(spec.get("overhead"), f"{where}.overhead", BYTES)
    if SECCOMP_POD in annotations and not get(spec, "securityContext", "seccompProfile"):
        yield f"{at}metadata.annotations[{SECCOMP_POD}]: {SECCOMP}"
    containers = list(_containers(spec, where))
    for row_at, row in containers:
        yield from _profiles(spec, row, annotations, at)
        yield from fractions(row.get("resources"), f"{row_at}.resources", BYTES)
        yield from _environment(row, row_at)
    yield from _ports(containers)
    yield from _port_names(containers)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        why = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{where}.terminationGracePeriodSeconds: {why}"
    yield from _affinity(spec, where)


def _containers(spec: Raw, at: str) -> Iterator[At]:
    for name in ("initContainers", "containers", "ephemeralContainers"):
        yield from numbered(spec, name, at=f"{at}.{name}")


def _node_labels(spec: Raw, at: str) -> Warnings:
    for name in spec.get("nodeSelector") or {}:
        if name in DEPRECATED_LABELS:
            yield f"{at}.nodeSelector[{name}]: {DEPRECATED_LABELS[name]}"
    node, here = get(spec, "affinity", "nodeAffinity"), f"{at}.affinity.nodeAffinity"
    terms = f"{here}.{_REQUIRED}.nodeSelectorTerms"
    for term_at, term in numbered(node, _REQUIRED, "nodeSelectorTerms", at=terms):
        yield from _term(term, term_at, values=False)
    for term_at, term in numbered(node, _PREFERRED, at=f"{here}.{_PREFERRED}"):
        yield from _term(term.get("preference") or {}, f"{term_at}.preference", values=True)
    for row_at, row in numbered(spec, "topologySpreadConstraints", at=f"{at}.topologySpreadConstraints"):
        key = row.get("topologyKey", "")
        if key in DEPRECATED_LABELS:
            yield f"{row_at}.topologyKey: {key} is {DEPRECATED_LABELS[key]}"
        if row.get("labelSelector") is None:
            yield f"{row_at}.labelSelector: {NULL_SELECTOR}"


def _term(term: Raw, at: str, *, values: bool) -> Warnings:
    for row_at, row in numbered(term, "matchExpressions", at=f"{at}.matchExpressions"):
        key = row.get("key", "")
        if key in DEPRECATED_LABELS:
            yield f"{row_at}.key: {key} is {DEPRECATED_LABELS[key]}"
        for index, value in enumerate(row.get("values") or () if values else ()):
            for why in label_value(str(value)):
                yield f"{row_at}.values[{index}]: {value} is invalid, {why}"


def _doubled(spec: Raw, at: str) -> Warnings:
    for list_name, name, what in (("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")):
        seen = set[str]()
        for row_at, row in numbered(spec, list_name, at=f"{at}.{list_name}"):
            value = row.get(name) or ""
            if value in seen:
                yield f"{row_at}.{name}: duplicate {what} {quote(value)}"
            seen.add(value)
    for row_at, row in numbered(spec, "imagePullSecrets", at=f"{at}.imagePullSecrets"):
        if not row.get("name"):
            yield f'{row_at}.name: invalid empty name ""'


def fractions(resources: Any, at: str, names: Sequence[str], *, limits: bool = True) -> Warnings:
    """Amounts of bytes that are no whole ones; limits are looked at before requests where ``limits``."""
    kinds = ("limits", "requests") if limits else ("requests", "limits")
    for name in names:
        for kind in kinds:
            yield from _fractional(get(resources, kind), f"{at}.{kind}", (name,))


def _fractional(amounts: Any, at: str, names: Sequence[str]) -> Warnings:
    for name in names:
        value = get(amounts, name)
        try:
            amount = parse(str(value)) if value is not None else None
        except QuantityError:
            continue
        if amount is not None and (amount.value * 1000) % 1000 >= 1:
            text = quote(amount.canonical())
            yield f"{at}[{name}]: fractional byte value {text} is invalid, must be an integer"


def _profiles(spec: Raw, container: Raw, annotations: Raw, at: str) -> Warnings:
    name = container.get("name", "")
    key = f"{SECCOMP_CONTAINER}{name}"
    if key in annotations and not get(container, "securityContext", "seccompProfile"):
        yield f"{at}metadata.annotations[{key}]: {SECCOMP}"
    key = f"{APPARMOR_CONTAINER}{name}"
    there = any(get(row, "securityContext", "appArmorProfile") for row in (spec, container))
    if at and key in annotations and not there:
        yield f"{at}metadata.annotations[{key}]: {APPARMOR}"


def _environment(container: Raw, at: str) -> Warnings:
    seen = set[str]()
    for row_at, row in numbered(container, "env", at=f"{at}.env"):
        name, value = row.get("name", ""), row.get("value") or ""
        reference = f"$({name})"
        goes_on = row.get("valueFrom") is None and value != reference and reference in value
        if name in seen and not goes_on:
            why = f"hides previous definition of {quote(name)}, which may be dropped when using apply"
            yield f"{row_at}: {why}"
        seen.add(name)


def _ports(containers: Sequence[At]) -> Warnings:
    known: dict[tuple[Any, Any], list[At]] = {}
    for container_at, container in containers:
        for at, port in numbered(container, "ports", at=f"{container_at}.ports"):
            if port.get("hostIP") and not port.get("hostPort"):
                yield f"{at}: hostIP set without hostPort: {_printed(port)}"
            others = known.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for other_at, other in others:
                if word := _collision(port, other):
                    yield f"{at}: {word} port definition with {other_at}"
            others.append((at, port))


def _collision(one: Raw, other: Raw) -> str:
    """How two ports of one number and protocol collide; empty if they do not."""
    ips = [row.get("hostIP") or "" for row in (one, other)]
    ports = [row.get("hostPort") or 0 for row in (one, other)]
    if ips[0] == ips[1] and ports[0] == ports[1]:
        return "duplicate"
    if not all(ports):
        return "overlapping"
    return "dangerously ambiguous" if ports[0] == ports[1] and bool(ips[0]) != bool(ips[1]) else ""


def _printed(port: Raw) -> str:
    """A port as Go prints the struct."""
    fields = (
        ("Name", "name", ""),
        ("HostPort", "hostPort", 0),
        ("ContainerPort", "containerPort", 0),
        ("Protocol", "protocol", ""),
        ("HostIP", "hostIP", ""),
    )
    return "{" + " ".join(f"{shown}:{port.get(name, zero)}" for shown, name, zero in fields) + "}"


def _port_names(containers: Sequence[At]) -> Warnings:
    known: dict[str, str] = {}
    for container_at, container in containers:
        for at, port in numbered(container, "ports", at=f"{container_at}.ports"):
            name = port.get("name")
            if name and name in known:
                first = known[name]
                what = f"duplicate port name {quote(name)} with {first}"
                yield f"{at}: {what}, services and probes that select ports by name will use {first}"
            elif name:
                known[name] = at


def _affinity(spec: Raw, at: str) -> Warnings:
    for name in ("podAffinity", "podAntiAffinity"):
        affinity, here = get(spec, "affinity", name), f"{at}.affinity.{name}"
        for row_at, row in numbered(affinity, _REQUIRED, at=f"{here}.{_REQUIRED}"):
            if row.get("labelSelector") is None:
                yield f"{row_at}.labelSelector: {NULL_SELECTOR}"
        for row_at, row in numbered(affinity, _PREFERRED, at=f"{here}.{_PREFERRED}"):
            if get(row, "podAffinityTerm", "labelSelector") is None:
                yield f"{row_at}.podAffinityTerm.labelSelector: {NULL_SELECTOR}"
