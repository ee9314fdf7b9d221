"""CronJobs: a Job whenever one is due (controller/cronjob)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sekisho.apiserver import names
from sekisho.apiserver.controllers.workloads.jobs import JOBS
from sekisho.apiserver.controllers.workloads.plan import (
    Json,
    Make,
    Plan,
    Remove,
    Step,
    Tell,
    View,
    owner_reference,
)
from sekisho.apiserver.schedule import MISSED, Schedule, ScheduleError, moment, read

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
LATE = timedelta(milliseconds=100)
"""How long after its moment a CronJob is looked at, so that clocks may differ a little."""


def reconcile(view: View) -> Plan:
    """The Job that is due, and fewer of the old ones."""
    active = [job for job in view.children if _ended(job) is None]
    steps: list[Step] = [*_seen(view), *_history(view)]
    status = _status(view, active)
    if view.going or view.spec.get("suspend") is True:
        return Plan(steps=steps, status=lambda _: status)
    try:
        schedule = read(str(view.spec.get("schedule")), view.spec.get("timeZone"))
    except ScheduleError as error:
        text = f"unparseable schedule: {view.spec.get('schedule')} : {error}"
        tell = Tell(reason="UnparseableSchedule", message=text, type="Warning")
        return Plan(steps=[*steps, tell], status=lambda _: status)
    due, more = _due(view, schedule)
    steps += more
    if due is not None:
        steps, status = _start(view, due, (steps, status, active))
    following = schedule.after(view.now)
    again = (following - view.now + LATE).total_seconds() if following else None
    return Plan(steps=steps, status=lambda _: status, again=again)


def _due(view: View, schedule: Schedule) -> tuple[datetime | None, list[Step]]:
    """The moment for which a Job is missing, if any."""
    since = moment(view.status.get("lastScheduleTime")) or moment(
        view.owner["metadata"].get("creationTimestamp")
    )
    if since is None:
        return None, []
    limit = view.spec.get("startingDeadlineSeconds")
    if limit is not None:
        since = max(since, view.now - timedelta(seconds=limit))
    due, count = schedule.last(since, view.now)
    steps: list[Step] = []
    if count > MISSED:
        text = (
            f"too many missed start times: {count}. Set or decrease .spec.startingDeadlineSeconds or check "
            "clock skew"
        )
        steps.append(Tell(reason="TooManyMissedTimes", message=text, type="Warning"))
    return due, steps


def _start(
    view: View, due: datetime, so_far: tuple[list[Step], Json, Sequence[Json]]
) -> tuple[list[Step], Json]:
    """What the concurrency policy says about a Job that is due."""
    steps, status, active = so_far
    policy = view.spec.get("concurrencyPolicy", "Allow")
    name = f"{view.name}-{int(due.timestamp()) // 60}"
    if any(job["metadata"]["name"] == name for job in view.children):
        return steps, {**status, "lastScheduleTime": names.timestamp(due)}
    if policy == "Forbid" and active:
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        return [*steps, Tell(reason="JobAlreadyActive", message=text)], status
    if policy == "Replace":
        steps = [*steps, *(_remove(view, job) for job in active)]
    template = view.spec.get("jobTemplate") or {}
    sent = template.get("metadata") or {}
    metadata: Json = {
        "name": name,
        "namespace": view.namespace,
        "annotations": {**(sent.get("annotations") or {}), SCHEDULED: names.timestamp(due)},
        "ownerReferences": [owner_reference(view.owner)],
    }
    if sent.get("labels"):
        metadata["labels"] = sent["labels"]
    told = Tell(reason="SuccessfulCreate", message=f"Created job {name}")
    value = {"metadata": metadata, "spec": dict(template.get("spec") or {})}
    step = Make(place=view.place(JOBS, name), value=value, told=told)
    return [*steps, step], {**status, "lastScheduleTime": names.timestamp(due)}


def _ended(job: Json) -> str | None:
    """The type of the condition that ends a Job."""
    for row in (job.get("status") or {}).get("conditions") or ():
        if row.get("type") in ("Complete", "Failed") and row.get("status") == "True":
            return str(row["type"])
    return None


def _remove(view: View, job: Json) -> Remove:
    name = job["metadata"]["name"]
    told = Tell(reason="SuccessfulDelete", message=f"Deleted job {name}")
    return Remove(place=view.place(JOBS, name), uid=job["metadata"]["uid"], told=told)


def _seen(view: View) -> list[Step]:
    """Jobs that were active at the last look, and have ended."""
    before = {row.get("uid") for row in view.status.get("active") or ()}
    return [
        Tell(
            reason="SawCompletedJob",
            message=f"Saw completed job: {job['metadata']['name']}, condition: {ended}",
        )
        for job in view.children
        if job["metadata"]["uid"] in before and (ended := _ended(job)) is not None
    ]


def _history(view: View) -> list[Step]:
    """Ended Jobs beyond the limits, the oldest first."""
    found: list[Step] = []
    for type, field, default in (
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ):
        rows = [
            job
            for job in view.children
            if _ended(job) == type and not job["metadata"].get("deletionTimestamp")
        ]
        rows.sort(key=lambda job: str((job.get("status") or {}).get("startTime") or ""))
        limit = int(view.spec.get(field, default))
        found += [_remove(view, job) for job in rows[: max(0, len(rows) - limit)]]
    return found


def _status(view: View, active: Sequence[Json]) -> Json:
    found: Json = {
        name: view.status[name] for name in ("lastScheduleTime", "lastSuccessfulTime") if name in view.status
    }
    ends = [
        str((job.get("status") or {}).get("completionTime") or "") for job in view.children if _ended(job)
    ]
    newest = max([*ends, str(found.get("lastSuccessfulTime") or "")], default="")
    if newest:
        found["lastSuccessfulTime"] = newest
    if active:
        found["active"] = [
            _reference(job) for job in sorted(active, key=lambda job: str(job["metadata"]["name"]))
        ]
    return found


def _reference(job: Json) -> Json:
    metadata = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }
