"""LimitRanger: what a LimitRange fills in, and what it refuses (``plugin/pkg/admission/limitranger``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sekisho.apiserver.admission.asked import Asked
from sekisho.apiserver.admission.plugins.pods import PODS
from sekisho.apiserver.admission.plugins.resources import ZERO, Amounts, amounts, containers, pod_total
from sekisho.apiserver.store import Store
from sekisho.kube.quantity import Quantity
from sekisho.kube.review import Operation

Raw = Mapping[str, Any]

RANGES: Final = ("", "limitranges")
CLAIMS: Final = ("", "persistentvolumeclaims")
ANNOTATION: Final = "kubernetes.io/limit-ranger"


class LimitRanger:
    """Defaults and bounds of what containers, Pods and claims ask for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, asked: Asked) -> None:
        """Fill in what containers leave out."""
        if asked.is_(PODS, Operation.CREATE):
            for limits in self._ranges(asked):
                _fill(asked.subject, limits)

    def validate(self, asked: Asked) -> None:
        """Refuse what is out of bounds; everything of one LimitRange is told."""
        claim = asked.is_(CLAIMS, Operation.CREATE, Operation.UPDATE)
        if not claim and not asked.is_(PODS, Operation.CREATE):
            return
        if asked.old is not None and asked.old["metadata"].get("deletionTimestamp"):
            return
        for limits in self._ranges(asked):
            spec = asked.subject.get("spec") or {}
            wrong = list(_claim_problems(spec, limits) if claim else _pod_problems(spec, limits))
            if wrong:
                different = list(dict.fromkeys(wrong))
                raise asked.forbidden(different[0] if len(different) == 1 else f"[{', '.join(different)}]")

    def _ranges(self, asked: Asked) -> Iterator[list[Raw]]:
        for row in self._store.rows(RANGES, asked.namespace):
            yield (row.load().get("spec") or {}).get("limits") or []


def _fill(pod: dict[str, Any], limits: list[Raw]) -> None:
    defaults: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    for limit in limits:
        if limit.get("type") == "Container":
            defaults["requests"].update(limit.get("defaultRequest") or {})
            defaults["limits"].update(limit.get("default") or {})
    told: list[str] = []
    spec = pod.get("spec") or {}
    for title, list_name in (("container", "containers"), ("init container", "initContainers")):
        for container in containers(spec, list_name):
            assert isinstance(container, dict), "decoded from JSON"
            told += _fill_container(container, defaults, title)
    if told:
        metadata = pod["metadata"]
        text = "LimitRanger plugin set: " + "; ".join(told)
        metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION: text}


def _fill_container(container: dict[str, Any], defaults: Mapping[str, Raw], title: str) -> Iterator[str]:
    resources = dict(container.get("resources") or {})
    for field, word in (("requests", "request"), ("limits", "limit")):
        own = dict(resources.get(field) or {})
        added = {name: value for name, value in defaults[field].items() if name not in own}
        if added:
            resources[field] = {**own, **added}
            yield f"{', '.join(sorted(added))} {word} for {title} {container.get('name', '')}"
    container["resources"] = resources


def _claim_problems(spec: Raw, limits: list[Raw]) -> Iterator[str]:
    requests = amounts((spec.get("resources") or {}).get("requests"))
    kind = "PersistentVolumeClaim"
    for limit in limits:
        if limit.get("type") == kind:
            yield from _each(limit, "min", lambda name, bound: _below(kind, name, bound, requests, {}))
            yield from _each(limit, "max", lambda name, bound: _above_request(kind, name, bound, requests))


def _pod_problems(spec: Raw, limits: list[Raw]) -> Iterator[str]:
    for limit in limits:
        kind = limit.get("type")
        if kind == "Container":
            for container in containers(spec):
                resources = container.get("resources") or {}
                yield from _problems(
                    kind, limit, amounts(resources.get("requests")), amounts(resources.get("limits"))
                )
        elif kind == "Pod":
            yield from _problems(kind, limit, pod_total(spec, "requests"), pod_total(spec, "limits"))


def _problems(kind: str, limit: Raw, requests: Amounts, caps: Amounts) -> Iterator[str]:
    yield from _each(limit, "min", lambda name, bound: _below(kind, name, bound, requests, caps))
    yield from _each(limit, "max", lambda name, bound: _above(kind, name, bound, requests, caps))
    yield from _each(
        limit, "maxLimitRequestRatio", lambda name, bound: _ratio(kind, name, bound, requests, caps)
    )


def _each(limit: Raw, field: str, check: Callable[[str, Quantity], str]) -> Iterator[str]:
    for name, bound in amounts(limit.get(field)).items():
        if wrong := check(name, bound):
            yield wrong


def _below(kind: str, name: str, bound: Quantity, requests: Amounts, caps: Amounts) -> str:
    head = f"minimum {name} usage per {kind} is {bound}"
    if name not in requests:
        return f"{head}.  No request is specified"
    if requests[name] < bound:
        return f"{head}, but request is {requests[name]}"
    if name in caps and caps[name] < bound:
        return f"{head}, but limit is {caps[name]}"
    return ""


def _above(kind: str, name: str, bound: Quantity, requests: Amounts, caps: Amounts) -> str:
    head = f"maximum {name} usage per {kind} is {bound}"
    if name not in caps:
        return f"{head}.  No limit is specified"
    if caps[name] > bound:
        return f"{head}, but limit is {caps[name]}"
    if name in requests and requests[name] > bound:
        return f"{head}, but request is {requests[name]}"
    return ""


def _above_request(kind: str, name: str, bound: Quantity, requests: Amounts) -> str:
    head = f"maximum {name} usage per {kind} is {bound}"
    if name not in requests:
        return f"{head}.  No request is specified"
    return f"{head}, but request is {requests[name]}" if requests[name] > bound else ""


def _ratio(kind: str, name: str, bound: Quantity, requests: Amounts, caps: Amounts) -> str:
    head = f"{name} max limit to request ratio per {kind} is {bound}, but"
    request, cap = requests.get(name, ZERO), caps.get(name, ZERO)
    if not request:
        return f"{head} no request is specified or request is 0"
    if not cap:
        return f"{head} no limit is specified or limit is 0"
    ratio = cap.value / request.value
    return f"{head} provided ratio is {float(ratio):f}" if ratio > bound.value else ""
