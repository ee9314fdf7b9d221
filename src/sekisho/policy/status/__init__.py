"""What Gatekeeper writes about policies: statuses by pod, aggregated ones, and those of audits."""

from sekisho.policy.status.aggregate import aggregated
from sekisho.policy.status.audit import audited
from sekisho.policy.status.pod import Generated, Pod, State, has_status, pod_status
from sekisho.policy.status.shown import with_statuses

__all__ = [
    "Generated",
    "Pod",
    "State",
    "aggregated",
    "audited",
    "has_status",
    "pod_status",
    "with_statuses",
]
