"""What has come of a Job's Pods.

A finished Pod is counted exactly once, whoever deletes it: it carries a finalizer until its uid stands in the
status (of an indexed Job's successes: until their index does); the counters grow when the finalizer is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sekisho.apiserver.controllers.workloads.jobs.indexes import parsed
from sekisho.apiserver.controllers.workloads.jobs.pods import (
    all_failures_of,
    end_of,
    failures_of,
    index_of,
    is_failed,
    is_tracked,
)
from sekisho.apiserver.controllers.workloads.jobs.policies import FAIL_INDEX, failure_of
from sekisho.apiserver.controllers.workloads.plan import Json, View
from sekisho.apiserver.controllers.workloads.pods import is_active, is_going, phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """``waiting_*``: uids that are noted and not counted yet. ``ignored``: Pods whose failure does not count.

    ``held``: by index the failed Pod that is kept until it has been replaced.
    """

    active: Sequence[Json]
    succeeded: int
    failed: int
    waiting_succeeded: Sequence[str]
    waiting_failed: Sequence[str]
    indexes: frozenset[int]
    failed_indexes: frozenset[int] = frozenset()
    ignored: Sequence[Json] = ()
    terminating: Sequence[Json] = ()
    held: Mapping[int, Json] = field(default_factory=dict)

    @property
    def all_succeeded(self) -> int:
        """Counted or not."""
        return self.succeeded + len(self.waiting_succeeded)

    @property
    def all_failed(self) -> int:
        """Counted or not."""
        return self.failed + len(self.waiting_failed)


def is_indexed(view: View) -> bool:
    """Whether the Pods of a Job have indexes."""
    return view.spec.get("completionMode") == "Indexed"


def by_index(view: View) -> bool:
    """Whether each index has a limit of its own."""
    return is_indexed(view) and view.spec.get("backoffLimitPerIndex") is not None


def tally(view: View) -> Tally:
    """Count the Pods of a Job."""
    before = view.status.get("uncountedTerminatedPods") or {}
    known = {pod["metadata"]["uid"]: pod for pod in view.children}
    counts: dict[str, int] = {}
    waiting: dict[str, list[str]] = {}
    for name in ("succeeded", "failed"):
        noted = before.get(name) or []
        left = [uid for uid in noted if uid in known and is_tracked(known[uid])]
        counts[name] = int(view.status.get(name) or 0) + len(noted) - len(left)
        waiting[name] = left
    seen = {uid for rows in before.values() for uid in rows}
    active = [pod for pod in view.children if is_active(pod)]
    indexes = _indexes(view)
    failed_indexes = _failed_indexes(view)
    held = _held(view, active, indexes | failed_indexes)
    kept = {pod["metadata"]["uid"] for pod in held.values()}
    ignored = []
    for uid, pod in known.items():
        if uid in seen or uid in kept or not is_tracked(pod):
            continue
        if phase(pod) == "Succeeded":
            waiting["succeeded"].append(uid)
        elif is_failed(view.owner, pod) and _counts(view, pod):
            waiting["failed"].append(uid)
        elif is_failed(view.owner, pod):
            ignored.append(pod)
    return Tally(
        active=active,
        succeeded=counts["succeeded"],
        failed=counts["failed"],
        waiting_succeeded=waiting["succeeded"],
        waiting_failed=waiting["failed"],
        indexes=indexes,
        failed_indexes=failed_indexes,
        ignored=ignored,
        terminating=[
            pod for pod in view.children if is_going(pod) and phase(pod) not in ("Succeeded", "Failed")
        ],
        held=held,
    )


def _counts(view: View, pod: Json) -> bool:
    """Whether a failure is one: what a Job takes down itself, suspended or satisfied, has not failed."""
    own = view.spec.get("suspend") is True or _has(view, "SuccessCriteriaMet")
    if own and phase(pod) != "Failed":
        return False
    return failure_of(view.owner, pod).counts


def _has(view: View, type: str) -> bool:
    rows = view.status.get("conditions") or ()
    return any((row.get("type"), row.get("status")) == (type, "True") for row in rows)


def _completions(view: View) -> int:
    return int(view.spec.get("completions") or 0)


def _indexes(view: View) -> frozenset[int]:
    """Indexes that have succeeded."""
    if not is_indexed(view):
        return frozenset()
    most = _completions(view)
    new = (index_of(pod) for pod in view.children if phase(pod) == "Succeeded")
    known = parsed(str(view.status.get("completedIndexes") or ""), most)
    return known | frozenset(number for number in new if 0 <= number < most)


def _failed_indexes(view: View) -> frozenset[int]:
    """Indexes that have failed for good."""
    if not by_index(view):
        return frozenset()
    most = _completions(view)
    known = parsed(str(view.status.get("failedIndexes") or ""), most)
    if _has(view, "FailureTarget"):
        return known  # what is taken down now has not failed by itself
    new = (index_of(pod) for pod in _failed(view) if _has_failed(view, pod))
    return known | frozenset(number for number in new if number < most)


def _failed(view: View) -> Iterator[Json]:
    """Failed Pods with an index that have not been let go."""
    return (
        pod for pod in view.children if is_tracked(pod) and index_of(pod) >= 0 and is_failed(view.owner, pod)
    )


def _has_failed(view: View, pod: Json) -> bool:
    """Whether with this Pod its index has failed too often."""
    failure = failure_of(view.owner, pod)
    if failure.action == FAIL_INDEX:
        return True
    return failure.counts and failures_of(pod) >= int(view.spec["backoffLimitPerIndex"])


def _held(view: View, active: Sequence[Json], settled: frozenset[int]) -> dict[int, Json]:
    """By index the last failed Pod, where nothing has replaced it yet."""
    if not by_index(view):
        return {}
    taken = settled | {index_of(pod) for pod in active}
    found: dict[int, Json] = {}
    for pod in _failed(view):
        number = index_of(pod)
        if number in taken or number >= _completions(view):
            continue
        other = found.get(number)
        if other is None or _order(other) <= _order(pod):
            found[number] = pod
    return found


def _order(pod: Json) -> tuple[int, str]:
    return all_failures_of(pod), str(end_of(pod) or "")
