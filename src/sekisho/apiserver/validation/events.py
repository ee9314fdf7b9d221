"""Events as those of the core group: judged loosely if they came that way, strictly by ``events.k8s.io``."""

from __future__ import annotations

from typing import Final

from sekisho.apiserver.causes import immutable, invalid, required
from sekisho.apiserver.validation.fields import Causes, Raw, get, qualified

LIMITS: Final = (("reportingInstance", 128), ("action", 128), ("reason", 128))
MAX_NOTE: Final = 1024
"""Letters of fields."""

UNSET: Final = ("firstTimestamp", "lastTimestamp", "count", "source")
"""Fields of old Events, which new ones may not have."""

FIXED: Final = (
    *("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type"),
    *("eventTime", "action", "related", "reportingController", "reportingInstance"),
)
"""What nobody changes through ``events.k8s.io``."""


def event(new: Raw, old: Raw | None) -> Causes:  # noqa: ARG001 - all rules have one form
    """An Event of the core group."""
    yield from _event(new, "reportingComponent")


def strict_event(new: Raw, old: Raw | None) -> Causes:
    """An Event of ``events.k8s.io``, in the form of the core group."""
    yield from _event(new, "reportingController")
    if old is None:
        yield from _series(new)
        yield from _first(new)
        return
    if new.get("series") != old.get("series"):
        yield from _series(new)
    for name in FIXED:
        field = "reportingComponent" if name == "reportingController" else name
        if new.get(field) != old.get(field):
            yield immutable(name, new.get(field))


def _event(value: Raw, controller: str) -> Causes:
    namespace = get(value, "metadata", "namespace") or ""
    about = get(value, "involvedObject", "namespace") or ""
    elsewhere = ("default", "kube-system") if value.get("eventTime") else ("default",)
    agrees = namespace in elsewhere if not about else bool(value.get("eventTime")) or about == namespace
    if not agrees:
        yield invalid("involvedObject.namespace", about, "does not match event.namespace")
    if not value.get("eventTime"):
        return
    name = value.get("reportingComponent") or ""
    if not name:
        yield required(controller)
    yield from qualified(controller, name)
    for field, most in LIMITS:
        text = value.get(field) or ""
        if not text:
            yield required(field)
        if len(text) > most:
            yield invalid(field, "", f"can have at most {most} characters")
    if len(value.get("message") or "") > MAX_NOTE:
        yield invalid("message", "", f"can have at most {MAX_NOTE} characters")


def _series(value: Raw) -> Causes:
    series = value.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")


def _first(value: Raw) -> Causes:
    if not value.get("eventTime"):
        yield required("eventTime")
    type = value.get("type") or ""
    if type not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {type}")
    for name in UNSET:
        if value.get(name):
            yield invalid(name, "", "needs to be unset")
