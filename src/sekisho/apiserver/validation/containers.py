"""Containers: names, images, ports, environment, resources, mounts, probes, security."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.apiserver.causes import duplicate, forbidden, invalid, not_supported, required
from sekisho.apiserver.status import Cause
from sekisho.apiserver.validation import go
from sekisho.apiserver.validation.fields import (
    NO_NAME,
    PROTOCOLS,
    Causes,
    Raw,
    amount,
    config_key,
    get,
    identity,
    label,
    not_negatives,
    numbered,
    one_of,
    port,
    port_name_problems,
    rows,
    subdomain,
)
from sekisho.kube.names import label_key
from sekisho.kube.quantity import QuantityError, parse

PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
PROPAGATIONS: Final = ("Bidirectional", "HostToContainer", "None")
SCHEMES: Final = ("HTTP", "HTTPS")
PROC_MOUNTS: Final = ("Default", "Unmasked")
PROFILES: Final = ("Localhost", "RuntimeDefault", "Unconfined")


@dataclass(slots=True, kw_only=True)
class Around:
    """What the containers of a Pod know of each other."""

    volumes: frozenset[str] = frozenset()
    host_network: bool = False
    names: set[str] = field(default_factory=set)


def containers(spec: Raw, at: str, around: Around) -> Causes:
    """The containers of a Pod."""
    if not rows(spec, "containers"):
        yield required(f"{at}.containers")
    for here, row in numbered(spec, "containers", at=f"{at}.containers"):
        yield from _container(row, here, around)
        yield from _lifecycle(get(row, "lifecycle"), f"{here}.lifecycle")
        yield from _probes(row, here)
        yield from (
            one_of(f"{here}.restartPolicy", row.get("restartPolicy"), ()) if "restartPolicy" in row else ()
        )
    yield from _host_ports(spec, at)
    init = Around(volumes=around.volumes, host_network=around.host_network, names=around.names)
    for here, row in numbered(spec, "initContainers", at=f"{at}.initContainers"):
        yield from _container(row, here, init)
        yield from _init(row, here)


_NOT_OF_INIT: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def _init(row: Raw, at: str) -> Causes:
    yield from one_of(f"{at}.restartPolicy", row.get("restartPolicy"), ("Always",))
    if row.get("restartPolicy") == "Always":
        yield from _lifecycle(get(row, "lifecycle"), f"{at}.lifecycle")
        yield from _probes(row, at)
        return
    for name in _NOT_OF_INIT:
        if row.get(name) is not None:
            yield forbidden(f"{at}.{name}", "may not be set for init containers without restartPolicy=Always")


def _container(row: Raw, at: str, around: Around) -> Causes:
    name, image = row.get("name") or "", row.get("image") or ""
    yield from label(f"{at}.name", name, needed=True)
    if name and name in around.names:
        yield duplicate(f"{at}.name", name)
    around.names.add(name)
    if not image:
        yield required(f"{at}.image")
    elif image != image.strip():
        yield invalid(f"{at}.image", image, "must not have leading or trailing whitespace")
    policy = row.get("terminationMessagePolicy")
    yield from one_of(f"{at}.terminationMessagePolicy", policy, MESSAGE_POLICIES)
    yield from _ports(row, f"{at}.ports", around.host_network)
    yield from _environment(row, at)
    yield from _mounts(row, at, around.volumes)
    yield from one_of(f"{at}.imagePullPolicy", row.get("imagePullPolicy"), PULL_POLICIES)
    yield from resources(get(row, "resources"), f"{at}.resources")
    yield from security(get(row, "securityContext"), f"{at}.securityContext")


def _ports(row: Raw, at: str, host_network: bool) -> Causes:
    names: set[str] = set()
    for here, one in numbered(row, "ports", at=at):
        name = one.get("name") or ""
        if name:
            problems = [invalid(f"{here}.name", name, text) for text in port_name_problems(name)]
            yield from problems
            if not problems and name in names:
                yield duplicate(f"{here}.name", name)
            names.add(name)
        number, host = one.get("containerPort") or 0, one.get("hostPort") or 0
        if not number:
            yield required(f"{here}.containerPort")
        else:
            yield from port(f"{here}.containerPort", number)
        if host:
            yield from port(f"{here}.hostPort", host)
            if host_network and host != number:
                detail = "must match `containerPort` when `hostNetwork` is true"
                yield invalid(f"{here}.hostPort", host, detail)
        yield from one_of(f"{here}.protocol", one.get("protocol"), PROTOCOLS, needed=True)


def _host_ports(spec: Raw, at: str) -> Causes:
    taken: set[str] = set()
    for here, row in numbered(spec, "containers", at=f"{at}.containers"):
        for place, one in numbered(row, "ports", at=f"{here}.ports"):
            if one.get("hostPort"):
                key = f"{one.get('protocol')}/{one.get('hostIP') or ''}/{one['hostPort']}"
                if key in taken:
                    yield duplicate(f"{place}.hostPort", key)
                taken.add(key)


_ENV_NAME: Final = re.compile(r"[ -<>-~]+")
_ENV_TEXT: Final = (
    "a valid environment variable name must consist only of printable ASCII characters other than '='"
)
SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")
_FIELDS: Final = frozenset(
    {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    }
)
_LABEL_FIELD: Final = re.compile(r"metadata\.(labels|annotations)\['.*'\]")
_RESOURCES: Final = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)


def _environment(row: Raw, at: str) -> Causes:
    for here, one in numbered(row, "env", at=f"{at}.env"):
        name = one.get("name") or ""
        if not name:
            yield required(f"{here}.name")
        elif not _ENV_NAME.fullmatch(name):
            yield invalid(f"{here}.name", name, _ENV_TEXT)
        yield from _source(one, f"{here}.valueFrom")
    for here, one in numbered(row, "envFrom", at=f"{at}.envFrom"):
        given = [name for name in ("configMapRef", "secretRef") if one.get(name) is not None]
        for name in given:
            yield from subdomain(f"{here}.{name}.name", get(one, name, "name"), needed=True)
        if not given:
            yield invalid(f"{at}.envFrom", "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield invalid(f"{at}.envFrom", "", "may not have more than one field specified at a time")


def _source(one: Raw, at: str) -> Causes:
    source = one.get("valueFrom")
    if source is None:
        return
    given = [name for name in SOURCES if get(source, name) is not None]
    if "fieldRef" in given:
        yield from field_reference(get(source, "fieldRef"), f"{at}.fieldRef")
    if "resourceFieldRef" in given:
        name = get(source, "resourceFieldRef", "resource") or ""
        here = f"{at}.resourceFieldRef.resource"
        if not name:
            yield required(here)
        elif name not in _RESOURCES and not re.match(r"(limits|requests)\.hugepages-", name):
            yield not_supported(here, name, _RESOURCES)
    for name in ("configMapKeyRef", "secretKeyRef"):
        if name in given:
            yield from _key_reference(get(source, name), f"{at}.{name}")
    if not given:
        yield invalid(
            at, "", f"must specify one of: {', '.join(f'`{n}`' for n in SOURCES[:3])} or `secretKeyRef`"
        )
    elif one.get("value"):
        yield invalid(at, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(at, "", "may not have more than one field specified at a time")


def _key_reference(reference: Any, at: str) -> Causes:
    name, key = get(reference, "name"), get(reference, "key") or ""
    yield from (
        (invalid(f"{at}.name", "", text) for text in NO_NAME) if not name else subdomain(f"{at}.name", name)
    )
    if not key:
        yield required(f"{at}.key")
    else:
        yield from config_key(f"{at}.key", key)


def field_reference(reference: Any, at: str) -> Causes:
    """A field of the Pod itself."""
    path = get(reference, "fieldPath") or ""
    if not get(reference, "apiVersion"):
        yield required(f"{at}.apiVersion")
    elif not path:
        yield required(f"{at}.fieldPath")
    elif path not in _FIELDS and not _LABEL_FIELD.fullmatch(path):
        detail = f"error converting fieldPath: field label not supported: {path}"
        yield invalid(f"{at}.fieldPath", path, detail)


STANDARD: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
HUGE: Final = "hugepages-"


def resources(value: Any, at: str) -> Causes:
    """Requests and limits."""
    limits, requests = (get(value, name) or {} for name in ("limits", "requests"))
    for name in limits:
        yield from resource(name, limits[name], f"{at}.limits[{name}]")
    for name in requests:
        here = f"{at}.requests[{name}]"
        yield from resource(name, requests[name], here)
        limit, asked = limits.get(name), amount(requests[name])
        most = amount(limit) if limit is not None else None
        if most is not None and asked is not None:
            strict = not _overcommits(name)
            if strict and asked != most:
                detail = f"must be equal to {name} limit of {_shown(limit)}"
                yield invalid(f"{at}.requests", _shown(requests[name]), detail)
            elif asked > most:
                detail = f"must be less than or equal to {name} limit of {_shown(limit)}"
                yield invalid(f"{at}.requests", _shown(requests[name]), detail)
        elif limit is None and not _overcommits(name):
            yield required(f"{at}.limits", "Limit must be set for non overcommitable resources")
    given = {*limits, *requests}
    if any(name.startswith(HUGE) for name in given) and not given & {"cpu", "memory"}:
        yield forbidden(at, "HugePages require cpu or memory")


def _overcommits(name: str) -> bool:
    return name in STANDARD or ("/" not in name and not name.startswith(HUGE))


def _shown(value: Any) -> str:
    try:
        return parse(str(value)).canonical()
    except QuantityError:
        return str(value)


def resource(name: str, value: Any, at: str) -> Causes:
    """One resource of a container."""
    yield from resource_name(
        name, at, known=lambda text: text in STANDARD or text.startswith(HUGE), what="containers"
    )
    yield from resource_amount(value, at, whole=not _divisible(name))


def _divisible(name: str) -> bool:
    return name in STANDARD


def resource_name(name: str, at: str, *, known: Any, what: str) -> Causes:
    """The name of a resource: one that is known for something, or one with a domain."""
    for text in label_key(name):
        yield _unquoted(at, name, text)
    if "/" not in name:
        if not (name in STANDARD or name.startswith(HUGE) or name in ALL_STANDARD):
            yield _unquoted(at, name, "must be a standard resource type or fully qualified")
        if not known(name):
            yield _unquoted(at, name, f"must be a standard resource for {what}")


def _unquoted(at: str, value: str, detail: str) -> Cause:
    return Cause(reason="FieldValueInvalid", message=f"Invalid value: {value}: {detail}", field=at)


ALL_STANDARD: Final = frozenset(
    {
        "configmaps",
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
        "requests.storage",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
        "storage",
    }
)


def resource_amount(value: Any, at: str, *, whole: bool) -> Causes:
    """How much of a resource."""
    found = amount(value)
    if found is None:
        return
    if found < 0:
        yield invalid(at, _shown(value), "must be greater than or equal to 0")
    if whole and found.denominator != 1:
        yield go.shown_as(at, go.quantity(value), "must be an integer")


def _mounts(row: Raw, at: str, volumes: frozenset[str]) -> Causes:
    seen: set[str] = set()
    for here, one in numbered(row, "volumeMounts", at=f"{at}.volumeMounts"):
        name, path = one.get("name") or "", one.get("mountPath") or ""
        if not name:
            yield required(f"{here}.name")
        if name not in volumes:
            yield Cause(reason="FieldValueNotFound", message=f'Not found: "{name}"', field=f"{here}.name")
        if not path:
            yield required(f"{here}.mountPath")
        elif path in seen:
            yield invalid(f"{here}.mountPath", path, "must be unique")
        seen.add(path)
        if one.get("subPath") and one.get("subPathExpr"):
            yield invalid(
                f"{here}.subPathExpr", one["subPathExpr"], "subPathExpr and subPath are mutually exclusive"
            )
        for kind in ("subPath", "subPathExpr"):
            yield from inner_path(f"{at}.volumeMounts.{kind}", one.get(kind) or "")
        propagation = one.get("mountPropagation")
        yield from one_of(f"{at}.volumeMounts.mountPropagation", propagation, PROPAGATIONS)


def inner_path(at: str, path: str) -> Causes:
    """A path inside of a volume."""
    if path.startswith("/"):
        yield invalid(at, path, "must be a relative path")
    if ".." in path.split("/"):
        yield invalid(at, path, "must not contain '..'")


def _lifecycle(value: Any, at: str) -> Causes:
    for name in ("postStart", "preStop"):
        if get(value, name) is not None:
            yield from _handler(get(value, name), f"{at}.{name}", ("exec", "httpGet", "tcpSocket", "sleep"))


PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_TIMES: Final = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def _probes(row: Raw, at: str) -> Causes:
    for name in PROBES:
        probe, here = row.get(name), f"{at}.{name}"
        if probe is None:
            continue
        yield from _handler(probe, here, ("exec", "httpGet", "tcpSocket", "grpc"))
        yield from not_negatives(here, probe, *_TIMES)
        grace = get(probe, "terminationGracePeriodSeconds")
        if name == "readinessProbe" and grace is not None:
            yield invalid(
                f"{here}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes"
            )
        elif isinstance(grace, int) and grace <= 0:
            yield invalid(f"{here}.terminationGracePeriodSeconds", grace, "must be greater than 0")
        threshold = get(probe, "successThreshold")
        if name != "readinessProbe" and threshold not in (None, 1) and threshold > 0:
            yield invalid(f"{here}.successThreshold", threshold, "must be 1")


def _handler(value: Any, at: str, kinds: Sequence[str]) -> Causes:
    given = [name for name in kinds if get(value, name) is not None]
    order = [name for name in ("exec", "httpGet", "tcpSocket", "grpc", "sleep") if name in given]
    for index, name in enumerate(order):
        if index:
            yield forbidden(f"{at}.{name}", "may not specify more than 1 handler type")
        else:
            yield from _HANDLERS[name](get(value, name), f"{at}.{name}")
    if not given:
        yield required(at, "must specify a handler type")


def _exec(value: Any, at: str) -> Causes:
    if not get(value, "command"):
        yield required(f"{at}.command")


def _http(value: Any, at: str) -> Causes:
    if not get(value, "path"):
        yield required(f"{at}.path")
    yield from port_of(get(value, "port"), f"{at}.port")
    yield from one_of(f"{at}.scheme", get(value, "scheme"), SCHEMES)
    for here, row in numbered(value, "httpHeaders", at=f"{at}.httpHeaders"):
        name = row.get("name") or ""
        if not re.fullmatch(r"[-A-Za-z0-9]+", name):
            detail = (
                "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "
                "regex used for validation is '[-A-Za-z0-9]+')"
            )
            yield invalid(f"{here}.name", name, detail)


def port_of(value: Any, at: str) -> Causes:
    """A port by its number or its name."""
    if isinstance(value, str):
        yield from (invalid(at, value, text) for text in list(port_name_problems(value))[:1])
    else:
        yield from port(at, value)


def _tcp(value: Any, at: str) -> Causes:
    return port_of(get(value, "port"), f"{at}.port")


def _grpc(value: Any, at: str) -> Causes:
    return port(f"{at}.port", get(value, "port"))


def _sleep(value: Any, at: str) -> Causes:  # noqa: ARG001 - all have one form
    yield from ()


_HANDLERS: Final[Mapping[str, Any]] = {
    "exec": _exec,
    "httpGet": _http,
    "tcpSocket": _tcp,
    "grpc": _grpc,
    "sleep": _sleep,
}


def security(value: Any, at: str) -> Causes:
    """The security context of a container."""
    if value is None:
        return
    yield from identity(f"{at}.runAsUser", get(value, "runAsUser"))
    yield from identity(f"{at}.runAsGroup", get(value, "runAsGroup"))
    yield from one_of(f"{at}.procMount", get(value, "procMount"), PROC_MOUNTS)
    yield from profile(get(value, "seccompProfile"), f"{at}.seccompProfile", "seccomp")
    if get(value, "allowPrivilegeEscalation") is False:
        added = get(value, "capabilities", "add") or ()
        if get(value, "privileged") is True:
            detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield invalid(at, {"privileged": True, "allowPrivilegeEscalation": False}, detail)
        if "CAP_SYS_ADMIN" in added:
            detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            yield invalid(at, {"allowPrivilegeEscalation": False}, detail)
    yield from profile(get(value, "appArmorProfile"), f"{at}.appArmorProfile", "AppArmor")


def profile(value: Any, at: str, what: str) -> Causes:
    """A profile of seccomp or AppArmor."""
    if value is None:
        return
    type, local = get(value, "type"), get(value, "localhostProfile")
    yield from one_of(f"{at}.type", type, PROFILES, needed=True)
    if type == "Localhost":
        if not local:
            yield required(f"{at}.localhostProfile", f"must be set when {what} type is Localhost")
        elif what == "seccomp":
            yield from inner_path(f"{at}.localhostProfile", local)
    elif local is not None and what == "seccomp":
        detail = "can only be set when seccomp type is Localhost"
        yield invalid(at, {"localhostProfile": local, "type": type}, detail)
