"""HorizontalPodAutoscalers: ``autoscaling/v2`` as v1 shows it, and back.

v1 has a field for the utilization of CPU alone. Other metrics, what was measured, conditions and behaviour
stand in annotations, in the JSON of v1's own types (behaviour: of the server's internal ones).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Json = dict[str, Any]
Raw = Mapping[str, Any]

PREFIX: Final = "autoscaling.alpha.kubernetes.io/"
METRICS: Final = f"{PREFIX}metrics"
MEASURED: Final = f"{PREFIX}current-metrics"
CONDITIONS: Final = f"{PREFIX}conditions"
BEHAVIOUR: Final = f"{PREFIX}behavior"
CARRIERS: Final = (METRICS, MEASURED, CONDITIONS, BEHAVIOUR)
"""Annotations that carry what v1 has no field for."""

DEFAULT_UTILIZATION: Final = 80
"""What an autoscaler of v1 without any metric goes by, in percent."""

SOURCES: Final[Mapping[str, str]] = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "External": "external",
}
"""Types of metrics → their fields, in the order in which v1 writes them."""


def _present(**parts: Any) -> Json:
    return {name: part for name, part in parts.items() if part is not None}


# To v1.


def to_v1(value: Raw) -> Json:
    """An autoscaler of v2 as one of v1."""
    spec, status = value.get("spec") or {}, value.get("status") or {}
    metadata = _without_carriers(value.get("metadata") or {})
    carried = {}
    others = [row for row in spec.get("metrics") or () if not _is_cpu_utilization(row)]
    if others:
        carried[METRICS] = _text([_metric_v1(row, _TARGETS) for row in others])
    if status.get("currentMetrics"):
        carried[MEASURED] = _text([_metric_v1(row, _CURRENTS) for row in status["currentMetrics"]])
    if spec.get("behavior") is not None:
        carried[BEHAVIOUR] = _text(_behaviour_v1(spec["behavior"]))
    if status.get("conditions"):
        carried[CONDITIONS] = _text([_condition_v1(row) for row in status["conditions"]])
    if carried:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **carried}
    new_spec = {name: spec[name] for name in ("scaleTargetRef", "minReplicas", "maxReplicas") if name in spec}
    cpu = next((row for row in spec.get("metrics") or () if _is_cpu_utilization(row)), None)
    if cpu is not None:
        new_spec["targetCPUUtilizationPercentage"] = cpu["resource"]["target"]["averageUtilization"]
    found = {**value, "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": new_spec}
    if "status" in value:
        found["status"] = _status_v1(status)
    return found


def _is_cpu_utilization(metric: Raw) -> bool:
    resource = metric.get("resource") or {}
    target = resource.get("target") or {}
    named = metric.get("type") == "Resource" and resource.get("name") == "cpu"
    return named and target.get("averageUtilization") is not None


def _status_v1(status: Raw) -> Json:
    names = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
    found = {name: status[name] for name in names if name in status}
    for row in status.get("currentMetrics") or ():
        resource = row.get("resource") or {}
        used = (resource.get("current") or {}).get("averageUtilization")
        if row.get("type") == "Resource" and resource.get("name") == "cpu" and used is not None:
            found["currentCPUUtilizationPercentage"] = used
    return found


def _without_carriers(metadata: Raw) -> Json:
    found = dict(metadata)
    annotations = found.get("annotations")
    if annotations and any(name in annotations for name in CARRIERS):
        left = {name: text for name, text in annotations.items() if name not in CARRIERS}
        found["annotations"] = left
        if not left:
            del found["annotations"]
    return found


def _text(value: Any) -> str:
    """JSON as Go writes it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _described(value: Raw) -> Json:
    of = value.get("describedObject") or {}
    return {
        "kind": of.get("kind", ""),
        "name": of.get("name", ""),
        **({"apiVersion": of["apiVersion"]} if of.get("apiVersion") else {}),
    }


def _metric_name(value: Raw) -> tuple[str, Any]:
    metric = value.get("metric") or {}
    return metric.get("name", ""), metric.get("selector")


