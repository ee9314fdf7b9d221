"""From the state of an object and what a client wants of it to its new state."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver import status
from sekisho.apiserver.causes import immutable
from sekisho.apiserver.types import ResourceType

OWNED: Final = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
"""Fields of metadata that no client sets."""

OBSERVED: Final = frozenset({"approval", "finalize", "status"})
"""Subresources through which nobody says what is wanted."""

BY_ANNOTATIONS: Final = frozenset({("apps", "deployments")})
"""Resources whose annotations count as what is wanted."""


def with_rows(value: dict[str, Any], managed: dict[str, Any]) -> dict[str, Any]:
    """An object with the managed fields of another state of it."""
    rows = managed["metadata"].get("managedFields")
    metadata = {name: row for name, row in value["metadata"].items() if name != "managedFields"}
    return {**value, "metadata": {**metadata, **({"managedFields": rows} if rows else {})}}


def keep_owned(new: dict[str, Any], old: dict[str, Any], type: ResourceType, *, patched: bool) -> None:
    """Carry over what no client changes; raises ApiError for another uid (409, and 422 by a patch)."""
    before, metadata = old["metadata"], dict(new["metadata"])
    uid = metadata.get("uid")
    if uid and uid != before.get("uid") and patched:
        raise status.invalid(type.gvk, before["name"], [immutable("metadata.uid", uid)])
    if uid and uid != before.get("uid"):
        name = before["name"]
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {before.get('uid', '')}"
        raise status.conflict(type.resource, name, why)
    for name in (*OWNED, "generation", "name", "namespace", "resourceVersion", "generateName"):
        if name in before:
            metadata[name] = before[name]
        else:
            metadata.pop(name, None)
    new["metadata"] = metadata
    new["apiVersion"], new["kind"] = old["apiVersion"], old["kind"]


def count_generation(new: dict[str, Any], old: dict[str, Any], type: ResourceType) -> None:
    """Count up where what is wanted has changed."""
    if not type.generation or "generation" not in old["metadata"]:
        return
    left_out = ("metadata", "status") if "status" in type.subresources else ("metadata",)

    def rest(value: dict[str, Any]) -> Any:
        wanted = {key: item for key, item in value.items() if key not in left_out}
        return wanted, value["metadata"].get("annotations") if type.key in BY_ANNOTATIONS else None

    if rest(new) != rest(old):
        new["metadata"]["generation"] = int(old["metadata"]["generation"]) + 1


def same(new: dict[str, Any], old: dict[str, Any]) -> bool:
    """Whether a write changes nothing; times in managed fields do not count."""
    if new == old:
        return True

    def bare(value: dict[str, Any]) -> dict[str, Any]:
        metadata = dict(value["metadata"])
        rows = metadata.get("managedFields")
        if isinstance(rows, list):
            metadata["managedFields"] = [
                {key: item for key, item in row.items() if key != "time"} for row in rows
            ]
        return {**value, "metadata": metadata}

    return bare(new) == bare(old)


def is_done(new: dict[str, Any]) -> bool:
    """Whether an object that is being deleted has nothing left that holds it."""
    metadata = new["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    if new.get("kind") == "Namespace" and new.get("apiVersion") == "v1":
        return not (new.get("spec") or {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")
