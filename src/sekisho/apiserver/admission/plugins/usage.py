"""How much of a quota an object uses, and whether a quota is about it (``pkg/quota/v1/evaluator/core``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sekisho.apiserver.admission.plugins.resources import Amounts, amounts, containers, pod_total
from sekisho.apiserver.strategies import qos_class
from sekisho.kube.decode import parse_time
from sekisho.kube.quantity import Quantity, parse

Raw = Mapping[str, Any]
Key = tuple[str, str]

PODS: Final = ("", "pods")
SERVICES: Final = ("", "services")
CLAIMS: Final = ("", "persistentvolumeclaims")

ONE: Final = parse("1")
ZERO: Final = parse("0")

COUNTED: Final[Mapping[Key, str]] = {
    ("", "configmaps"): "configmaps",
    ("", "resourcequotas"): "resourcequotas",
    ("", "replicationcontrollers"): "replicationcontrollers",
    ("", "secrets"): "secrets",
}
"""Resources whose objects are counted under a name of their own, beside ``count/…``."""

NATIVE: Final = ("cpu", "memory", "ephemeral-storage")
COMPUTE: Final = frozenset(
    {*NATIVE, "pods", *(f"{kind}.{name}" for kind in ("requests", "limits") for name in NATIVE)}
)
NEEDED: Final = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
"""What every container must say where a quota is about it."""

STORAGE_SUFFIX: Final = ".storageclass.storage.k8s.io/"


def count_name(key: Key) -> str:
    """What a quota of the objects of a resource is called: ``count/deployments.apps``."""
    group, plural = key
    return f"count/{plural}.{group}" if group else f"count/{plural}"


def usage_of(key: Key, value: Raw, now: datetime | None = None) -> Amounts:
    """What an object uses."""
    used: Amounts = {count_name(key): ONE}
    if (name := COUNTED.get(key)) is not None:
        used[name] = ONE
    evaluate = _EVALUATORS.get(key)
    if evaluate is not None:
        used |= evaluate(value, now or datetime.now(UTC))
    return used


def _pod(pod: Raw, now: datetime) -> Amounts:
    if _is_over(pod, now):
        return {}
    spec = pod.get("spec") or {}
    return {"pods": ONE, **_compute(pod_total(spec, "requests"), pod_total(spec, "limits"))}


def _compute(requests: Amounts, limits: Amounts) -> Amounts:
    used: Amounts = {}
    for name, value in requests.items():
        if name in NATIVE or name.startswith("hugepages-"):
            used[name] = value
        if name in NATIVE or name.startswith("hugepages-") or "/" in name:
            used[f"requests.{name}"] = value
    for name, value in limits.items():
        if name in NATIVE:
            used[f"limits.{name}"] = value
    return used


def _is_over(pod: Raw, now: datetime) -> bool:
    """Whether a Pod uses nothing any more: it has ended, or should have by now."""
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return True
    metadata = pod["metadata"]
    going = parse_time(metadata.get("deletionTimestamp") or "")
    grace = metadata.get("deletionGracePeriodSeconds")
    return going is not None and grace is not None and now > going + timedelta(seconds=grace)


def _service(service: Raw, now: datetime) -> Amounts:  # noqa: ARG001 - all have one form
    spec = service.get("spec") or {}
    ports = spec.get("ports") or ()
    balancer = spec.get("type") == "LoadBalancer"
    numbered = len(ports) if balancer or spec.get("type") == "NodePort" else 0
    if balancer and spec.get("allocateLoadBalancerNodePorts") is False:
        numbered = sum(bool(row.get("nodePort")) for row in ports)
    return {
        "services": ONE,
        "services.loadbalancers": ONE if balancer else ZERO,
        "services.nodeports": parse(str(numbered)),
    }


def _claim(claim: Raw, now: datetime) -> Amounts:  # noqa: ARG001
    spec = claim.get("spec") or {}
    used: Amounts = {"persistentvolumeclaims": ONE}
    storage = amounts((spec.get("resources") or {}).get("requests")).get("storage")
    if storage is not None:
        used["requests.storage"] = storage
    name = spec.get("storageClassName")
    if name:
        used[f"{name}{STORAGE_SUFFIX}persistentvolumeclaims"] = ONE
        if storage is not None:
            used[f"{name}{STORAGE_SUFFIX}requests.storage"] = storage
    return used


_EVALUATORS: Final[Mapping[Key, Callable[[Raw, datetime], Amounts]]] = {
    PODS: _pod,
    SERVICES: _service,
    CLAIMS: _claim,
}


def concerns(key: Key, names: Iterable[str]) -> list[str]:
    """Which of the names of a quota are about a resource."""
    return [name for name in names if _concerns(key, name)]


def _concerns(key: Key, name: str) -> bool:
    if name == count_name(key) or name == COUNTED.get(key):
        return True
    if key == PODS:
        if name in COMPUTE or name.startswith(("hugepages-", "requests.hugepages-")):
            return True
        head, _, rest = name.partition(".")
        return head == "requests" and "/" in rest
    if key == SERVICES:
        return name in ("services", "services.loadbalancers", "services.nodeports")
    if key == CLAIMS:
        return name in ("persistentvolumeclaims", "requests.storage") or STORAGE_SUFFIX in name
    return False


def lacking(key: Key, value: Raw, names: Iterable[str]) -> str:
    """What containers must say and do not, as messages tell it; empty if nothing is missing."""
    wanted = NEEDED & set(names)
    if key != PODS or not wanted:
        return ""
    missing: dict[str, set[str]] = {}
    for container in containers(value.get("spec") or {}):
        resources = container.get("resources") or {}
        has = _compute(amounts(resources.get("requests")), amounts(resources.get("limits")))
        for name in wanted - has.keys():
            missing.setdefault(name, set()).add(str(container.get("name", "")))
    parts = (f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))
    return f"must specify {'; '.join(parts)}" if missing else ""


def in_scope(key: Key, value: Raw, selectors: Iterable[Raw]) -> bool:
    """Whether an object is in all scopes of a quota. Only Pods are in any."""
    return all(key == PODS and _in(value, selector) for selector in selectors)


def scopes(spec: Raw) -> list[Raw]:
    """The scopes of a quota as selectors."""
    plain = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    return [*plain, *((spec.get("scopeSelector") or {}).get("matchExpressions") or ())]


def _in(pod: Raw, selector: Raw) -> bool:
    spec = pod.get("spec") or {}
    deadline = spec.get("activeDeadlineSeconds")
    best_effort = qos_class(pod) == "BestEffort"
    match selector.get("scopeName"):
        case "Terminating":
            return deadline is not None and deadline >= 0
        case "NotTerminating":
            return deadline is None or deadline < 0
        case "BestEffort":
            return best_effort
        case "NotBestEffort":
            return not best_effort
        case "PriorityClass":
            return _of_class(spec.get("priorityClassName") or "", selector)
        case "CrossNamespacePodAffinity":
            return _crosses(spec.get("affinity") or {})
    return False


def _of_class(name: str, selector: Raw) -> bool:
    values = selector.get("values") or ()
    match selector.get("operator"):
        case "In":
            return bool(name) and name in values
        case "NotIn":
            return name not in values
        case "DoesNotExist":
            return not name
    return bool(name)


def _crosses(affinity: Raw) -> bool:
    """Whether an affinity looks into other namespaces."""
    for field in ("podAffinity", "podAntiAffinity"):
        rows = affinity.get(field) or {}
        terms = [*(rows.get("requiredDuringSchedulingIgnoredDuringExecution") or ())]
        terms += [
            row.get("podAffinityTerm") or {}
            for row in rows.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        ]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


def minus(left: Amounts, right: Amounts) -> Amounts:
    """What the left has more, name by name; never less than nothing."""
    return {name: max(value - right.get(name, ZERO), ZERO) for name, value in left.items()}


def positive(rows: Amounts) -> dict[str, Quantity]:
    """Those that are more than nothing."""
    return {name: value for name, value in rows.items() if value > ZERO}