def _object_v1(value: Raw, target: Raw, word: str) -> Json:
    name, selector = _metric_name(value)
    found = {"target": _described(value), "metricName": name, f"{word}Value": target.get("value", "0")}
    return found | _present(selector=selector, averageValue=target.get("averageValue"))


def _pods_v1(value: Raw, target: Raw, word: str) -> Json:
    name, selector = _metric_name(value)
    found = {"metricName": name, f"{word}AverageValue": target.get("averageValue", "0")}
    return found | _present(selector=selector)


def _external_v1(value: Raw, target: Raw, word: str) -> Json:
    name, selector = _metric_name(value)
    amount = target.get("value") if word == "target" else target.get("value", "0")
    more = {f"{word}Value": amount, f"{word}AverageValue": target.get("averageValue")}
    return {"metricName": name} | _present(metricSelector=selector, **more)


def _resource_v1(value: Raw, target: Raw, word: str) -> Json:
    amount = target.get("averageValue") if word == "target" else target.get("averageValue", "0")
    more = {f"{word}AverageUtilization": target.get("averageUtilization"), f"{word}AverageValue": amount}
    return {"name": value.get("name", "")} | _present(**more)


def _container_v1(value: Raw, target: Raw, word: str) -> Json:
    return _resource_v1(value, target, word) | {"container": value.get("container", "")}


_V1: Final[Mapping[str, Callable[[Raw, Raw, str], Json]]] = {
    "Object": _object_v1,
    "Pods": _pods_v1,
    "Resource": _resource_v1,
    "ContainerResource": _container_v1,
    "External": _external_v1,
}
_TARGETS: Final = ("target", "target")
_CURRENTS: Final = ("current", "current")
"""The field of v2, and the word that the fields of v1 begin with."""


def _metric_v1(row: Raw, words: tuple[str, str]) -> Json:
    type, (field, word) = row.get("type", ""), words
    source = row.get(SOURCES.get(type, ""))
    if source is None:
        return {"type": type}
    return {"type": type, SOURCES[type]: _V1[type](source, source.get(field) or {}, word)}


def _condition_v1(row: Raw) -> Json:
    found = {"type": row.get("type", ""), "status": row.get("status", "")}
    found["lastTransitionTime"] = row.get("lastTransitionTime")
    return found | {name: row[name] for name in ("reason", "message") if row.get(name)}


_RULES: Final = (("ScaleUp", "scaleUp"), ("ScaleDown", "scaleDown"))
_RULE: Final = (
    ("StabilizationWindowSeconds", "stabilizationWindowSeconds"),
    ("SelectPolicy", "selectPolicy"),
    ("Policies", "policies"),
    ("Tolerance", "tolerance"),
)
_POLICY: Final = (("Type", "type"), ("Value", "value"), ("PeriodSeconds", "periodSeconds"))
"""Fields as the internal types have them, and as v2 has them."""


def _behaviour_v1(value: Raw) -> Json:
    return {
        internal: _rule_v1(value[name]) if value.get(name) is not None else None for internal, name in _RULES
    }


def _rule_v1(rule: Raw) -> Json:
    found = {internal: rule.get(name) for internal, name in _RULE}
    if found["Policies"] is not None:
        found["Policies"] = [
            {internal: row.get(name) for internal, name in _POLICY} for row in found["Policies"]
        ]
    return found


# To v2.


def to_v2(value: Raw) -> Json:
    """An autoscaler of v1 as one of v2."""
    old, status = value.get("spec") or {}, value.get("status") or {}
    annotations = (value.get("metadata") or {}).get("annotations") or {}
    spec = {name: part for name, part in old.items() if name != "targetCPUUtilizationPercentage"}
    metrics = [_metric_v2(row, "target", _target) for row in _rows(annotations.get(METRICS))]
    used = old.get("targetCPUUtilizationPercentage")
    if used is not None or not metrics:
        metrics.append(_utilization(DEFAULT_UTILIZATION if used is None else used))
    spec["metrics"] = metrics
    behaviour = _decoded(annotations.get(BEHAVIOUR))
    if isinstance(behaviour, Mapping) and any(row is not None for row in behaviour.values()):
        spec["behavior"] = _behaviour_v2(behaviour)
    found = {
        **value,
        "apiVersion": "autoscaling/v2",
        "metadata": _without_carriers(value.get("metadata") or {}),
        "spec": spec,
    }
    if "status" in value:
        found["status"] = _status_v2(status, annotations)
    return found


