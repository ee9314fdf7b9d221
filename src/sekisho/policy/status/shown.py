"""Policies with the status that they would have in a cluster: for people who have no cluster at hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sekisho.kube.object import Object
from sekisho.kube.review import Finding
from sekisho.policy.constraint import is_constraint
from sekisho.policy.engine import Engine
from sekisho.policy.status.aggregate import aggregated
from sekisho.policy.status.audit import audited
from sekisho.policy.status.pod import Pod, has_status, pod_status

HERE: Final = Pod(id="sekisho", operations=("audit",))
"""Who writes: this program, as if it were a pod."""


def with_statuses(
    policies: Iterable[Object], engine: Engine, findings: Iterable[tuple[Object, Finding]], now: datetime
) -> list[dict[str, Any]]:
    """The policies among these objects, each with its identity and its status, in their order.

    ``findings`` are those of an audit that began ``now`` (aware).
    """
    audits = audited(engine, findings, now)
    rows: list[dict[str, Any]] = []
    for object in policies:
        if not has_status(object):
            continue
        made = pod_status(object, engine.faults.get(object.ref(), ()), HERE, now=now)
        status = aggregated(object, [made])
        if is_constraint(object):
            status |= audits.get(f"{object.kind}/{object.name}", {})
        metadata = {"name": object.name, "namespace": object.namespace}
        rows.append(
            {
                "apiVersion": object.api_version,
                "kind": object.kind,
                "metadata": {key: value for key, value in metadata.items() if value},
                "status": status,
            }
        )
    return rows
