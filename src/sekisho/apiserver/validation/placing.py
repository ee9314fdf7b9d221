"""Where Pods may go: affinity, tolerations, spreading."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver.causes import duplicate, invalid, required
from sekisho.apiserver.validation.fields import (
    POSITIVE,
    Causes,
    get,
    label,
    numbered,
    one_of,
    qualified,
    selector,
)

OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
WEIGHT: Final = "must be in the range 1-100"


def affinity(value: Any, at: str) -> Causes:
    """Affinity to nodes and to other Pods."""
    node = get(value, "nodeAffinity")
    if node is not None:
        yield from _node(node, f"{at}.nodeAffinity")
    for name in ("podAffinity", "podAntiAffinity"):
        yield from _pods(get(value, name), f"{at}.{name}")


def _node(value: Any, at: str) -> Causes:
    wanted = get(value, REQUIRED)
    if wanted is not None:
        yield from node_selector(wanted, f"{at}.{REQUIRED}")
    for here, row in numbered(value, PREFERRED, at=f"{at}.{PREFERRED}"):
        yield from _weight(row.get("weight"), here)
        yield from _term(row.get("preference"), f"{here}.preference")


def node_selector(value: Any, at: str) -> Causes:
    """Terms of which one is enough."""
    here = f"{at}.nodeSelectorTerms"
    if not get(value, "nodeSelectorTerms"):
        yield required(here, "must have at least one node selector term")
    for place, row in numbered(value, "nodeSelectorTerms", at=here):
        yield from _term(row, place)


def _term(value: Any, at: str) -> Causes:
    for name in ("matchExpressions", "matchFields"):
        for here, row in numbered(value, name, at=f"{at}.{name}"):
            operator, values = row.get("operator"), row.get("values") or ()
            if operator in ("In", "NotIn") and not values:
                yield required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'")
            elif operator in ("Gt", "Lt") and len(values) != 1:
                yield required(
                    f"{here}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'"
                )
            elif operator not in OPERATORS:
                yield invalid(f"{here}.operator", operator or "", "not a valid selector operator")
            if name == "matchExpressions":
                yield from qualified(f"{here}.key", row.get("key"))


def _pods(value: Any, at: str) -> Causes:
    for here, row in numbered(value, REQUIRED, at=f"{at}.{REQUIRED}"):
        yield from _pod_term(row, here)
    for here, row in numbered(value, PREFERRED, at=f"{at}.{PREFERRED}"):
        yield from _weight(row.get("weight"), here)
        yield from _pod_term(row.get("podAffinityTerm"), f"{here}.podAffinityTerm")


def _pod_term(value: Any, at: str) -> Causes:
    yield from selector(f"{at}.labelSelector", get(value, "labelSelector"))
    yield from selector(f"{at}.namespaceSelector", get(value, "namespaceSelector"))
    for index, name in enumerate(get(value, "namespaces") or ()):
        yield from label(f"{at}.namespace[{index}]", name)
    key = get(value, "topologyKey") or ""
    if not key:
        yield required(f"{at}.topologyKey", "can not be empty")
    yield from qualified(f"{at}.topologyKey", key)


def _weight(value: Any, at: str) -> Causes:
    if not isinstance(value, int) or not 1 <= value <= 100:
        yield invalid(f"{at}.weight", value or 0, WEIGHT)


_EMPTY_KEY: Final = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'


def tolerations(spec: Any, at: str) -> Causes:
    """Which taints a Pod bears."""
    for here, row in numbered(spec, "tolerations", at=at):
        key, operator, effect = row.get("key") or "", row.get("operator") or "", row.get("effect") or ""
        if key:
            yield from qualified(f"{here}.key", key)
        if not key and operator != "Exists":
            yield invalid(f"{here}.operator", operator, _EMPTY_KEY)
        if row.get("tolerationSeconds") is not None and effect != "NoExecute":
            detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield invalid(f"{here}.effect", effect, detail)
        if operator == "Exists" and row.get("value"):
            detail = "value must be empty when `operator` is 'Exists'"
            yield invalid(f"{here}.operator", row["value"], detail)
        yield from one_of(f"{here}.operator", operator, ("Equal", "Exists"))
        yield from one_of(f"{here}.effect", effect, EFFECTS)


def spreading(spec: Any, at: str) -> Causes:
    """How Pods are spread."""
    seen: set[tuple[Any, Any]] = set()
    for here, row in numbered(spec, "topologySpreadConstraints", at=at):
        skew = row.get("maxSkew") or 0
        if skew <= 0:
            yield invalid(f"{here}.maxSkew", skew, "must be greater than zero")
        if not row.get("topologyKey"):
            yield required(f"{here}.topologyKey", "can not be empty")
        words = ("DoNotSchedule", "ScheduleAnyway")
        yield from one_of(f"{here}.whenUnsatisfiable", row.get("whenUnsatisfiable"), words)
        pair = (row.get("topologyKey"), row.get("whenUnsatisfiable"))
        if pair in seen:
            yield duplicate(here, f"{{{pair[0]}, {pair[1]}}}")
        seen.add(pair)
        domains = row.get("minDomains")
        if isinstance(domains, int) and domains <= 0:
            yield invalid(f"{here}.minDomains", domains, POSITIVE)
        yield from selector(f"{here}.labelSelector", row.get("labelSelector"))
