"""Jobs: Pods until enough of them have succeeded, or too many failed (controller/job).

A finished Pod is counted exactly once, whoever deletes it: it carries a finalizer until its uid stands in the
status; the counters grow when the finalizer is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sekisho.apiserver import names
from sekisho.apiserver.controllers.workloads.plan import (
    PODS,
    Alter,
    Json,
    Plan,
    Remove,
    Step,
    Tell,
    View,
    condition,
    with_condition,
)
from sekisho.apiserver.controllers.workloads.pods import BURST, is_going, make, phase, pod_of, remove
from sekisho.apiserver.eviction import is_ready
from sekisho.kube.decode import parse_time

JOBS: Final = ("batch", "jobs")
TRACKED: Final = "batch.kubernetes.io/job-tracking"
INDEX: Final = "batch.kubernetes.io/job-completion-index"

FIRST_DELAY: Final = 10.0
LAST_DELAY: Final = 600.0
"""Seconds between a failure and the next try: twice as long each time (DefaultJobPodFailureBackOff)."""

BACKOFF: Final = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE: Final = ("DeadlineExceeded", "Job was active longer than specified deadline")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    """What has come of a Job's Pods. ``waiting_*``: uids that are noted and not counted yet."""

    active: Sequence[Json]
    succeeded: int
    failed: int
    waiting_succeeded: Sequence[str]
    waiting_failed: Sequence[str]
    indexes: frozenset[int]

    @property
    def all_succeeded(self) -> int:
        """Counted or not."""
        return self.succeeded + len(self.waiting_succeeded)

    @property
    def all_failed(self) -> int:
        """Counted or not."""
        return self.failed + len(self.waiting_failed)


def reconcile(view: View) -> Plan:
    """Pods for what is left to do; none once the Job has ended."""
    tally = _tally(view)
    conditions = view.status.get("conditions") or ()
    ended = next((row for row in conditions if row["type"] in ("Complete", "Failed")), None)
    if ended is not None:
        return _after(view, tally, ended)
    verdict = _verdict(view, tally)
    steps: list[Step] = list(_released(view, tally))
    suspended = view.spec.get("suspend") is True
    again = None
    if verdict is not None or suspended or view.going:
        steps += [remove(view, pod) for pod in tally.active]
    else:
        more, again = _made(view, tally)
        steps += more
    if verdict is not None and not tally.active:
        steps.append(_told(verdict))
    was = (condition(conditions, "Suspended") or {}).get("status") == "True"
    if suspended != was and verdict is None:
        word = ("Suspended", "Job suspended") if suspended else ("Resumed", "Job resumed")
        steps.append(Tell(reason=word[0], message=word[1]))
    return Plan(
        steps=steps,
        status=lambda _: _status(view, tally, verdict, suspended=suspended),
        again=min((row for row in (again, _until_deadline(view)) if row is not None), default=None),
    )


def _tally(view: View) -> _Tally:
    before = view.status.get("uncountedTerminatedPods") or {}
    known = {pod["metadata"]["uid"]: pod for pod in view.children}
    counts: dict[str, int] = {}
    waiting: dict[str, list[str]] = {}
    for name in ("succeeded", "failed"):
        noted = before.get(name) or []
        held = [uid for uid in noted if uid in known and _tracked(known[uid])]
        counts[name] = int(view.status.get(name) or 0) + len(noted) - len(held)
        waiting[name] = held
    seen = {uid for rows in before.values() for uid in rows}
    active = []
    indexes = _indexes(str(view.status.get("completedIndexes") or ""))
    for uid, pod in known.items():
        if phase(pod) == "Succeeded":
            indexes.add(_index(pod))
        if uid in seen or not _tracked(pod):
            continue
        if phase(pod) == "Succeeded":
            waiting["succeeded"].append(uid)
        elif phase(pod) == "Failed" or is_going(pod):
            # What a Job takes down itself, because it is suspended, has not failed.
            if phase(pod) == "Failed" or view.spec.get("suspend") is not True:
                waiting["failed"].append(uid)
        else:
            active.append(pod)
    return _Tally(
        active=active,
        succeeded=counts["succeeded"],
        failed=counts["failed"],
        waiting_succeeded=waiting["succeeded"],
        waiting_failed=waiting["failed"],
        indexes=frozenset(indexes - {-1}),
    )


def _tracked(pod: Json) -> bool:
    return TRACKED in (pod["metadata"].get("finalizers") or ())


def _index(pod: Json) -> int:
    text = str((pod["metadata"].get("annotations") or {}).get(INDEX, ""))
    return int(text) if text.isdigit() else -1


