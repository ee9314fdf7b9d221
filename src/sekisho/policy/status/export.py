"""Violations as Gatekeeper exports them: a message each, between those of an audit's beginning and end.

The fields and their order are those of ``ExportMsg``; what is empty is left out (policy.md 1.9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sekisho.kube.object import Object
from sekisho.kube.review import Finding
from sekisho.policy.constraint import AUDIT, SCOPED, Constraint
from sekisho.policy.engine import Engine
from sekisho.policy.implied import IMPLIED_BY

STARTED: Final = "audit is started"
COMPLETED: Final = "audit is completed"
EVENT: Final = "violation_audited"
APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def exported(
    engine: Engine, findings: Iterable[tuple[Object, Finding]], at: datetime
) -> Iterator[dict[str, Any]]:
    """The messages of an audit that began ``at`` (aware)."""
    id = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    constraints = {row.policy: row for row in engine.constraints}
    yield {"id": id, "message": STARTED}
    for object, finding in findings:
        constraint = constraints.get(finding.policy)
        if constraint is not None:
            yield _message(engine, constraint, object, finding, id)
    yield {"id": id, "message": COMPLETED}


def _message(
    engine: Engine, constraint: Constraint, object: Object, finding: Finding, id: str
) -> dict[str, Any]:
    implied = str(finding.diagnostic.data.get(IMPLIED_BY, ""))
    about, kind = constraint.object, object.gvk
    annotations = {key: value for key, value in about.annotations.items() if key != APPLIED}
    row: Mapping[str, Any] = {
        "id": id,
        "details": finding.diagnostic.data.get("details"),
        "eventType": EVENT,
        "group": about.gvk.group,
        "version": about.gvk.version,
        "kind": about.kind,
        "name": about.name,
        "message": finding.diagnostic.message,
        "enforcementAction": engine.expansions.action(implied) or constraint.action,
        "enforcementActions": list(constraint.actions.get(AUDIT, ())) if constraint.action == SCOPED else [],
        "constraintAnnotations": annotations,
        "resourceGroup": kind.group,
        "resourceAPIVersion": kind.version,
        "resourceKind": kind.kind,
        "resourceNamespace": object.namespace,
        "resourceName": object.name,
        "resourceLabels": dict(object.labels),
    }
    return {key: value for key, value in row.items() if value}
