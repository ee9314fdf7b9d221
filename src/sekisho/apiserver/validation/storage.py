"""Storage: claims, volumes, classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.apiserver.causes import forbidden, invalid, required
from sekisho.apiserver.status import Cause
from sekisho.apiserver.validation.fields import (
    Causes,
    Raw,
    amount,
    get,
    one_of,
    qualified,
    same,
    selector,
    subdomain,
)
from sekisho.apiserver.validation.volumes import SOURCES, source

MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES: Final = ("Block", "Filesystem")
_IMMUTABLE_CLAIM: Final = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
    "claims"
)


def claim(new: Raw, old: Raw | None) -> Causes:
    """A PersistentVolumeClaim."""
    spec = get(new, "spec") or {}
    modes = spec.get("accessModes") or ()
    if not modes:
        yield required("spec.accessModes", "at least 1 access mode is required")
    yield from selector("spec.selector", spec.get("selector"))
    for mode in modes:
        yield from one_of("spec.accessModes", mode, MODES)
    wanted = get(spec, "resources", "requests", "storage")
    if wanted is None:
        yield required("spec.resources[storage]")
    elif (amount(wanted) or 0) <= 0:
        yield invalid("spec.resources[storage]", str(wanted), "must be greater than zero")
    yield from subdomain("spec.storageClassName", spec.get("storageClassName"))
    yield from one_of("spec.volumeMode", spec.get("volumeMode"), VOLUME_MODES)
    if old is not None:
        yield from _changed_claim(spec, get(old, "spec") or {}, get(old, "status", "phase") == "Bound")


def _changed_claim(spec: Raw, before: Raw, bound: bool) -> Causes:
    def rest(value: Raw) -> dict[str, Any]:
        kept = dict(value)
        if bound:
            wanted = get(value, "resources") or {}
            kept["resources"] = {key: item for key, item in wanted.items() if key != "requests"}
            kept.pop("volumeAttributesClassName", None)
        if not before.get("volumeName"):
            kept.pop("volumeName", None)  # it is bound now
        return kept

    if rest(spec) != rest(before):
        yield forbidden("spec", _IMMUTABLE_CLAIM)
    elif bound:
        now, then = (amount(get(value, "resources", "requests", "storage")) for value in (spec, before))
        if now is not None and then is not None and now < then:
            yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


RECLAIM: Final = ("Delete", "Recycle", "Retain")


def volume(new: Raw, old: Raw | None) -> Causes:
    """A PersistentVolume."""
    spec = get(new, "spec") or {}
    modes, capacity = spec.get("accessModes") or (), spec.get("capacity") or {}
    if not modes:
        yield required("spec.accessModes")
    for mode in modes:
        yield from one_of("spec.accessModes", mode, MODES)
    if not capacity:
        yield required("spec.capacity")
    if list(capacity) != ["storage"]:
        names = ", ".join(f'"{name}":resource.Quantity{{…}}' for name in sorted(capacity))
        message = f'Unsupported value: core.ResourceList{{{names}}}: supported values: "storage"'
        yield Cause(reason="FieldValueNotSupported", message=message, field="spec.capacity")
    for name, value in capacity.items():
        if (amount(value) or 0) <= 0:
            yield invalid(f"spec.capacity[{name}]", str(value), "must be greater than zero")
    yield from one_of(
        "spec.persistentVolumeReclaimPolicy", spec.get("persistentVolumeReclaimPolicy"), RECLAIM
    )
    yield from source({name: spec[name] for name in _OF_VOLUMES if spec.get(name) is not None}, "spec")
    yield from subdomain("spec.storageClassName", spec.get("storageClassName"))
    yield from one_of("spec.volumeMode", spec.get("volumeMode"), VOLUME_MODES)
    if old is not None:
        before = get(old, "spec") or {}
        if any(spec.get(name) != before.get(name) for name in _OF_VOLUMES):
            detail = "spec.persistentvolumesource is immutable after creation"
            yield forbidden("spec.persistentvolumesource", detail)
        if spec.get("volumeMode") != before.get("volumeMode"):
            yield invalid("spec.volumeMode", spec.get("volumeMode"), "field is immutable")


_OF_VOLUMES: Final = (*SOURCES, "local")


def storage_class(new: Raw, old: Raw | None) -> Causes:
    """A StorageClass."""
    provisioner = new.get("provisioner") or ""
    if not provisioner:
        yield required("provisioner")
    else:
        yield from qualified("provisioner", provisioner.lower())
    yield from one_of("reclaimPolicy", new.get("reclaimPolicy"), RECLAIM[::2])
    modes = ("Immediate", "WaitForFirstConsumer")
    yield from one_of("volumeBindingMode", new.get("volumeBindingMode"), modes)
    for name in ("parameters", "provisioner", "reclaimPolicy"):
        if not _alike(new, old, name):
            yield forbidden(name, f"updates to {name} are forbidden.")
    if not same(new, old, "volumeBindingMode"):
        yield invalid("volumeBindingMode", new.get("volumeBindingMode"), "field is immutable")


def _alike(new: Raw, old: Raw | None, name: str) -> bool:
    if old is None:
        return True
    one, other = new.get(name), old.get(name)
    return (one or {}) == (other or {}) if isinstance(one or other, Mapping) else one == other