def _indexed(view: View) -> bool:
    return view.spec.get("completionMode") == "Indexed"


def _indexes(text: str) -> set[int]:
    """``0,2-4`` as numbers."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def _written(indexes: frozenset[int]) -> str:
    """Numbers as ``0,2-4``."""
    rows: list[list[int]] = []
    for number in sorted(indexes):
        if rows and rows[-1][-1] == number - 1:
            rows[-1] = [rows[-1][0], number]
        else:
            rows.append([number])
    return ",".join(
        f"{row[0]}-{row[-1]}" if len(row) > 1 and row[-1] > row[0] else str(row[0]) for row in rows
    )


def _verdict(view: View, tally: _Tally) -> tuple[str, str, str] | None:
    """Whether the Job has ended: its condition's type, reason and message."""
    noted = condition(view.status.get("conditions") or (), "FailureTarget")
    if noted is not None and noted.get("status") == "True":
        return ("Failed", str(noted["reason"]), str(noted["message"]))
    if tally.all_failed > int(view.spec.get("backoffLimit", 6)):
        return ("Failed", *BACKOFF)
    left = _until_deadline(view)
    if left is not None and left <= 0:
        return ("Failed", *DEADLINE)
    wanted = view.spec.get("completions")
    if _indexed(view):
        done = wanted is not None and len(tally.indexes) >= wanted
    elif wanted is None:
        done = tally.all_succeeded > 0 and not tally.active
    else:
        done = tally.all_succeeded >= wanted
    return ("Complete", "CompletionsReached", "Reached expected number of succeeded pods") if done else None


def _until_deadline(view: View) -> float | None:
    seconds = view.spec.get("activeDeadlineSeconds")
    since = parse_time(str(view.status.get("startTime") or ""))
    if seconds is None or since is None or view.spec.get("suspend") is True:
        return None
    return (since + timedelta(seconds=seconds) - view.now).total_seconds()


def _made(view: View, tally: _Tally) -> tuple[list[Step], float | None]:
    """Pods that are missing, or when they may be made."""
    wanted = int(view.spec.get("parallelism", 1))
    completions = view.spec.get("completions")
    if completions is not None:
        done = len(tally.indexes) if _indexed(view) else tally.all_succeeded
        wanted = min(wanted, completions - done)
    elif tally.all_succeeded > 0:
        wanted = len(tally.active)
    if len(tally.active) > wanted:
        return [remove(view, pod) for pod in tally.active[wanted:]], None
    wait = _delay(view, tally)
    missing = min(BURST, wanted - len(tally.active))
    if missing <= 0:
        return [], None
    if wait > 0:
        return [], wait
    if not _indexed(view):
        return [make(view, _pod(view)) for _ in range(missing)], None
    taken = tally.indexes | {_index(pod) for pod in tally.active}
    free = [number for number in range(completions or 0) if number not in taken][:missing]
    return [make(view, _indexed_pod(view, number)) for number in free], None


def _delay(view: View, tally: _Tally) -> float:
    """Seconds until a Pod may be tried again after the last one has failed."""
    ends = [moment for pod in view.children if phase(pod) == "Failed" and (moment := _end(pod)) is not None]
    if not tally.all_failed or not ends:
        return 0.0
    seconds = min(LAST_DELAY, FIRST_DELAY * float(2 ** min(tally.all_failed - 1, 16)))
    return max(0.0, (max(ends) + timedelta(seconds=seconds) - view.now).total_seconds())


def _end(pod: Json) -> datetime | None:
    """When the last container of a Pod has ended."""
    rows = (pod.get("status") or {}).get("containerStatuses") or ()
    moments = [
        parse_time(str(((row.get("state") or {}).get("terminated") or {}).get("finishedAt") or ""))
        for row in rows
    ]
    return max((moment for moment in moments if moment is not None), default=None)


def _pod(view: View) -> Json:
    pod = pod_of(view, view.spec.get("template") or {})
    metadata = pod["metadata"]
    metadata["finalizers"] = [*(metadata.get("finalizers") or ()), TRACKED]
    return pod


def _indexed_pod(view: View, number: int) -> Json:
    """A Pod that knows its index: annotation, label, host name, environment."""
    pod = _pod(view)
    metadata, spec, text = pod["metadata"], pod["spec"], str(number)
    metadata["annotations"] = {**(metadata.get("annotations") or {}), INDEX: text}
    metadata["labels"] = {**(metadata.get("labels") or {}), INDEX: text}
    base = f"{view.name}-{number}"
    metadata |= {"name": names.generated(f"{base}-"), "generateName": f"{base}-"}
    spec["hostname"] = base
    path = f"metadata.labels['{INDEX}']"
    row = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name in ("initContainers", "containers"):
        if spec.get(name):
            spec[name] = [
                one
                if any(env.get("name") == row["name"] for env in one.get("env") or ())
                else {**one, "env": [*(one.get("env") or ()), row]}
                for one in spec[name]
            ]
    return pod


