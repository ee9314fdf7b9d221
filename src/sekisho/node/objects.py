"""The objects that a cluster with a node begins with."""

from __future__ import annotations

import os
import platform
from typing import Any, Final

from sekisho.apiserver.names import timestamp
from sekisho.apiserver.release import VERSION
from sekisho.apiserver.store import Place
from sekisho.node.settings import RUNTIME_CLASS

Json = dict[str, Any]

UNTRUSTED: Final = "sandbox.sekisho.dev/untrusted"
"""The label of Pods that may run in sandboxes only."""

RUNTIME_LABEL: Final = "sandbox.sekisho.dev/runtime"
"""The label of nodes whose Pods run in sandboxes."""

PODS: Final = 110
"""Pods of one node (kubelet's maxPods)."""

LEASE_SECONDS: Final = 40
LEASES: Final = ("coordination.k8s.io", "leases")
LEASE_NAMESPACE: Final = "kube-node-lease"

POLICY: Final = "untrusted-pods-run-in-sandboxes"

CLASS: Final[Json] = {"metadata": {"name": RUNTIME_CLASS}, "handler": RUNTIME_CLASS}

GUARD: Final[Json] = {
    "metadata": {"name": POLICY},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["pods"],
                }
            ],
            "objectSelector": {"matchLabels": {UNTRUSTED: "true"}},
        },
        "validations": [
            {
                "expression": (
                    f"has(object.spec.runtimeClassName) && object.spec.runtimeClassName == '{RUNTIME_CLASS}'"
                ),
                "message": f"Pods labelled {UNTRUSTED}=true need runtimeClassName: {RUNTIME_CLASS}",
                "reason": "Forbidden",
            }
        ],
    },
}
BINDING: Final[Json] = {
    "metadata": {"name": POLICY},
    "spec": {"policyName": POLICY, "validationActions": ["Deny"]},
}

ADMISSION: Final = "admissionregistration.k8s.io"
BEGIN: Final = (
    (Place("node.k8s.io", "runtimeclasses", "", RUNTIME_CLASS), CLASS),
    (Place(ADMISSION, "validatingadmissionpolicies", "", POLICY), GUARD),
    (Place(ADMISSION, "validatingadmissionpolicybindings", "", POLICY), BINDING),
)
"""What is made where it is missing. Whoever changes it keeps the change."""


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def node(name: str) -> Json:
    """The Node."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine,
        RUNTIME_LABEL: RUNTIME_CLASS,
    }
    return {"metadata": {"name": name, "labels": labels}, "spec": {}}


def node_status(before: Json, address: str) -> Json:
    """Its status, with the times of conditions that have not changed kept."""
    amounts = {"cpu": str(processors()), "memory": f"{memory() // 1024}Ki", "pods": str(PODS)}
    rows = {row["type"]: row for row in before.get("conditions") or ()}
    now = timestamp()

    def condition(type: str, status: str, reason: str, message: str) -> Json:
        old = rows.get(type) or {}
        since = old.get("lastTransitionTime") if old.get("status") == status else None
        return {
            "type": type,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": since or now,
        }

    system = platform.uname()
    return {
        **before,
        "capacity": amounts,
        "allocatable": amounts,
        "addresses": [
            {"type": "InternalIP", "address": address},
            {"type": "Hostname", "address": platform.node() or address},
        ],
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "there is memory left"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "there is room on the disk"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "there are process ids left"),
            condition("Ready", "True", "KubeletReady", "the node runs Pods in sandboxes"),
        ],
        "nodeInfo": {
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
            "kernelVersion": system.release,
            "osImage": f"{system.system} {system.release}",
            "containerRuntimeVersion": "sekisho://0.1.0",
            "kubeletVersion": f"v{VERSION}.0",
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": node("")["metadata"]["labels"]["kubernetes.io/arch"],
        },
    }
