"""What is said of each violation: log lines with Gatekeeper's fields, and notes that become Events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sekisho.admission.service import Observed
from sekisho.kube.review import Finding

REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "deny": ("FailedAdmission", 'Admission webhook "validation.gatekeeper.sh" denied request'),
    "warn": (
        "WarningAdmission",
        'Admission webhook "validation.gatekeeper.sh" raised a warning for this request',
    ),
    "dryrun": ("DryrunViolation", "Dryrun violation"),
}
"""Reasons and beginnings of Events by the word of the action: Gatekeeper's."""


def violations(observed: Observed) -> Iterator[dict[str, Any]]:
    """A line for each violation, with the fields that Gatekeeper's ``--log-denies`` has."""
    if observed.hook.name != "validation":
        return
    for finding in observed.answer.verdict.findings:
        yield {
            "level": "info",
            "ts": observed.at.timestamp(),
            "logger": "webhook",
            "msg": f"denied admission: {finding.diagnostic.message}",
            "hookType": "validation",
            **fields(observed, finding),
        }


def fields(observed: Observed, finding: Finding) -> dict[str, Any]:
    """The fields of a violation, in Gatekeeper's names."""
    request = observed.request
    kind, _, name = finding.policy.rpartition("/")
    found = {
        "semantic": True,
        "process": "admission",
        "event_type": "violation",
        "constraint_name": name,
        "constraint_group": "constraints.gatekeeper.sh",
        "constraint_api_version": "v1beta1",
        "constraint_kind": kind,
        "constraint_action": finding.word or finding.rung.word,
        "resource_group": request.kind.group,
        "resource_api_version": request.kind.version,
        "resource_kind": request.kind.kind,
        "resource_namespace": request.namespace,
        "resource_name": request.name or request.subject.name,
        "request_username": request.user.username,
    }
    details = finding.diagnostic.data.get("details")
    return {**found, "details": details} if details else found


def notes(observed: Observed, *, own: str, involved: bool) -> Iterator[dict[str, Any]]:
    """A note for each violation, as plain values: what an Event is made of.

    ``own`` is the guard's Namespace, where Events are unless they are to stand beside the object
    (``involved``); those about objects in no namespace are there in either case.
    """
    if observed.hook.name != "validation" or observed.request.dry_run:
        return
    request = observed.request
    for finding in observed.answer.verdict.findings:
        row = fields(observed, finding)
        reason, says = REASONS.get(row["constraint_action"], REASONS["deny"])
        where = "" if involved else f", Resource Namespace: {request.namespace}"
        message = finding.diagnostic.message
        yield {
            "reason": reason,
            "text": f"{says}{where}, Constraint: {row['constraint_name']}, Message: {message}",
            "apiVersion": request.kind.api_version,
            "kind": request.kind.kind,
            "name": row["resource_name"],
            "namespace": request.namespace if involved and request.namespace else own,
            "uid": request.subject.uid if involved else "",
        }
