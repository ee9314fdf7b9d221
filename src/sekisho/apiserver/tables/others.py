"""The columns of the other kinds: networking, access, storage, admission, coordination."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver.tables.cells import (
    NONE,
    UNSET,
    Raw,
    at,
    at_most,
    created,
    duration,
    number,
    rows,
    selector,
    text,
    yes,
)
from sekisho.apiserver.tables.core import load_balancer
from sekisho.apiserver.types import Column

NAME: Final = Column(name="Name", format="name")
AGE: Final = Column(name="Age")
MOST: Final = 3


def _name(value: Raw) -> str:
    return text(value, "metadata", "name")


INGRESS: Final = (
    NAME,
    Column(name="Class"),
    Column(name="Hosts"),
    Column(name="Address"),
    Column(name="Ports"),
    AGE,
)


def ingress(value: Raw) -> list[Any]:
    """An Ingress."""
    spec = at(value, "spec")
    return [
        _name(value),
        text(spec, "ingressClassName", default=NONE),
        _hosts(rows(spec, "rules")),
        load_balancer(value),
        "80, 443" if at(spec, "tls") else "80",
        created(value),
    ]


def _hosts(rules: Any) -> str:
    found: list[str] = []
    more = False
    for rule in rules:
        more = more or len(found) == MOST
        if not more and text(rule, "host"):
            found.append(text(rule, "host"))
    shown = ",".join(found) or "*"
    return f"{shown} + {len(rules) - MOST} more..." if more else shown


INGRESS_CLASS: Final = (NAME, Column(name="Controller"), Column(name="Parameters"), AGE)


def ingress_class(value: Raw) -> list[Any]:
    """An IngressClass."""
    found, shown = at(value, "spec", "parameters"), NONE
    if found is not None:
        group = at(found, "apiGroup")
        kind = text(found, "kind") + (f".{group}" if group is not None else "")
        shown = f"{kind}/{text(found, 'name')}"
    return [_name(value), text(value, "spec", "controller"), shown, created(value)]


NETWORK_POLICY: Final = (NAME, Column(name="Pod-Selector"), AGE)


def network_policy(value: Raw) -> list[Any]:
    """A NetworkPolicy."""
    return [_name(value), selector(at(value, "spec", "podSelector") or {}), created(value)]


ENDPOINT_SLICE: Final = (
    NAME,
    Column(name="AddressType"),
    Column(name="Ports"),
    Column(name="Endpoints"),
    AGE,
)


def endpoint_slice(value: Raw) -> list[Any]:
    """An EndpointSlice."""
    ports = [
        str(row["port"]) if row.get("port") is not None else text(row, "name", default="*")
        for row in rows(value, "ports")
    ]
    addresses = [address for row in rows(value, "endpoints") for address in row.get("addresses") or ()]
    return [
        _name(value),
        text(value, "addressType"),
        at_most(ports, len(ports), MOST, nothing=UNSET),
        at_most(addresses, len(addresses), MOST, nothing=UNSET),
        created(value),
    ]


SERVICE_CIDR: Final = (NAME, Column(name="CIDRs"), AGE)


def service_cidr(value: Raw) -> list[Any]:
    """A ServiceCIDR."""
    return [_name(value), ",".join(at(value, "spec", "cidrs") or ()), created(value)]


IP_ADDRESS: Final = (NAME, Column(name="ParentRef"))


def ip_address(value: Raw) -> list[Any]:
    """An IPAddress."""
    parent, shown = at(value, "spec", "parentRef"), NONE
    if parent is not None:
        group, resource = text(parent, "group"), text(parent, "resource")
        parts = [f"{resource}.{group}".lower() if group else resource.lower()]
        parts += [text(parent, "namespace")] if text(parent, "namespace") else []
        shown = "/".join([*parts, text(parent, "name")])
    return [_name(value), shown]


BINDING: Final = (
    NAME,
    Column(name="Role"),
    AGE,
    Column(name="Users", priority=1),
    Column(name="Groups", priority=1),
    Column(name="ServiceAccounts", priority=1),
)


def binding(value: Raw) -> list[Any]:
    """A RoleBinding or ClusterRoleBinding."""
    found: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for row in rows(value, "subjects"):
        kind, name = text(row, "kind"), text(row, "name")
        if kind in found:
            found[kind].append(f"{text(row, 'namespace')}/{name}" if kind == "ServiceAccount" else name)
    role = f"{text(value, 'roleRef', 'kind')}/{text(value, 'roleRef', 'name')}"
    return [_name(value), role, created(value), *(", ".join(part) for part in found.values())]


SIGNING_REQUEST: Final = (
    NAME,
    AGE,
    Column(name="SignerName"),
    Column(name="Requestor"),
    Column(name="RequestedDuration"),
    Column(name="Condition"),
)


def signing_request(value: Raw) -> list[Any]:
    """A CertificateSigningRequest."""
    spec, status = at(value, "spec"), at(value, "status")
    types = {row.get("type") for row in rows(status, "conditions")}
    words = ["Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"]
    words += ["Failed"] if "Failed" in types else []
    words += ["Issued"] if at(status, "certificate") else []
    seconds = at(spec, "expirationSeconds")
    return [
        _name(value),
        created(value),
        text(spec, "signerName", default=NONE),
        text(spec, "username"),
        NONE if seconds is None else duration(seconds),
        ",".join(words),
    ]


LEASE: Final = (NAME, Column(name="Holder"), AGE)


def lease(value: Raw) -> list[Any]:
    """A Lease."""
    return [_name(value), text(value, "spec", "holderIdentity"), created(value)]


STORAGE_CLASS: Final = (
    NAME,
    Column(name="Provisioner"),
    Column(name="ReclaimPolicy"),
    Column(name="VolumeBindingMode"),
    Column(name="AllowVolumeExpansion"),
    AGE,
)
DEFAULT_CLASS: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def storage_class(value: Raw) -> list[Any]:
    """A StorageClass; the default one says so."""
    annotations = at(value, "metadata", "annotations") or {}
    default = any(annotations.get(name) == "true" for name in DEFAULT_CLASS)
    return [
        f"{_name(value)} (default)" if default else _name(value),
        text(value, "provisioner"),
        text(value, "reclaimPolicy", default="Delete"),
        text(value, "volumeBindingMode", default="Immediate"),
        yes(at(value, "allowVolumeExpansion")),
        created(value),
    ]


CSI_NODE: Final = (NAME, Column(name="Drivers", type="integer"), AGE)


def csi_node(value: Raw) -> list[Any]:
    """A CSINode."""
    return [_name(value), len(rows(value, "spec", "drivers")), created(value)]


CSI_DRIVER: Final = (
    NAME,
    Column(name="AttachRequired", type="boolean"),
    Column(name="PodInfoOnMount", type="boolean"),
    Column(name="StorageCapacity", type="boolean"),
    Column(name="TokenRequests"),
    Column(name="RequiresRepublish", type="boolean"),
    Column(name="Modes"),
    AGE,
)


def csi_driver(value: Raw) -> list[Any]:
    """A CSIDriver."""
    spec = at(value, "spec")
    requests = at(spec, "tokenRequests")
    audiences = ",".join(text(row, "audience") for row in rows(spec, "tokenRequests"))
    return [
        _name(value),
        yes(at(spec, "attachRequired"), default=True),
        yes(at(spec, "podInfoOnMount")),
        yes(at(spec, "storageCapacity")),
        UNSET if requests is None else audiences,
        yes(at(spec, "requiresRepublish")),
        ",".join(at(spec, "volumeLifecycleModes") or ()) or NONE,
        created(value),
    ]


ATTACHMENT: Final = (
    NAME,
    Column(name="Attacher", format="name"),
    Column(name="PV"),
    Column(name="Node"),
    Column(name="Attached", type="boolean"),
    AGE,
)


def attachment(value: Raw) -> list[Any]:
    """A VolumeAttachment."""
    spec = at(value, "spec")
    return [
        _name(value),
        text(spec, "attacher"),
        text(spec, "source", "persistentVolumeName"),
        text(spec, "nodeName"),
        yes(at(value, "status", "attached")),
        created(value),
    ]


WEBHOOKS: Final = (NAME, Column(name="Webhooks", type="integer"), AGE)


def webhooks(value: Raw) -> list[Any]:
    """A configuration of webhooks."""
    return [_name(value), len(rows(value, "webhooks")), created(value)]


POLICY: Final = (NAME, Column(name="Validations", type="integer"), Column(name="ParamKind"), AGE)


def policy(value: Raw) -> list[Any]:
    """A ValidatingAdmissionPolicy."""
    kind = at(value, "spec", "paramKind")
    shown = UNSET if kind is None else f"{text(kind, 'apiVersion')}/{text(kind, 'kind')}"
    return [_name(value), len(rows(value, "spec", "validations")), shown, created(value)]


POLICY_BINDING: Final = (NAME, Column(name="PolicyName"), Column(name="ParamRef"), AGE)


def policy_binding(value: Raw) -> list[Any]:
    """A ValidatingAdmissionPolicyBinding."""
    reference, shown = at(value, "spec", "paramRef"), UNSET
    if text(reference, "name"):
        shown = f"{text(reference, 'namespace', default='*')}/{text(reference, 'name')}"
    elif at(reference, "selector") is not None:
        shown = _go_selector(at(reference, "selector"))
    return [_name(value), text(value, "spec", "policyName"), shown, created(value)]


def _go_selector(value: Raw) -> str:
    """A LabelSelector as its generated ``String`` method writes it."""
    matched = at(value, "matchLabels") or {}
    pairs = "".join(f"{key}: {matched[key]}," for key in sorted(matched))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{text(row, 'key')},Operator:{text(row, 'operator')},"
        f"Values:[{' '.join(row.get('values') or ())}],}},"
        for row in rows(value, "matchExpressions")
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


PRIORITY_CLASS: Final = (
    NAME,
    Column(name="Value", type="integer"),
    Column(name="Global-Default", type="boolean"),
    AGE,
    Column(name="PreemptionPolicy"),
)


def priority_class(value: Raw) -> list[Any]:
    """A PriorityClass."""
    default = yes(at(value, "globalDefault"))
    return [_name(value), number(value, "value"), default, created(value), text(value, "preemptionPolicy")]


RUNTIME_CLASS: Final = (NAME, Column(name="Handler"), AGE)


def runtime_class(value: Raw) -> list[Any]:
    """A RuntimeClass."""
    return [_name(value), text(value, "handler"), created(value)]


FLOW_SCHEMA: Final = (
    NAME,
    Column(name="PriorityLevel"),
    Column(name="MatchingPrecedence"),
    Column(name="DistinguisherMethod"),
    AGE,
    Column(name="MissingPL"),
)


def flow_schema(value: Raw) -> list[Any]:
    """A FlowSchema."""
    spec = at(value, "spec")
    dangling = next((row for row in rows(value, "status", "conditions") if row.get("type") == "Dangling"), {})
    return [
        _name(value),
        text(spec, "priorityLevelConfiguration", "name"),
        number(spec, "matchingPrecedence"),
        text(spec, "distinguisherMethod", "type", default=NONE),
        created(value),
        text(dangling, "status", default="?"),
    ]


PRIORITY_LEVEL: Final = (
    NAME,
    Column(name="Type"),
    Column(name="NominalConcurrencyShares"),
    Column(name="Queues"),
    Column(name="HandSize"),
    Column(name="QueueLengthLimit"),
    AGE,
)


def priority_level(value: Raw) -> list[Any]:
    """A PriorityLevelConfiguration."""
    limited, queuing = at(value, "spec", "limited"), at(value, "spec", "limited", "limitResponse", "queuing")
    shares = NONE if limited is None else at(limited, "nominalConcurrencyShares")
    queues = [
        NONE if queuing is None else number(queuing, name)
        for name in ("queues", "handSize", "queueLengthLimit")
    ]
    return [_name(value), text(value, "spec", "type"), shares, *queues, created(value)]
