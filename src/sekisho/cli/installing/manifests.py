"""All objects of an installation, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sekisho.admission.registration import configurations
from sekisho.cli.auditing.definitions import report_definitions
from sekisho.cli.installing.access import access
from sekisho.cli.installing.wanted import Wanted
from sekisho.cli.installing.workloads import workloads
from sekisho.policy.controller.definitions import of_library, shipped

MANAGED: Final = {"app.kubernetes.io/managed-by": "sekisho", "app.kubernetes.io/part-of": "sekisho"}

SECRET: Final = "sekisho-webhook-server-cert"  # noqa: S105 - the name of an object


def manifests(wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Everything: the Namespace, definitions, access, workloads, and the webhook configurations last."""
    wanted = wanted.placed()
    registered = wanted.registered
    yield _labelled(_namespace(wanted.namespace))
    for row in (*shipped(), *of_library(), *report_definitions()):
        yield _labelled(row)
    for row in access(wanted.namespace, (registered.validating, registered.mutating), SECRET):
        yield _labelled(row)
    for row in workloads(wanted):
        yield _labelled(row)
    for row in configurations(registered):
        yield _labelled(row)


def _namespace(name: str) -> dict[str, Any]:
    """The Namespace. What is in it cannot be locked out, and its Pods are held to the strictest standard."""
    labels = {
        "admission.gatekeeper.sh/ignore": "no-self-managing",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _labelled(row: dict[str, Any]) -> dict[str, Any]:
    metadata = {**row["metadata"], "labels": {**MANAGED, **(row["metadata"].get("labels") or {})}}
    return {**row, "metadata": metadata}
