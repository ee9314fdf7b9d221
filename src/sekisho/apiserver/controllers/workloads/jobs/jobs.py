"""Jobs: Pods until enough of them have succeeded, or too many failed (controller/job)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sekisho.apiserver.controllers.workloads.jobs.indexes import written
from sekisho.apiserver.controllers.workloads.jobs.pods import (
    JOBS,
    all_failures_of,
    delay_after,
    end_of,
    index_of,
    is_failed,
    is_tracked,
    made,
    made_for,
    replaces_failed_only,
    untracked,
)
from sekisho.apiserver.controllers.workloads.jobs.policies import failure_of, success_of
from sekisho.apiserver.controllers.workloads.jobs.tally import Tally, by_index, is_indexed, tally
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
from sekisho.apiserver.controllers.workloads.pods import BURST, by_dispensability, make, phase, remove
from sekisho.apiserver.eviction import is_ready
from sekisho.kube.decode import parse_time

BACKOFF: Final = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE: Final = ("DeadlineExceeded", "Job was active longer than specified deadline")
TOO_MANY_INDEXES: Final = (
    "MaxFailedIndexesExceeded",
    "Job has exceeded the specified maximal number of failed indexes",
)
SOME_INDEXES: Final = ("FailedIndexes", "Job has failed indexes")
REACHED: Final = ("CompletionsReached", "Reached expected number of succeeded pods")

Verdict = tuple[str, str, str]
"""How a Job ends: the type of the condition, reason and message."""


def reconcile(view: View) -> Plan:
    """Pods for what is left to do; none once the Job has ended."""
    counted = tally(view)
    conditions = view.status.get("conditions") or ()
    ended = next((row for row in conditions if row["type"] in ("Complete", "Failed")), None)
    if ended is not None:
        return _after(view, counted, ended)
    verdict = _verdict(view, counted)
    steps: list[Step] = list(_released(view, counted, verdict))
    suspended = view.spec.get("suspend") is True
    again = None
    if verdict is not None or suspended or view.going:
        steps += [remove(view, pod) for pod in counted.active]
    else:
        more, again = _made(view, counted)
        steps += more
    if verdict is not None and not counted.active:
        steps.append(_told(verdict))
    was = (condition(conditions, "Suspended") or {}).get("status") == "True"
    if suspended != was and verdict is None:
        word = ("Suspended", "Job suspended") if suspended else ("Resumed", "Job resumed")
        steps.append(Tell(reason=word[0], message=word[1]))
    return Plan(
        steps=steps,
        status=lambda _: _status(view, counted, verdict, suspended=suspended),
        again=min((row for row in (again, _until_deadline(view)) if row is not None), default=None),
    )


def _verdict(view: View, counted: Tally) -> Verdict | None:
    """Whether the Job has ended, in the original's order: what stands, failures, successes."""
    rows = view.status.get("conditions") or ()
    for type, noted in (("Complete", "SuccessCriteriaMet"), ("Failed", "FailureTarget")):
        row = condition(rows, noted)
        if row is not None and row.get("status") == "True":
            return (type, str(row["reason"]), str(row["message"]))
    failed = _failure(view, counted)
    if failed is not None:
        return ("Failed", *failed)
    if is_indexed(view) and (met := success_of(view.owner, counted.indexes)):
        return ("Complete", "SuccessPolicy", met)
    wanted = view.spec.get("completions")
    done = len(counted.indexes) if is_indexed(view) else counted.all_succeeded
    complete = done > 0 if wanted is None else done >= wanted
    return ("Complete", *REACHED) if complete and not counted.active else None


def _failure(view: View, counted: Tally) -> tuple[str, str] | None:
    if view.spec.get("podFailurePolicy") is not None:
        failed = (pod for pod in view.children if is_failed(view.owner, pod))
        message = next((text for pod in failed if (text := failure_of(view.owner, pod).message)), "")
        if message:
            return ("PodFailurePolicy", message)
    if _past_limit(view, counted):
        return BACKOFF
    left = _until_deadline(view)
    if left is not None and left <= 0:
        return DEADLINE
    if not by_index(view) or not counted.failed_indexes:
        return None
    most, lost = view.spec.get("maxFailedIndexes"), len(counted.failed_indexes)
    if most is not None and lost > most:
        return TOO_MANY_INDEXES
    settled = lost + len(counted.indexes)
    return SOME_INDEXES if settled >= int(view.spec.get("completions") or 0) else None


