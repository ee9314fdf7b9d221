"""What a write through a subresource may touch of an object: the rest of it stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.apiserver.fields.reset import reset_of
from sekisho.apiserver.types import ResourceType

Json = dict[str, Any]
Merge = Callable[[ResourceType, Json, Json], Json]
"""The resource, what is wanted, what is there → what is to be."""


def _whole(type: ResourceType, new: Json, old: Json) -> Json:
    """Everything but the status, where that has a subresource."""
    found = dict(new)
    if "status" in type.subresources:
        found.pop("status", None)
        if "status" in old:
            found["status"] = old["status"]
    return found


def _status(type: ResourceType, new: Json, old: Json) -> Json:
    """The status, and of built-in kinds what else is not reset. Of custom resources nothing else."""
    if type.custom is not None:
        found = {key: row for key, row in old.items() if key != "status"}
        return found | ({"status": new["status"]} if "status" in new else {})
    found = dict(new)
    for path in reset_of(type, "status").dropped:
        found = _put_back(found, old, tuple(step.removeprefix("f:") for step in path))
    return found


def _put_back(new: Json, old: Mapping[str, Any], path: tuple[str, ...]) -> Json:
    """The new state with the old one's value at a path."""
    name, *rest = path
    found = {key: row for key, row in new.items() if key != name}
    if rest:
        found[name] = _put_back(new.get(name) or {}, old.get(name) or {}, tuple(rest))
    elif name in old:
        found[name] = old[name]
    return found


def _approval(type: ResourceType, new: Json, old: Json) -> Json:  # noqa: ARG001
    """The conditions of a CertificateSigningRequest."""
    conditions = (new.get("status") or {}).get("conditions")
    kept = {key: value for key, value in (old.get("status") or {}).items() if key != "conditions"}
    return {**old, "status": {**kept, **({"conditions": conditions} if conditions else {})}}


def _finalize(type: ResourceType, new: Json, old: Json) -> Json:  # noqa: ARG001
    """The finalizers of a Namespace, and nothing else of it."""
    finalizers = (new.get("spec") or {}).get("finalizers") or []
    return {**old, "spec": {**(old.get("spec") or {}), "finalizers": finalizers}}


def _ephemeral(type: ResourceType, new: Json, old: Json) -> Json:  # noqa: ARG001
    """The ephemeral containers of a Pod."""
    spec = dict(old.get("spec") or {})
    spec.pop("ephemeralContainers", None)
    rows = (new.get("spec") or {}).get("ephemeralContainers")
    return {**old, "spec": {**spec, **({"ephemeralContainers": rows} if rows else {})}}


RESIZED: Final = ("resources", "resizePolicy")


def _resize(type: ResourceType, new: Json, old: Json) -> Json:  # noqa: ARG001
    """The resources of a Pod's containers."""
    spec = dict(old.get("spec") or {})
    for name in ("containers", "initContainers"):
        if name in spec:
            wanted = {row.get("name"): row for row in (new.get("spec") or {}).get(name) or ()}
            spec[name] = [_resized(row, wanted.get(row.get("name"), row)) for row in spec[name]]
    return {**old, "spec": spec}


def _resized(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    kept = {key: value for key, value in old.items() if key not in RESIZED}
    return kept | {key: new[key] for key in RESIZED if key in new}


def _everything(type: ResourceType, new: Json, old: Json) -> Json:  # noqa: ARG001
    return dict(new)


VIEWS: Final[Mapping[str, Merge]] = {
    "": _whole,
    "approval": _approval,
    "ephemeralcontainers": _ephemeral,
    "finalize": _finalize,
    "resize": _resize,
    "status": _status,
}
"""By subresource; of another one, whoever writes it has merged it."""

PLAIN_VIEWS: Final = tuple(name for name in VIEWS if name)
"""Subresources that show the whole object."""


def merged(subresource: str, type: ResourceType, new: Json, old: Json) -> Json:
    """The object that a write makes of what is there."""
    return VIEWS.get(subresource, _everything)(type, new, old)