def _status_v2(status: Raw, annotations: Raw) -> Json:
    found = {name: part for name, part in status.items() if name != "currentCPUUtilizationPercentage"}
    used = status.get("currentCPUUtilizationPercentage")
    if annotations.get(MEASURED) is not None and _rows(annotations[MEASURED]):
        found["currentMetrics"] = [
            _metric_v2(row, "current", _current) for row in _rows(annotations[MEASURED])
        ]
    elif used is not None:
        resource = {"name": "cpu", "current": {"averageUtilization": used}}
        found["currentMetrics"] = [{"type": "Resource", "resource": resource}]
    conditions = [dict(row) for row in _rows(annotations.get(CONDITIONS))]
    if conditions:
        found["conditions"] = conditions
    return found


def _utilization(percent: Any) -> Json:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _decoded(text: Any) -> Any:
    """JSON of an annotation; None for what is none: the original leaves it aside."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _rows(text: Any) -> list[Raw]:
    found = _decoded(text)
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        return []
    return found


Measure = Callable[[str, Raw], Json]
"""The type of a metric, and its source in v1 → what is wanted or measured, in v2."""


def _target(type: str, source: Raw) -> Json:
    used, average = source.get("targetAverageUtilization"), source.get("targetAverageValue")
    if type == "Object":
        average, value = source.get("averageValue"), source.get("targetValue", "0")
        kind = "Value" if average is None else "AverageValue"
        return {"type": kind} | _present(value=value, averageValue=average)
    if type == "Pods":
        return {"type": "AverageValue", "averageValue": source.get("targetAverageValue", "0")}
    if type == "External":
        value = source.get("targetValue")
        return {"type": "AverageValue" if value is None else "Value"} | _present(
            value=value, averageValue=average
        )
    return {"type": "AverageValue" if used is None else "Utilization"} | _present(
        averageValue=average, averageUtilization=used
    )


def _current(type: str, source: Raw) -> Json:
    if type == "Object":
        return {"value": source.get("currentValue", "0")} | _present(averageValue=source.get("averageValue"))
    if type == "Pods":
        return {"averageValue": source.get("currentAverageValue", "0")}
    if type == "External":
        found = {"value": source.get("currentValue", "0")}
        return found | _present(averageValue=source.get("currentAverageValue"))
    found = {"averageValue": source.get("currentAverageValue", "0")}
    return found | _present(averageUtilization=source.get("currentAverageUtilization"))


def _metric_v2(row: Raw, field: str, measure: Measure) -> Json:
    type = str(row.get("type", ""))
    name = SOURCES.get(type, "")
    source = row.get(name)
    if not isinstance(source, Mapping):
        return {"type": type}
    found: Json = {}
    if type in ("Resource", "ContainerResource"):
        found["name"] = source.get("name", "")
    else:
        selector = source.get("metricSelector" if type == "External" else "selector")
        found["metric"] = {"name": source.get("metricName", "")} | _present(selector=selector)
    if type == "Object":
        found["describedObject"] = dict(source.get("target") or {})
    if type == "ContainerResource":
        found["container"] = source.get("container", "")
    found[field] = measure(type, source)
    return {"type": type, name: found}


def _behaviour_v2(value: Raw) -> Json:
    return {
        name: _rule_v2(value[internal])
        for internal, name in _RULES
        if isinstance(value.get(internal), Mapping)
    }


def _rule_v2(rule: Raw) -> Json:
    found = {name: rule[internal] for internal, name in _RULE if rule.get(internal) is not None}
    if "policies" in found:
        found["policies"] = _policies(found["policies"])
    return found


def _policies(rows: Iterable[Any]) -> list[Json]:
    return [
        {name: row.get(internal) for internal, name in _POLICY} for row in rows if isinstance(row, Mapping)
    ]
