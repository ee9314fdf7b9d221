"""Managed fields of every write, and server-side apply (apimachinery ``managedfields``, ``FieldManager``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from sekisho.apiserver import names, status
from sekisho.apiserver.fields import entries, scales
from sekisho.apiserver.fields.conflicts import conflict_error
from sekisho.apiserver.fields.entries import APPLY, UPDATE, Managed, Manager
from sekisho.apiserver.fields.reset import NOTHING, Reset, reset_of
from sekisho.apiserver.fields.sets import NONE, Fields, Malformed, Path
from sekisho.apiserver.fields.shape import DEDUCED, Shape, shape_of
from sekisho.apiserver.fields.update import SELF, Conflicts, Updater
from sekisho.apiserver.fields.walk import NoElement, Unfit, check, compare, fields_of
from sekisho.apiserver.options import MAX_MANAGER
from sekisho.apiserver.registry import Registry
from sekisho.apiserver.route import Call
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.structs import zero_of
from sekisho.apiserver.types import ResourceType

NOT_OWNED: Final[Fields] = frozenset(
    {
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    }
)
"""Fields that are never anybody's."""

BEFORE: Final = "before-first-apply"
"""Whose is what an object had before anybody's fields were tracked."""

KUBECTL: Final = "kubectl"
"""The manager that may take over what ``kubectl apply`` without ``--server-side`` wrote."""

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which ``kubectl apply`` keeps what it applied."""

MAX_ANNOTATIONS: Final = 256 * 1024
"""Bytes of all annotations of an object (apimachinery's TotalAnnotationSizeLimitB)."""


def manager_of(call: Call) -> str:
    """Who writes: the parameter ``fieldManager``, else the first part of the User-Agent."""
    given = call.query.get("fieldManager", "")
    if given:
        return given
    out, size = "", 0
    for char in call.user_agent.partition("/")[0]:
        if char.isprintable():
            size += len(char.encode("utf-8", "replace"))
            if size > MAX_MANAGER:
                break
            out += char
    return out or "unknown"


class FieldManager:
    """Keeps managed fields. ``registry`` gives the resources of the moment, ``now`` the time of an entry."""

    def __init__(self, registry: Callable[[], Registry], now: Callable[[], str] = names.timestamp) -> None:
        self._registry = registry
        self._now = now

    async def updated(
        self, call: Call, type: ResourceType, new: dict[str, Any], old: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The new state with its managed fields. ``new`` is what the client wants, with defaults."""
        live = old if old is not None else empty(type)
        managed = _sent(live, new, call.target.subresource)
        bare = _bare(new)
        if managed.owners or old is None:
            try:
                manager = Manager(manager_of(call), UPDATE, type.api_version, call.target.subresource)
                await self._update(type, _bare(live), bare, managed, manager)
            except NoElement:
                # An item without its keys: the validation that follows says so.
                return _with_rows(bare, _rows(live))
        return _with_rows(bare, entries.write(managed))

    async def applied(
        self, call: Call, type: ResourceType, live: dict[str, Any] | None, config: dict[str, Any]
    ) -> dict[str, Any]:
        """What an applied configuration makes of an object, with managed fields. Raises ApiError."""
        _check_config(type, config)
        live = live if live is not None else empty(type)
        _fit(config, type, "patch")
        _fit(live, type, "live", duplicates=True)
        name, force = call.query.get("fieldManager", ""), call.flag("force")
        manager = Manager(name, APPLY, "", call.target.subresource)
        bare = _bare(live)
        try:
            managed = entries.read(_rows(live))
        except Malformed as error:
            raise _unexpected(f"failed to decode managed fields: {error}") from None
        if not managed.owners:
            before = Manager(BEFORE, UPDATE, type.api_version, call.target.subresource)
            await self._update(type, empty(type), bare, managed, before)
        updater = self._updater(type, call.target.subresource)
        apply = partial(updater.apply, bare, config, type.api_version, managed.owners, manager)
        try:
            applied = await apply(force=force)
        except Conflicts as error:
            rows = _refused(error, type, bare) if name == KUBECTL else error.rows
            if rows:
                raise conflict_error(rows) from None
            applied = await apply(force=True)
        managed.owners = applied.owners
        _strip(managed, manager)
        if applied.changed:
            managed.times[manager] = self._now()
        new = applied.value if applied.changed else bare
        if name == KUBECTL:
            new = _with_last_applied(new, config)
        return _with_rows(new, entries.write(managed))

    def of_scale(self, type: ResourceType, rows: Any) -> Any:
        """The managed fields of an object's Scale."""
        return scales.to_scale(rows, partial(self._replicas, type))

    def of_scaled(self, type: ResourceType, rows: Any, scale: Any) -> Any:
        """The managed fields of an object after a write to its Scale."""
        return scales.to_parent(rows, scale, type.api_version, partial(self._replicas, type))

    def _replicas(self, type: ResourceType, api_version: str) -> Path | None:
        """Where the replicas stand in a version, None if it is not served or has no scale."""
        found = _Versions(self._registry(), type).find(api_version)
        if found is None or found.scale is None:
            return None
        return tuple(f"f:{step}" for step in found.scale.spec)

    async def _update(
        self,
        type: ResourceType,
        live: dict[str, Any],
        new: dict[str, Any],
        managed: Managed,
        manager: Manager,
    ) -> None:
        """Note in ``managed`` who owns what after an update."""
        updater = self._updater(type, manager.subresource)
        managed.owners = await updater.update(live, new, type.api_version, managed.owners)
        _strip(managed, SELF)
        taken = managed.owners.pop(SELF, None)
        if taken is not None:
            before = managed.owners.get(manager)
            fields = taken.fields | (before.fields if before else NONE)
            managed.owners[manager] = taken._replace(fields=fields)
            managed.times[manager] = self._now()
        entries.cap(managed)

    def _updater(self, type: ResourceType, subresource: str) -> Updater:
        reset = reset_of(type, subresource)

        def of_version(api_version: str) -> Reset:
            return reset if type.custom is None or api_version == type.api_version else NOTHING

        return Updater(_Versions(self._registry(), type), of_version)


class _Versions:
    """The versions of a resource, by the registry of the moment."""

    def __init__(self, registry: Registry, type: ResourceType) -> None:
        self._registry = registry
        self._type = type

    def find(self, api_version: str) -> ResourceType | None:
        """The resource in a version, None if that is not served."""
        if api_version == self._type.api_version:
            return self._type
        group, _, version = api_version.rpartition("/")
        found = self._registry.find(group, version, self._type.plural)
        return found if found is not None and found.kind == self._type.kind else None

    def shape(self, api_version: str) -> Shape:
        """The shape of the objects of a version."""
        found = self.find(api_version)
        return shape_of(found.schema()) if found is not None else DEDUCED

    async def convert(self, value: dict[str, Any], api_version: str) -> dict[str, Any] | None:
        """The object in a version, None if it is not served."""
        if value.get("apiVersion") == api_version or api_version == self._type.api_version == "":
            return value
        found = self.find(api_version)
        if found is None:
            return None
        if found.conversion is None or "apiVersion" not in value:
            return {**value, "apiVersion": api_version}
        return await found.conversion.converted(value)


def empty(type: ResourceType) -> dict[str, Any]:
    """A new object of a kind before anything is set: of a built-in kind the struct's zeros."""
    schema = type.schema()
    zero = zero_of(schema) if schema is not None and type.custom is None else {}
    return {"apiVersion": type.api_version, "kind": type.kind, **(zero or {})}


def _rows(value: Mapping[str, Any]) -> Any:
    return (value.get("metadata") or {}).get("managedFields")


def _bare(value: dict[str, Any]) -> dict[str, Any]:
    """The object without its managed fields."""
    if "managedFields" not in (value.get("metadata") or {}):
        return value
    metadata = {key: row for key, row in value["metadata"].items() if key != "managedFields"}
    return {**value, "metadata": metadata}


def _with_rows(value: dict[str, Any], rows: Any) -> dict[str, Any]:
    bare = _bare(value)
    return {**bare, "metadata": {**(bare.get("metadata") or {}), "managedFields": rows}} if rows else bare


def _strip(managed: Managed, manager: Manager) -> None:
    owned = managed.owners.get(manager)
    if owned is None:
        return
    fields = owned.fields - NOT_OWNED
    if fields:
        managed.owners[manager] = owned._replace(fields=fields)
    else:
        del managed.owners[manager]


def _sent(live: Mapping[str, Any], new: Mapping[str, Any], subresource: str) -> Managed:
    """The entries to go on from: the client's if it sent some that can be read, else those of the object.

    An empty list, or a list of one empty entry, takes all owners away. Subresources do not write them.
    """
    rows = _rows(new)
    if not subresource and isinstance(rows, list):
        if not rows or rows == [{}]:
            return Managed()
        try:
            return entries.read(rows)
        except Malformed:
            pass
    try:
        return entries.read(_rows(live))
    except Malformed:
        return Managed()


def _check_config(type: ResourceType, config: Mapping[str, Any]) -> None:
    given = str(config.get("apiVersion") or ""), str(config.get("kind") or "")
    if given != (type.api_version, type.kind):
        group, _, version = given[0].rpartition("/")
        raise status.bad_request(f"invalid object type: {group}/{version}, Kind={given[1]}")
    metadata = config.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("managedFields") is not None:
        raise status.bad_request("metadata.managedFields must be nil")


def _fit(value: Mapping[str, Any], type: ResourceType, what: str, *, duplicates: bool = False) -> None:
    try:
        check(value, shape_of(type.schema()), duplicates=duplicates)
    except Unfit as error:
        metadata = value.get("metadata")
        known = metadata if isinstance(metadata, Mapping) else {}
        place = f"{known.get('namespace') or ''}/{known.get('name') or ''}"
        kind = f"{type.group}/{type.version}, Kind={type.kind}"
        message = f"failed to create typed {what} object ({place}; {kind}): {error}"
        raise _unexpected(message) from None


def _unexpected(message: str) -> ApiError:
    """An error for which the original has no reason of its own."""
    return ApiError(500, "", message)


def _refused(error: Conflicts, type: ResourceType, live: dict[str, Any]) -> tuple[tuple[Manager, Any], ...]:
    """The conflicts that are not about what ``kubectl apply`` itself wrote, and nobody has changed since."""
    allowed = _last_applied(type, live)
    return tuple(row for row in error.rows if row[1] not in allowed)


def _last_applied(type: ResourceType, live: dict[str, Any]) -> Fields:
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    try:
        config = json.loads(text) if text else None
    except ValueError:
        return NONE
    if not isinstance(config, dict) or config.get("apiVersion") != type.api_version:
        return NONE
    shape = shape_of(type.schema())
    try:
        check(config, shape)
        check(live, shape)
        change = compare(config, live, shape)
        return fields_of(config, shape) - change.modified - change.added - change.removed
    except (Unfit, NoElement):
        return NONE


def _with_last_applied(value: dict[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The object with what ``kubectl apply`` would note of it, where it has such a note."""
    annotations = (value.get("metadata") or {}).get("annotations") or {}
    if not annotations.get(LAST_APPLIED):
        return value
    noted = dict(config)
    metadata = dict(noted.get("metadata") or {})
    rest = {key: row for key, row in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    metadata.pop("annotations", None)
    if rest:
        metadata["annotations"] = rest
    noted["metadata"] = metadata
    text = json.dumps(noted, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    annotations = {**annotations, LAST_APPLIED: text}
    if _size(annotations.items()) > MAX_ANNOTATIONS:
        del annotations[LAST_APPLIED]
    return {**value, "metadata": {**value["metadata"], "annotations": annotations}}


def _size(rows: Iterable[tuple[str, Any]]) -> int:
    return sum(len(key.encode()) + len(str(value).encode()) for key, value in rows)
