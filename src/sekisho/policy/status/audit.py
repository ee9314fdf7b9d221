"""What an audit writes into the ``status`` of constraints (policy.md 1.9)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.kube.object import Object
from sekisho.kube.review import Finding
from sekisho.policy.constraint import AUDIT, SCOPED, Constraint
from sekisho.policy.engine import Engine
from sekisho.policy.implied import IMPLIED_BY

VIOLATIONS: Final = Limit(
    "status.violations", 20, "violations", "a status is kept in etcd, and every change is sent to all"
)
"""As many are listed by default, as in Gatekeeper; the total is always complete."""

MESSAGE: Final = Limit("a message in status.violations", 256, "bytes", "twenty of them are a status")
_CUT: Final = "..."

_ORDER: Final = ("group", "version", "kind", "namespace", "name", "message", "enforcementAction")


def audited(
    engine: Engine, findings: Iterable[tuple[Object, Finding]], at: datetime, *, limit: int = VIOLATIONS.value
) -> dict[str, dict[str, Any]]:
    """For each constraint, by its identity, what an audit that began ``at`` (aware) says of it.

    Constraints without violations are in it too, with a total of zero: that is news as well. The first
    violations in order are listed; ``violations`` is left out where there are none.
    """
    rows: dict[str, list[dict[str, Any]]] = {row.policy: [] for row in engine.constraints}
    constraints = {row.policy: row for row in engine.constraints}
    for object, finding in findings:
        constraint = constraints.get(finding.policy)
        if constraint is not None:
            rows[finding.policy].append(_violation(engine, constraint, object, finding))
    timestamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {policy: _status(found, timestamp, limit) for policy, found in rows.items()}


def _status(rows: list[dict[str, Any]], timestamp: str, limit: int) -> dict[str, Any]:
    status: dict[str, Any] = {"auditTimestamp": timestamp, "totalViolations": len(rows)}
    if rows and limit:
        status["violations"] = heapq.nsmallest(limit, rows, key=_place)
    return status


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in _ORDER)


def _violation(engine: Engine, constraint: Constraint, object: Object, finding: Finding) -> dict[str, Any]:
    implied = str(finding.diagnostic.data.get(IMPLIED_BY, ""))
    row: dict[str, Any] = {**object.gvk.to_json(), "name": object.name}
    if object.namespace:
        row["namespace"] = object.namespace
    row["message"] = _cut(finding.diagnostic.message)
    row["enforcementAction"] = engine.expansions.action(implied) or constraint.action
    if constraint.action == SCOPED:
        row["enforcementActions"] = list(constraint.actions.get(AUDIT, ()))
    return row


def _cut(message: str) -> str:
    """The message in so many bytes of UTF-8; a character is left out whole."""
    raw = message.encode("utf-8", "replace")
    if not MESSAGE.exceeded_by(len(raw)):
        return message
    return raw[: MESSAGE.value - len(_CUT)].decode("utf-8", "ignore") + _CUT
