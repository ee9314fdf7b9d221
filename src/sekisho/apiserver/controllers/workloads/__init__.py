"""Workload controllers: from Deployments, StatefulSets, DaemonSets, Jobs and CronJobs to Pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.controllers.workloads import (
    cronjobs,
    daemonsets,
    deployments,
    jobs,
    replicasets,
    statefulsets,
)
from sekisho.apiserver.controllers.workloads.driver import Clock, Kind, Workload, utc_now
from sekisho.apiserver.controllers.workloads.pending import PendingPods
from sekisho.apiserver.controllers.workloads.plan import PODS

if TYPE_CHECKING:
    from sekisho.apiserver.api import Api
    from sekisho.apiserver.controllers.loop import Controller

__all__ = ["KINDS", "workloads"]

KINDS: Final = (
    Kind(
        name="deployment-controller",
        resource=("apps", "deployments"),
        kind="Deployment",
        makes=deployments.REPLICA_SETS,
        reconcile=deployments.reconcile,
    ),
    Kind(
        name="replicaset-controller",
        resource=deployments.REPLICA_SETS,
        kind="ReplicaSet",
        makes=PODS,
        reconcile=replicasets.reconcile,
    ),
    Kind(
        name="statefulset-controller",
        resource=("apps", "statefulsets"),
        kind="StatefulSet",
        makes=PODS,
        reconcile=statefulsets.reconcile,
        revisions=True,
    ),
    Kind(
        name="daemonset-controller",
        resource=("apps", "daemonsets"),
        kind="DaemonSet",
        makes=PODS,
        reconcile=daemonsets.reconcile,
        nodes=True,
        revisions=True,
    ),
    Kind(
        name="job-controller",
        resource=jobs.JOBS,
        kind="Job",
        makes=PODS,
        reconcile=jobs.reconcile,
        adopts=False,
    ),
    Kind(
        name="cronjob-controller",
        resource=("batch", "cronjobs"),
        kind="CronJob",
        makes=jobs.JOBS,
        reconcile=cronjobs.reconcile,
        adopts=False,
    ),
)
"""The workloads that Kubernetes has itself."""


def workloads(api: Api, *, runtime: bool = False, clock: Clock = utc_now) -> list[Controller]:
    """Their controllers. ``runtime`` is whether something runs Pods; else they are told that nothing does."""
    found: list[Controller] = [Workload(kind, Hand(api, kind.name), clock) for kind in KINDS]
    return found if runtime else [*found, PendingPods(Hand(api, PendingPods.name))]
