"""One row for each built-in kind: its columns, and how its cells are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sekisho.apiserver.tables import core, others, pods, workloads
from sekisho.apiserver.tables.cells import Raw, text
from sekisho.apiserver.tables.custom import custom_cell
from sekisho.apiserver.types import Column, ResourceType

NAME: Final = Column(name="Name", format="name")
CREATED: Final = Column(name="Created At", type="date")


class Printer(NamedTuple):
    """How the objects of a kind are printed."""

    columns: tuple[Column, ...]
    cells: Callable[[Raw], list[Any]]


def _plain(value: Raw) -> list[Any]:
    return [text(value, "metadata", "name"), text(value, "metadata", "creationTimestamp")]


PLAIN: Final = Printer((NAME, CREATED), _plain)

_ADMISSION, _APPS, _BATCH, _FLOW = (
    "admissionregistration.k8s.io",
    "apps",
    "batch",
    "flowcontrol.apiserver.k8s.io",
)
_NETWORKING, _RBAC, _STORAGE = "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io"

PRINTERS: Final[Mapping[tuple[str, str], Printer]] = {
    ("", "configmaps"): Printer(core.CONFIG_MAP, core.config_map),
    ("", "endpoints"): Printer(core.ENDPOINTS, core.endpoints),
    ("", "events"): Printer(core.EVENT, core.event),
    ("", "namespaces"): Printer(core.NAMESPACE, core.namespace),
    ("", "nodes"): Printer(core.NODE, core.node),
    ("", "persistentvolumeclaims"): Printer(core.CLAIM, core.claim),
    ("", "persistentvolumes"): Printer(core.VOLUME, core.volume),
    ("", "pods"): Printer(pods.COLUMNS, pods.pod_cells),
    ("", "podtemplates"): Printer(workloads.POD_TEMPLATE, workloads.pod_template),
    ("", "replicationcontrollers"): Printer(workloads.REPLICA_SET, workloads.replication_controller),
    ("", "resourcequotas"): Printer(core.QUOTA, core.quota),
    ("", "secrets"): Printer(core.SECRET, core.secret),
    ("", "serviceaccounts"): Printer(core.SERVICE_ACCOUNT, core.service_account),
    ("", "services"): Printer(core.SERVICE, core.service),
    (_ADMISSION, "mutatingwebhookconfigurations"): Printer(others.WEBHOOKS, others.webhooks),
    (_ADMISSION, "validatingadmissionpolicies"): Printer(others.POLICY, others.policy),
    (_ADMISSION, "validatingadmissionpolicybindings"): Printer(others.POLICY_BINDING, others.policy_binding),
    (_ADMISSION, "validatingwebhookconfigurations"): Printer(others.WEBHOOKS, others.webhooks),
    (_APPS, "controllerrevisions"): Printer(workloads.REVISION, workloads.revision),
    (_APPS, "daemonsets"): Printer(workloads.DAEMON_SET, workloads.daemon_set),
    (_APPS, "deployments"): Printer(workloads.DEPLOYMENT, workloads.deployment),
    (_APPS, "replicasets"): Printer(workloads.REPLICA_SET, workloads.replica_set),
    (_APPS, "statefulsets"): Printer(workloads.STATEFUL_SET, workloads.stateful_set),
    (_BATCH, "cronjobs"): Printer(workloads.CRON_JOB, workloads.cron_job),
    (_BATCH, "jobs"): Printer(workloads.JOB, workloads.job),
    (_FLOW, "flowschemas"): Printer(others.FLOW_SCHEMA, others.flow_schema),
    (_FLOW, "prioritylevelconfigurations"): Printer(others.PRIORITY_LEVEL, others.priority_level),
    (_NETWORKING, "ingressclasses"): Printer(others.INGRESS_CLASS, others.ingress_class),
    (_NETWORKING, "ingresses"): Printer(others.INGRESS, others.ingress),
    (_NETWORKING, "ipaddresses"): Printer(others.IP_ADDRESS, others.ip_address),
    (_NETWORKING, "networkpolicies"): Printer(others.NETWORK_POLICY, others.network_policy),
    (_NETWORKING, "servicecidrs"): Printer(others.SERVICE_CIDR, others.service_cidr),
    (_RBAC, "clusterrolebindings"): Printer(others.BINDING, others.binding),
    (_RBAC, "rolebindings"): Printer(others.BINDING, others.binding),
    (_STORAGE, "csidrivers"): Printer(others.CSI_DRIVER, others.csi_driver),
    (_STORAGE, "csinodes"): Printer(others.CSI_NODE, others.csi_node),
    (_STORAGE, "storageclasses"): Printer(others.STORAGE_CLASS, others.storage_class),
    (_STORAGE, "volumeattachments"): Printer(others.ATTACHMENT, others.attachment),
    ("autoscaling", "horizontalpodautoscalers"): Printer(workloads.AUTOSCALER, workloads.autoscaler),
    ("certificates.k8s.io", "certificatesigningrequests"): Printer(
        others.SIGNING_REQUEST, others.signing_request
    ),
    ("coordination.k8s.io", "leases"): Printer(others.LEASE, others.lease),
    ("discovery.k8s.io", "endpointslices"): Printer(others.ENDPOINT_SLICE, others.endpoint_slice),
    ("events.k8s.io", "events"): Printer(core.EVENT, core.event),
    ("node.k8s.io", "runtimeclasses"): Printer(others.RUNTIME_CLASS, others.runtime_class),
    ("policy", "poddisruptionbudgets"): Printer(workloads.BUDGET, workloads.budget),
    ("scheduling.k8s.io", "priorityclasses"): Printer(others.PRIORITY_CLASS, others.priority_class),
}
"""By group and plural."""


def table_columns(type: ResourceType) -> list[dict[str, Any]]:
    """The columns as a Table defines them."""
    return [
        {
            "name": row.name,
            "type": row.type,
            "format": row.format,
            "description": row.description,
            "priority": row.priority,
        }
        for row in _columns(type)
    ]


def _columns(type: ResourceType) -> Sequence[Column]:
    if type.custom is not None:
        return (NAME, *type.columns)
    return PRINTERS.get(type.key, PLAIN).columns


def table_row(type: ResourceType, value: Raw) -> list[Any]:
    """The cells of an object."""
    if type.custom is not None:
        return [text(value, "metadata", "name"), *(custom_cell(row, value) for row in type.columns)]
    return PRINTERS.get(type.key, PLAIN).cells(value)


def row_conditions(type: ResourceType, value: Raw) -> list[dict[str, Any]]:
    """What is to be said of a row: that its Pod has ended."""
    return pods.pod_conditions(value) if type.key == ("", "pods") and type.custom is None else []