def _past_limit(view: View, counted: Tally) -> bool:
    """Whether Pods have failed too often, or their containers been started again too often."""
    limit = int(view.spec.get("backoffLimit", 6))
    if counted.all_failed > limit:
        return True
    template = (view.spec.get("template") or {}).get("spec") or {}
    if template.get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(
        int(row.get("restartCount") or 0)
        for pod in view.children
        if phase(pod) in ("Pending", "Running")
        for name in ("initContainerStatuses", "containerStatuses")
        for row in (pod.get("status") or {}).get(name) or ()
    )
    return restarts > 0 if limit == 0 else restarts >= limit


def _until_deadline(view: View) -> float | None:
    seconds = view.spec.get("activeDeadlineSeconds")
    since = parse_time(str(view.status.get("startTime") or ""))
    if seconds is None or since is None or view.spec.get("suspend") is True:
        return None
    return (since + timedelta(seconds=seconds) - view.now).total_seconds()


# Pods.


def _made(view: View, counted: Tally) -> tuple[list[Step], float | None]:
    """Pods that are missing, or when they may be made."""
    wanted = int(view.spec.get("parallelism", 1))
    completions = view.spec.get("completions")
    if completions is not None:
        done = len(counted.indexes) if is_indexed(view) else counted.all_succeeded
        wanted = max(0, min(wanted, completions - done))
    elif counted.all_succeeded > 0:
        wanted = len(counted.active)
    surplus = _surplus(view, counted.active, wanted)
    if surplus:
        return [remove(view, pod) for pod in surplus[:BURST]], None
    going = len(counted.terminating) if replaces_failed_only(view.owner) else 0
    missing = min(BURST, wanted - going - len(counted.active))
    if missing <= 0:
        return [], None
    if by_index(view):
        return _made_by_index(view, counted, missing)
    ends = [moment for pod in view.children if phase(pod) == "Failed" and (moment := end_of(pod)) is not None]
    wait = delay_after(counted.all_failed, max(ends, default=None), view.now)
    if wait > 0:
        return [], wait
    if not is_indexed(view):
        return [make(view, made(view)) for _ in range(missing)], None
    return [make(view, made_for(view, number, None)) for number in _free(view, counted, missing)], None


def _made_by_index(view: View, counted: Tally, missing: int) -> tuple[list[Step], float | None]:
    """Each index waits for itself after a failure."""
    steps: list[Step] = []
    waits: list[float] = []
    for number in _free(view, counted, missing):
        before = counted.held.get(number)
        failures = all_failures_of(before) + 1 if before is not None else 0
        wait = delay_after(failures, end_of(before) if before is not None else None, view.now)
        if wait > 0:
            waits.append(wait)
        else:
            steps.append(make(view, made_for(view, number, before)))
    return steps, min(waits, default=None)


def _free(view: View, counted: Tally, count: int) -> list[int]:
    """The first indexes that nothing is done about."""
    taken = counted.indexes | counted.failed_indexes | {index_of(pod) for pod in counted.active}
    if replaces_failed_only(view.owner):
        taken |= {index_of(pod) for pod in counted.terminating}
    found: list[int] = []
    for number in range(int(view.spec.get("completions") or 0)):
        if len(found) == count:
            break
        if number not in taken:
            found.append(number)
    return found


def _surplus(view: View, active: Sequence[Json], wanted: int) -> list[Json]:
    """Active Pods that are too many: of one index more than one, with no index or a wrong one, the rest."""
    ranked = by_dispensability(active)
    gone: list[Json] = []
    if is_indexed(view):
        most = int(view.spec.get("completions") or 0)
        seen: set[int] = set()
        for pod in reversed(ranked):
            number = index_of(pod)
            if not 0 <= number < most or number in seen:
                gone.append(pod)
            seen.add(number)
    left = [pod for pod in ranked if pod not in gone]
    return [*gone, *left[: max(0, len(active) - wanted - len(gone))]]