def _released(view: View, tally: _Tally) -> list[Step]:
    """Pods whose uid stands in the status already lose the finalizer."""
    before = view.status.get("uncountedTerminatedPods") or {}
    noted = {uid for rows in before.values() for uid in rows}
    return [
        Alter(place=view.place(PODS, pod["metadata"]["name"]), change=_untracked)
        for pod in view.children
        if _tracked(pod) and (pod["metadata"]["uid"] in noted or _suspended_end(view, pod, tally))
    ]


def _suspended_end(view: View, pod: Json, tally: _Tally) -> bool:
    """A Pod that was taken down because its Job is suspended: nobody counts it."""
    uid = pod["metadata"]["uid"]
    counted = uid in tally.waiting_failed or uid in tally.waiting_succeeded
    return is_going(pod) and not counted and view.spec.get("suspend") is True


def _untracked(pod: Json) -> Json:
    rows = [row for row in pod["metadata"].get("finalizers") or () if row != TRACKED]
    return {**pod, "metadata": {**pod["metadata"], "finalizers": rows}}


def _told(verdict: tuple[str, str, str]) -> Tell:
    type, reason, message = verdict
    if type == "Complete":
        return Tell(reason="Completed", message="Job completed")
    return Tell(reason=reason, message=message, type="Warning")


def _status(view: View, tally: _Tally, verdict: tuple[str, str, str] | None, *, suspended: bool) -> Json:
    rows: list[Json] = list(view.status.get("conditions") or ())
    found: Json = {
        "startTime": view.status.get("startTime"),
        "uncountedTerminatedPods": {
            name: list(uids)
            for name, uids in (("succeeded", tally.waiting_succeeded), ("failed", tally.waiting_failed))
            if uids
        },
        "ready": sum(is_ready(pod) for pod in tally.active),
    }
    if suspended:
        found["startTime"] = None
    elif found["startTime"] is None:
        found["startTime"] = view.time
    counts = {"active": len(tally.active), "succeeded": tally.succeeded, "failed": tally.failed}
    found |= {name: value for name, value in counts.items() if value}
    if _indexed(view) and tally.indexes:
        found["completedIndexes"] = _written(tally.indexes)
    known = condition(rows, "Suspended")
    if suspended or known is not None:
        word = (
            ("True", "JobSuspended", "Job suspended") if suspended else ("False", "JobResumed", "Job resumed")
        )
        rows = _with(view, rows, "Suspended", word)
    if verdict is not None:
        type, reason, message = verdict
        first = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[type]
        rows = _with(view, rows, first, ("True", reason, message))
        if not tally.active and not found["uncountedTerminatedPods"]:
            rows = _with(view, rows, type, ("True", reason, message))
            if type == "Complete":
                found["completionTime"] = view.time
    if rows:
        found["conditions"] = rows
    return {name: value for name, value in found.items() if value is not None}


def _with(view: View, rows: list[Json], type: str, said: tuple[str, str, str]) -> list[Json]:
    status, reason, message = said
    old = condition(rows, type)
    if old is not None and (old.get("status"), old.get("reason")) == (status, reason):
        return rows
    row = {"type": type, "status": status, "reason": reason, "message": message, "lastProbeTime": view.time}
    return with_condition(rows, row, view.time)


def _after(view: View, tally: _Tally, ended: Json) -> Plan:
    """A Job that has ended: its last Pods are let go, and it goes itself when its time is over."""
    steps: list[Step] = [
        Alter(place=view.place(PODS, pod["metadata"]["name"]), change=_untracked)
        for pod in view.children
        if _tracked(pod)
    ]
    steps += [remove(view, pod) for pod in tally.active]
    seconds = view.spec.get("ttlSecondsAfterFinished")
    since = parse_time(str(ended.get("lastTransitionTime") or ""))
    if seconds is None or since is None or view.going:
        return Plan(steps=steps)
    left = (since + timedelta(seconds=seconds) - view.now).total_seconds()
    if left > 0:
        return Plan(steps=steps, again=left)
    place = view.place(JOBS, view.name)
    return Plan(steps=[*steps, Remove(place=place, uid=view.owner["metadata"]["uid"])])
