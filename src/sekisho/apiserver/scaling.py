"""Scales: the replicas of a workload as an ``autoscaling/v1`` Scale, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.apiserver import status
from sekisho.apiserver.kinds import kind_type
from sekisho.apiserver.types import ResourceType
from sekisho.kube.gvk import GVK

_META: Final = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")

SCALE: Final = kind_type(GVK("autoscaling", "v1", "Scale"))
"""What goes over the wire."""


def scale_of(type: ResourceType, value: Mapping[str, Any]) -> dict[str, Any]:
    """The Scale of an object. Raises ApiError (500) where its replicas are no number."""
    paths = type.scale
    assert paths is not None, "only asked of resources with a scale"
    metadata = value["metadata"]
    scale: dict[str, Any] = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in _META if name in metadata},
        "spec": {},
        "status": {"replicas": _number(_at(value, paths.status), paths.status)},
    }
    replicas = _number(_at(value, paths.spec), paths.spec)
    if replicas:
        scale["spec"]["replicas"] = replicas
    selector = _selector(_at(value, paths.selector)) if paths.selector else ""
    if selector:
        scale["status"]["selector"] = selector
    return scale


def with_scale(type: ResourceType, old: dict[str, Any], scale: Mapping[str, Any]) -> dict[str, Any]:
    """The object with the replicas of a Scale. Raises ApiError (422) for fewer than none."""
    paths = type.scale
    assert paths is not None, "only asked of resources with a scale"
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        cause = status.Cause(
            reason="FieldValueInvalid",
            message=f"Invalid value: {replicas}: must be greater than or equal to 0",
            field="spec.replicas",
        )
        raise status.invalid(SCALE.gvk, scale["metadata"].get("name", ""), [cause])
    new = _put(old, paths.spec, replicas)
    metadata = dict(new["metadata"])
    for name in ("uid", "resourceVersion"):
        if scale["metadata"].get(name):
            metadata[name] = scale["metadata"][name]
    new["metadata"] = metadata
    return new


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _put(value: Any, path: tuple[str, ...], new: Any) -> dict[str, Any]:
    """A copy of the object with a value set below it."""
    found = dict(value) if isinstance(value, Mapping) else {}
    found[path[0]] = new if len(path) == 1 else _put(found.get(path[0]), path[1:], new)
    return found


def _number(value: Any, path: tuple[str, ...]) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        at = "." + ".".join(path)
        raise status.internal(
            f"{at} accessor error: {value} is of the type {type(value).__name__}, expected int64"
        )
    return value


_OPERATORS: Final = {"In": "in", "NotIn": "notin"}


def _selector(value: Any) -> str:
    """A selector as text: what is one already, a map of labels, or a LabelSelector."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        return ""
    whole = {"matchLabels", "matchExpressions"} & value.keys()
    labels = (value.get("matchLabels") or {}) if whole else value
    parts = [(key, f"{key}={label}") for key, label in labels.items()]
    for row in (value.get("matchExpressions") or ()) if whole else ():
        key, operator = row["key"], row["operator"]
        if operator in _OPERATORS:
            parts.append((key, f"{key} {_OPERATORS[operator]} ({','.join(sorted(row.get('values') or ()))})"))
        else:
            parts.append((key, key if operator == "Exists" else f"!{key}"))
    return ",".join(text for _, text in sorted(parts))
