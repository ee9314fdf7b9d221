"""``data.inventory``: the objects that referential policies may look at (policy.md 1.3).

``inventory.cluster[groupVersion][kind][name]`` and ``inventory.namespace[ns][groupVersion][kind][name]``; the
objects stand in it whole, shared with whoever read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sekisho.kube.object import Object

EMPTY: Final[dict[str, Any]] = {}


def build_inventory(objects: Iterable[Object]) -> dict[str, Any]:
    """The inventory of these objects; of two with one identity the last one stands."""
    cluster: dict[str, Any] = {}
    namespaces: dict[str, Any] = {}
    for object in objects:
        base = namespaces.setdefault(object.namespace, {}) if object.namespace else cluster
        kinds = base.setdefault(object.api_version, {})
        kinds.setdefault(object.kind, {})[object.name] = object.raw
    return {"cluster": cluster, "namespace": namespaces}
