"""A cluster in a folder: its store, and the objects that every cluster begins with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sekisho.apiserver import names
from sekisho.apiserver.api import Api
from sekisho.apiserver.registry import built_in_registry
from sekisho.apiserver.store import Place, Store

NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")


def open_store(folder: Path) -> Store:
    """The store of a folder, with the fields of built-in kinds. Raises DiagnosticError (API001-API003)."""
    registry = built_in_registry()

    def describe(place: Place, value: Mapping[str, Any]) -> Mapping[str, str]:
        found = registry.stored(place.resource)
        return found.strategy.fields(value) if found else {}

    return Store.open(folder, describe)


async def bootstrap(api: Api) -> None:
    """Make what is missing of the objects that are always there."""
    for name in NAMESPACES:
        place = Place("", "namespaces", "", name)
        if api.store.get(place) is None:
            await api.store.write(place, _namespace(name), base=None)


def _namespace(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "uid": names.new_uid(),
            "creationTimestamp": names.timestamp(),
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
