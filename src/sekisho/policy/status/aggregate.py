"""A policy's ``status``, put together from what the pods say: what ``kubectl get -o yaml`` shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sekisho.kube.object import Object
from sekisho.policy.status.pod import uid_field
from sekisho.policy.template import is_template


def aggregated(object: Object, statuses: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The ``status`` of a policy from the status objects about it, one a pod.

    Those about another object of the same name are left out. The rest of the policy's ``status`` stays. A
    template is ``created`` if one of the pods could use it.
    """
    field = uid_field(object)
    rows = [row["status"] for row in statuses if row["status"].get(field, "") == object.uid]
    by_pod = sorted(rows, key=lambda row: str(row.get("id", "")))
    status = {**(object.get("status") or {}), "byPod": by_pod}
    if is_template(object):
        status["created"] = any(not row.get("errors") for row in by_pod)
    return status
