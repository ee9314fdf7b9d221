"""Which failures count, and what is enough (``pod_failure_policy.go``, ``success_policy.go``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.apiserver.controllers.workloads.jobs.indexes import parsed
from sekisho.apiserver.controllers.workloads.plan import Json

Raw = Mapping[str, Any]

FAIL_JOB: Final = "FailJob"
FAIL_INDEX: Final = "FailIndex"
IGNORE: Final = "Ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a policy makes of a Pod that failed. ``message`` says why the whole Job fails, if it does."""

    action: str = ""
    message: str = ""

    @property
    def counts(self) -> bool:
        """Whether it counts against the limits."""
        return self.action != IGNORE


COUNTED: Final = Failure()


def failure_of(job: Json, pod: Json) -> Failure:
    """What the policy of a Job says of a Pod that failed; the first rule that fits decides."""
    policy = (job.get("spec") or {}).get("podFailurePolicy") or {}
    for at, rule in enumerate(policy.get("rules") or ()):
        action = str(rule.get("action") or "")
        metadata = pod["metadata"]
        name = f"{metadata.get('namespace', '')}/{metadata['name']}"
        if rule.get("onExitCodes") is not None:
            container = _by_exit_code(pod.get("status") or {}, rule["onExitCodes"])
            if container is not None:
                code = container["state"]["terminated"]["exitCode"]
                why = f"Container {container.get('name')} for pod {name} failed with exit code {code}"
                return _failure(action, f"{why} matching {action} rule at index {at}")
        elif rule.get("onPodConditions") is not None:
            type = _by_condition(pod.get("status") or {}, rule["onPodConditions"])
            if type is not None:
                return _failure(
                    action, f"Pod {name} has condition {type} matching {action} rule at index {at}"
                )
    return COUNTED


def _failure(action: str, message: str) -> Failure:
    return Failure(action=action, message=message if action == FAIL_JOB else "")


def _by_exit_code(status: Raw, wanted: Raw) -> Raw | None:
    """The first container that ended with a code that fits."""
    for name in ("containerStatuses", "initContainerStatuses"):
        for row in status.get(name) or ():
            code = ((row.get("state") or {}).get("terminated") or {}).get("exitCode")
            about = wanted.get("containerName") in (None, row.get("name"))
            if code and about and _fits(code, wanted):
                found: Raw = row
                return found
    return None


def _fits(code: int, wanted: Raw) -> bool:
    listed = code in (wanted.get("values") or ())
    return {"In": listed, "NotIn": not listed}.get(str(wanted.get("operator")), False)


def _by_condition(status: Raw, patterns: Sequence[Raw]) -> str | None:
    for row in status.get("conditions") or ():
        for pattern in patterns:
            if (row.get("type"), row.get("status")) == (pattern.get("type"), pattern.get("status")):
                return str(row["type"])
    return None


def success_of(job: Json, succeeded: Iterable[int]) -> str:
    """Which rule of the success policy is met, in the words of the condition; empty if none is."""
    spec, done = job.get("spec") or {}, frozenset(succeeded)
    if not done:
        return ""
    for at, rule in enumerate((spec.get("successPolicy") or {}).get("rules") or ()):
        count = rule.get("succeededCount")
        if rule.get("succeededIndexes") is not None:
            wanted = parsed(str(rule["succeededIndexes"]), int(spec.get("completions") or 0))
            met = bool(wanted) and (wanted <= done or (count is not None and len(wanted & done) >= count))
        else:
            met = count is not None and len(done) >= count
        if met:
            return f"Matched rules at index {at}"
    return ""
