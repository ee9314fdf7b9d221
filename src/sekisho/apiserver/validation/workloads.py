"""Workloads: selectors that fit their templates, strategies, Jobs, schedules."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver.causes import forbidden, invalid, not_supported, required
from sekisho.apiserver.schedule import ScheduleError, read
from sekisho.apiserver.validation import go
from sekisho.apiserver.validation.fields import (
    Causes,
    Raw,
    get,
    not_negative,
    not_negatives,
    one_of,
    same,
    selector,
    share,
)
from sekisho.apiserver.validation.pods import template
from sekisho.diag import DiagnosticError
from sekisho.kube.selectors import label_selector

IMMUTABLE: Final = "field is immutable"
MISMATCH: Final = "`selector` does not match template `labels`"


def _selected(spec: Raw, what: str) -> Causes:
    """A selector that selects something, and the labels of its template."""
    wanted, labels = spec.get("selector"), get(spec, "template", "metadata", "labels")
    if wanted is None:
        yield required("spec.selector")
        yield go.shown_as("spec.template.metadata.labels", go.labels(labels), MISMATCH)
        return
    yield from selector("spec.selector", wanted)
    if not wanted.get("matchLabels") and not wanted.get("matchExpressions"):
        detail = f"empty selector is invalid for {what}"
        yield go.shown_as("spec.selector", go.selector(wanted), detail)
        return
    try:
        fits = label_selector(wanted).matches(labels or {})
    except DiagnosticError:
        yield go.shown_as("spec.selector", go.selector(wanted), "invalid label selector")
        return
    if not fits:
        yield go.shown_as("spec.template.metadata.labels", go.labels(labels), MISMATCH)


def _template(spec: Raw, *, restart: bool = True) -> Causes:
    yield from template(spec.get("template"), "spec.template")
    policy, here = get(spec, "template", "spec", "restartPolicy"), "spec.template.spec"
    if restart and policy != "Always":
        yield not_supported(f"{here}.restartPolicy", policy or "", ("Always",))
    if restart and get(spec, "template", "spec", "activeDeadlineSeconds") is not None:
        detail = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden(f"{here}.activeDeadlineSeconds", detail)


def _fixed_selector(new: Raw, old: Raw | None) -> Causes:
    if not same(new, old, "spec", "selector"):
        wanted = get(new, "spec", "selector")
        shown = '"null"' if wanted is None else go.selector(wanted)
        yield go.shown_as("spec.selector", shown, IMMUTABLE)


def deployment(new: Raw, old: Raw | None) -> Causes:
    """A Deployment."""
    spec = get(new, "spec") or {}
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from _selected(spec, "deployment")
    yield from _template(spec)
    yield from _strategy(spec)
    yield from not_negatives("spec", spec, "minReadySeconds", "revisionHistoryLimit")
    deadline = spec.get("progressDeadlineSeconds")
    if isinstance(deadline, int):
        yield from not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= (spec.get("minReadySeconds") or 0):
            yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    yield from _fixed_selector(new, old)


def _strategy(spec: Raw) -> Causes:
    type, rolling = get(spec, "strategy", "type"), get(spec, "strategy", "rollingUpdate")
    at = "spec.strategy.rollingUpdate"
    if type == "Recreate":
        if rolling is not None:
            yield forbidden(at, "may not be specified when strategy `type` is 'Recreate'")
    elif type == "RollingUpdate":
        if rolling is None:
            yield required(at, "this should be defaulted and never be nil")
        else:
            yield from _rolling(rolling, at)
    else:
        found = _struct("apps.DeploymentStrategy", type, "apps.RollingUpdateDeployment")
        yield _unsupported("spec.strategy", found, ("Recreate", "RollingUpdate"))


def _rolling(rolling: Any, at: str) -> Causes:
    unavailable, surge = get(rolling, "maxUnavailable"), get(rolling, "maxSurge")
    yield from share(f"{at}.maxUnavailable", unavailable)
    yield from share(f"{at}.maxSurge", surge)
    if _zero(unavailable) and _zero(surge):
        detail = "may not be 0 when `maxSurge` is 0"
        yield go.shown_as(f"{at}.maxUnavailable", go.int_or_string(unavailable), detail)


def _zero(value: Any) -> bool:
    return value in (None, 0, "0%")


def _struct(name: str, type: Any, pointer: str) -> str:
    return f'{name}{{Type:"{type or ""}", RollingUpdate:(*{pointer})(nil)}}'


def _unsupported(at: str, printed: str, words: tuple[str, ...]) -> Any:
    from sekisho.apiserver.status import Cause

    known = ", ".join(f'"{word}"' for word in words)
    message = f"Unsupported value: {printed}: supported values: {known}"
    return Cause(reason="FieldValueNotSupported", message=message, field=at)


def replica_set(new: Raw, old: Raw | None) -> Causes:
    """A ReplicaSet."""
    spec = get(new, "spec") or {}
    yield from not_negatives("spec", spec, "replicas", "minReadySeconds")
    yield from _selected(spec, "deployment")
    yield from _template(spec)
    yield from _fixed_selector(new, old)


def daemon_set(new: Raw, old: Raw | None) -> Causes:
    """A DaemonSet."""
    spec = get(new, "spec") or {}
    yield from _selected(spec, "daemonset")
    yield from _template(spec)
    yield from not_negatives("spec", spec, "minReadySeconds", "revisionHistoryLimit")
    type, rolling = get(spec, "updateStrategy", "type"), get(spec, "updateStrategy", "rollingUpdate")
    at = "spec.updateStrategy.rollingUpdate"
    if type == "RollingUpdate":
        yield from share(f"{at}.maxUnavailable", get(rolling, "maxUnavailable"))
        yield from share(f"{at}.maxSurge", get(rolling, "maxSurge"))
        if _zero(get(rolling, "maxUnavailable")) and _zero(get(rolling, "maxSurge")):
            yield required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    elif type != "OnDelete":
        found = _struct("apps.DaemonSetUpdateStrategy", type, "apps.RollingUpdateDaemonSet")
        yield _unsupported("spec.updateStrategy", found, ("RollingUpdate", "OnDelete"))
    yield from _fixed_selector(new, old)


_CHANGEABLE: Final = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_OF_STATEFUL_SETS: Final = (
    "updates to statefulset spec for fields other than "
    f"{', '.join(repr(name) for name in _CHANGEABLE[:-1])} and {_CHANGEABLE[-1]!r} are forbidden"
)


def stateful_set(new: Raw, old: Raw | None) -> Causes:
    """A StatefulSet."""
    spec = get(new, "spec") or {}
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        detail = "must be 'OrderedReady' or 'Parallel'"
        yield (
            invalid("spec.podManagementPolicy", policy or "", detail)
            if policy
            else required("spec.podManagementPolicy")
        )
    type, rolling = get(spec, "updateStrategy", "type"), get(spec, "updateStrategy", "rollingUpdate")
    if type not in ("RollingUpdate", "OnDelete"):
        found = _struct("apps.StatefulSetUpdateStrategy", type, "apps.RollingUpdateStatefulSetStrategy")
        yield go.shown_as("spec.updateStrategy", found, "must be 'RollingUpdate' or 'OnDelete'")
    yield from not_negative("spec.updateStrategy.rollingUpdate.partition", get(rolling, "partition"))
    yield from not_negatives("spec", spec, "replicas", "minReadySeconds")
    yield from not_negative("spec.ordinals.start", get(spec, "ordinals", "start"))
    yield from _selected(spec, "statefulset")
    yield from _template(spec)
    if old is not None:
        kept = {name: value for name, value in spec.items() if name not in _CHANGEABLE}
        before = {name: value for name, value in (get(old, "spec") or {}).items() if name not in _CHANGEABLE}
        if _without_statuses(kept) != _without_statuses(before):
            yield forbidden("spec", _OF_STATEFUL_SETS)


def _without_statuses(spec: dict[str, Any]) -> dict[str, Any]:
    """Statuses of templates of claims say nothing."""
    claims = spec.get("volumeClaimTemplates")
    if not isinstance(claims, list):
        return spec
    bare = [{key: value for key, value in row.items() if key != "status"} for row in claims]
    return {**spec, "volumeClaimTemplates": bare}


def job(new: Raw, old: Raw | None) -> Causes:
    """A Job."""
    yield from job_spec(get(new, "spec") or {}, "spec")
    spec = get(new, "spec") or {}
    labels = get(spec, "template", "metadata", "labels") or {}
    wanted = spec.get("selector")
    uid = get(new, "metadata", "uid")
    if old is None and spec.get("manualSelector") is not True and wanted is not None:
        own = {"batch.kubernetes.io/controller-uid": uid}
        if wanted.get("matchExpressions") or wanted.get("matchLabels") != own:
            yield go.shown_as("spec.selector", go.selector(wanted), "`selector` not auto-generated")
    try:
        fits = wanted is None or label_selector(wanted).matches(labels)
    except DiagnosticError:
        fits = True  # the selector itself is refused by its schema
    if not fits:
        yield go.shown_as("spec.template.metadata.labels", go.labels(labels), MISMATCH)

    if old is not None:
        yield from _job_change(spec, get(old, "spec") or {}, get(old, "status") or {})


def _job_change(spec: Raw, before: Raw, status: Raw) -> Causes:
    """Selector, template and completions stay as they are (suspended Jobs that never began apart)."""
    fixed = ["selector", "completionMode"]
    if not (before.get("suspend") is True and not status.get("startTime")):
        fixed.append("template")
    if spec.get("completionMode") != "Indexed":
        fixed.append("completions")
    for name in fixed:
        if spec.get(name) != before.get(name):
            yield invalid(f"spec.{name}", spec.get(name), IMMUTABLE)


_JOB_NUMBERS: Final = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)


def job_spec(spec: Raw, at: str) -> Causes:
    """The spec of a Job, also in a CronJob."""
    yield from not_negatives(at, spec, *_JOB_NUMBERS)
    yield from one_of(f"{at}.completionMode", spec.get("completionMode"), ("NonIndexed", "Indexed"))
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        yield required(f"{at}.completions", "when completion mode is Indexed")
    policies = ("Failed", "TerminatingOrFailed")
    yield from one_of(f"{at}.podReplacementPolicy", spec.get("podReplacementPolicy"), policies)
    yield from template(spec.get("template"), f"{at}.template")
    policy, here = get(spec, "template", "spec", "restartPolicy"), f"{at}.template.spec.restartPolicy"
    if policy in ("Always", None, ""):
        yield required(here, 'valid values: "OnFailure", "Never"')


_MAX_CRON_NAME: Final = 52


def cron_job(new: Raw, old: Raw | None) -> Causes:
    """A CronJob."""
    spec, name = get(new, "spec") or {}, get(new, "metadata", "name") or ""
    if old is None and len(name) > _MAX_CRON_NAME:
        yield invalid("metadata.name", name, f"must be no more than {_MAX_CRON_NAME} characters")
    yield from _schedule(spec, old)
    yield from not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    yield from one_of(
        "spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"), needed=True
    )
    yield from job_spec(get(spec, "jobTemplate", "spec") or {}, "spec.jobTemplate.spec")
    limits = ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    yield from not_negatives("spec", spec, *limits)


def _schedule(spec: Raw, old: Raw | None) -> Causes:
    text, zone = spec.get("schedule") or "", spec.get("timeZone")
    if not text:
        yield required("spec.schedule")
    elif text.startswith(("TZ=", "CRON_TZ=")):
        detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        if old is None or get(old, "spec", "schedule") != text:
            yield invalid("spec.schedule", text, detail)
    else:
        try:
            read(text)
        except ScheduleError as error:
            yield invalid("spec.schedule", text, str(error))
    if zone is not None:
        try:
            read("* * * * *", zone)
        except ScheduleError as error:
            yield invalid("spec.timeZone", zone, str(error))
        if zone == "":
            yield invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string")