def _released(view: View, counted: Tally, verdict: Verdict | None) -> list[Step]:
    """Pods that are counted lose the finalizer; of a Job that is ending all do that will not be counted."""
    before = view.status.get("uncountedTerminatedPods") or {}
    noted = {uid for rows in before.values() for uid in rows}
    noted |= {pod["metadata"]["uid"] for pod in counted.ignored}
    if view.going:
        noted |= {pod["metadata"]["uid"] for pod in view.children}
    elif verdict is not None:
        noted |= {pod["metadata"]["uid"] for pod in counted.terminating} - {*counted.waiting_failed}
    return [
        Alter(place=view.place(PODS, pod["metadata"]["name"]), change=untracked)
        for pod in view.children
        if is_tracked(pod) and pod["metadata"]["uid"] in noted
    ]


def _told(verdict: Verdict) -> Tell:
    type, reason, message = verdict
    if type == "Complete":
        return Tell(reason="Completed", message="Job completed")
    return Tell(reason=reason, message=message, type="Warning")


# Status.


def _status(view: View, counted: Tally, verdict: Verdict | None, *, suspended: bool) -> Json:
    rows: list[Json] = list(view.status.get("conditions") or ())
    waiting_failed = list(counted.waiting_failed)
    if verdict is not None and verdict[0] == "Failed":
        # What is kept to be replaced never will be.
        waiting_failed += [pod["metadata"]["uid"] for pod in counted.held.values()]
    waiting = {"succeeded": list(counted.waiting_succeeded), "failed": waiting_failed}
    found: Json = {
        "startTime": view.status.get("startTime"),
        "uncountedTerminatedPods": {name: uids for name, uids in waiting.items() if uids},
        "ready": sum(is_ready(pod) for pod in counted.active),
        "terminating": len(counted.terminating),
    }
    if suspended:
        found["startTime"] = None
    elif found["startTime"] is None:
        found["startTime"] = view.time
    counts = {"active": len(counted.active), "succeeded": counted.succeeded, "failed": counted.failed}
    found |= {name: value for name, value in counts.items() if value}
    if is_indexed(view) and counted.indexes:
        found["completedIndexes"] = written(counted.indexes)
    if by_index(view):
        found["failedIndexes"] = written(counted.failed_indexes)
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
        if not counted.active and not counted.terminating and not found["uncountedTerminatedPods"]:
            rows = _with(view, rows, type, ("True", reason, message))
            if type == "Complete":
                found["completionTime"] = view.time
    if rows:
        found["conditions"] = rows
    return {name: value for name, value in found.items() if value is not None}


def _with(view: View, rows: list[Json], type: str, said: Verdict) -> list[Json]:
    status, reason, message = said
    old = condition(rows, type)
    if old is not None and (old.get("status"), old.get("reason")) == (status, reason):
        return rows
    row = {"type": type, "status": status, "reason": reason, "message": message, "lastProbeTime": view.time}
    return with_condition(rows, row, view.time)


def _after(view: View, counted: Tally, ended: Json) -> Plan:
    """A Job that has ended: its last Pods are let go, and it goes itself when its time is over."""
    steps: list[Step] = [
        Alter(place=view.place(PODS, pod["metadata"]["name"]), change=untracked)
        for pod in view.children
        if is_tracked(pod)
    ]
    steps += [remove(view, pod) for pod in counted.active]
    seconds = view.spec.get("ttlSecondsAfterFinished")
    since = parse_time(str(ended.get("lastTransitionTime") or ""))
    if seconds is None or since is None or view.going:
        return Plan(steps=steps)
    left = (since + timedelta(seconds=seconds) - view.now).total_seconds()
    if left > 0:
        return Plan(steps=steps, again=left)
    place = view.place(JOBS, view.name)
    return Plan(steps=[*steps, Remove(place=place, uid=view.owner["metadata"]["uid"])])
