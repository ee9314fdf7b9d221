"""Defaults: what kube-apiserver fills in before anything else sees an object.

As Kubernetes 1.37 does it, without what a feature gate that is off by default adds. Admission plugins
(service accounts, tolerations, priorities) come later and are not defaulting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sekisho.diag import Path
from sekisho.kube.object import Object

__all__ = ["apply_defaults", "defaulted", "with_defaults", "written"]


def with_defaults(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object with the built-in defaults of its kind; the same one if there was nothing to do.

    The input is never changed; what stays as it is is shared with it, and the defaults between results.
    """
    from sekisho.kube.defaults.kinds import FIRST_AUTOSCALER, SHAPES
    from sekisho.kube.defaults.shape import apply

    api_version, kind = raw.get("apiVersion"), raw.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str) or not isinstance(raw, dict):
        return raw
    shape = SHAPES.get((api_version.rpartition("/")[0], kind))
    if shape is None:
        return raw
    if api_version == "autoscaling/v1":
        shape = FIRST_AUTOSCALER
    return apply(shape, raw)


def apply_defaults(object: Object) -> Object:
    """The object with its defaults, from the same origin; the same one if there was nothing to do."""
    raw = with_defaults(object.raw)
    return object if raw is object.raw else object.replaced(raw)


def defaulted(raw: Mapping[str, Any], path: Path) -> bool:
    """Whether a path of the object with defaults is not in the object as it was written."""
    return len(written(raw, path)) < len(path)


def written(raw: Mapping[str, Any], path: Path) -> Path:
    """The longest beginning of a path that stands in the object as it was written.

    Null counts as written where it stands. Defaults add fields and never move the items of a list, so a path
    of the object with defaults leads as far in the other one as that goes.
    """
    value: Any = raw
    for depth, step in enumerate(path):
        if isinstance(step, int):
            if not isinstance(value, list) or not 0 <= step < len(value):
                return path[:depth]
            value = value[step]
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        else:
            return path[:depth]
    return path
