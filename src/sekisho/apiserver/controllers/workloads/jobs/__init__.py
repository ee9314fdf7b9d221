"""Jobs: Pods until enough of them have succeeded, or too many failed."""

from sekisho.apiserver.controllers.workloads.jobs.jobs import reconcile
from sekisho.apiserver.controllers.workloads.jobs.pods import JOBS

__all__ = ["JOBS", "reconcile"]
