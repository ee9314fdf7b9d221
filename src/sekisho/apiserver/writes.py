"""Create, update, patch, delete: from a decoded object to a stored one.

The order of steps is kube-apiserver's: defaults, managed fields, mutating admission, what the server owns
(uid, generation, status), who may grant what, the rules of the kind, validating admission, the store.
Everything is computed from a version of the object and counts only if that is still the newest one; a PATCH
that named no version is computed anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from sekisho.apiserver import names, status
from sekisho.apiserver.admission import Admission, Asked
from sekisho.apiserver.authorize import NO_GUARD, Guard
from sekisho.apiserver.causes import not_told
from sekisho.apiserver.custom import KEY as DEFINITIONS
from sekisho.apiserver.custom.definitions import begin_end
from sekisho.apiserver.decode import schema_causes
from sekisho.apiserver.deletion import check_preconditions, finalizers, grace_of, holds
from sekisho.apiserver.managed import Managers
from sekisho.apiserver.options import dry_run, options_of
from sekisho.apiserver.route import Call
from sekisho.apiserver.scaling import SCALE, scale_of, with_scale
from sekisho.apiserver.services.claims import ServiceClaims
from sekisho.apiserver.states import OBSERVED, OWNED, count_generation, is_done, keep_owned, same, with_rows
from sekisho.apiserver.status import ApiError, Cause
from sekisho.apiserver.store import Place, Row, Stale, Store
from sekisho.apiserver.strategies.metadata import metadata_causes
from sekisho.apiserver.structs import compact, compact_metadata, filled
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.validation import broken
from sekisho.apiserver.versions import NoVersion, version_of
from sekisho.apiserver.views import merged
from sekisho.apiserver.warnings import warnings_of
from sekisho.kube.defaults import with_defaults
from sekisho.kube.object import Object
from sekisho.kube.review import Operation

TRIES: Final = 5
"""How often a PATCH without a version is computed anew, as kube-apiserver does it."""

PROTECTED: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that cannot be deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The answer to a write: the object, whether it is new, and warnings for the client."""

    value: dict[str, Any]
    created: bool = False
    warnings: list[str] = field(default_factory=list)


class Changed(NamedTuple):
    """What an object is to be, and warnings. ``managed``: its managed fields have been seen to."""

    value: dict[str, Any]
    warnings: list[str]
    managed: bool = False


Change = Callable[[dict[str, Any]], Awaitable[Changed]]
"""From the object as it is (a copy) to what it is to be."""

Creation = Callable[[], Awaitable[Changed]]
"""What an object is to be that is not there."""


class Writer:
    """Writes objects. ``admission`` is who is asked, ``guard`` who refuses what its writer may not grant."""

    def __init__(
        self,
        store: Store,
        admission: Admission,
        managers: Managers,
        guard: Guard = NO_GUARD,
    ) -> None:
        self._claims = ServiceClaims(store)
        self._store = store
        self._admission = admission
        self._managers = managers
        self._guard = guard

    async def create(self, call: Call, type: ResourceType, value: dict[str, Any]) -> Written:
        """A new object. Raises ApiError."""
        self._check_new(type, value["metadata"])
        return await self._create(call, type, Changed(value, []))

    def _check_new(self, type: ResourceType, metadata: Mapping[str, Any]) -> None:
        if type.closing:
            message = "create not allowed while custom resource definition is terminating"
            raise ApiError(405, "MethodNotAllowed", message)
        try:
            told = version_of(str(metadata.get("resourceVersion") or 0))
        except NoVersion:
            return  # what is no version is none
        if told:
            raise status.ApiError(500, "", "resourceVersion should not be set on objects to be created")

    async def _create(self, call: Call, type: ResourceType, wanted: Changed) -> Written:
        value = wanted.value
        metadata = value["metadata"]
        self._place_in(call, type, metadata)
        namespace = self._namespace(type, metadata.get("namespace", ""))
        value = self._defaulted(value, type)
        if not wanted.managed:
            value = await self._managers.updated(call, type, value, None)
        metadata = value["metadata"] = dict(value["metadata"])
        for name in (*OWNED, "resourceVersion", "generation"):
            metadata.pop(name, None)
        asked = self._asked(call, type, Operation.CREATE, value, None)
        asked.namespace_object = namespace
        warnings = [*wanted.warnings, *await self._admission.mutate(asked)]
        asked.object = value = self._stored(_new(type, asked.object, metadata), type)
        with self._claims.claim(type, value, None):
            made = await self._store_new(call, asked)
        return replace(made, warnings=[*warnings, *made.warnings])

    async def _store_new(self, call: Call, asked: Asked) -> Written:
        type, value = asked.type, asked.object
        assert value is not None, "what is created is there"
        self._guard.check(call, type, value, None)
        warnings = self._validate(type, value, None)
        metadata = value["metadata"]
        place = Place(*type.key, metadata.get("namespace", ""), metadata["name"])
        if self._store.get(place) is not None:
            raise status.already_exists(type.resource, place.name)
        warnings += await self._admission.validate(asked)
        if not dry_run(call):
            try:
                row = await self._store.write(place, await _kept(type, value), base=None)
                value = (await _shown(type, row)).load()
            except Stale:
                self._admission.release(asked)
                raise status.already_exists(type.resource, place.name) from None
        return Written(value=value, created=True, warnings=warnings)

    async def update(
        self, call: Call, type: ResourceType, value: dict[str, Any], *, create: Creation | None = None
    ) -> Written:
        """A new state of an object that exists (PUT); a new one if ``create`` is given. Raises ApiError."""
        metadata = value["metadata"]
        self._place_in(call, type, metadata)
        if metadata.get("name") != call.target.name:
            raise status.bad_request(
                f"the name of the object ({metadata.get('name', '')}) does not match the name on the URL "
                f"({call.target.name})"
            )
        wanted = metadata.get("resourceVersion")
        _check_version(wanted)
        there = self._store.get(place_of(call, type)) is not None
        if not there and metadata.get("uid"):
            why = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: "
            raise status.conflict(type.resource, call.target.name, why)
        if not wanted and not type.unconditional and there:
            cause = Cause(
                reason="FieldValueInvalid",
                message="Invalid value: 0x0: must be specified for an update",
                field="metadata.resourceVersion",
            )
            raise status.invalid(type.gvk._replace(kind=type.plural), call.target.name, [cause])

        async def change(old: dict[str, Any]) -> Changed:
            if wanted and wanted != old["metadata"]["resourceVersion"]:
                raise status.conflict(type.resource, call.target.name, status.MODIFIED)
            return Changed(value, [])

        return await self.change(call, type, change, create=create, tries=1)

    async def change(
        self,
        call: Call,
        type: ResourceType,
        change: Change,
        *,
        create: Creation | None = None,
        tries: int = TRIES,
    ) -> Written:
        """An object changed by a function of its newest state; a new one if ``create`` is given."""
        place = place_of(call, type)
        for last in (*[False] * (tries - 1), True):
            base = self._store.get(place)
            if base is None and create is not None:
                return await self._create(call, type, await create())
            if base is None:
                raise status.not_found(type.resource, place.name)
            shown = await _shown(type, base)
            old = shown.load()
            changed = await change(shown.load())
            version = changed.value.get("metadata", {}).get("resourceVersion")
            _check_version(version)
            if version and version != old["metadata"]["resourceVersion"]:
                raise status.conflict(type.resource, place.name, status.MODIFIED)
            try:
                return await self._replace(call, type, base, old, changed)
            except Stale:
                if last or (version and tries == 1):
                    raise status.conflict(type.resource, place.name, status.MODIFIED) from None
        raise AssertionError("the last try returns or raises")

    async def _replace(
        self, call: Call, type: ResourceType, base: Row, old: dict[str, Any], wanted: Changed
    ) -> Written:
        new = self._defaulted(wanted.value, type, applied=wanted.managed)
        if not wanted.managed:
            new = await self._managers.updated(call, type, new, old)
        new = self._prepared(call, type, new, old)
        asked = self._asked(call, type, Operation.UPDATE, new, old)
        told = await self._admission.mutate(asked)
        new = self._prepared(call, type, _admitted(asked, new), old)
        if call.target.subresource not in OBSERVED:
            count_generation(new, old, type)
        with self._claims.claim(type, new, old):
            made = await self._store_changed(call, asked, base, new, old)
        return replace(made, warnings=[*wanted.warnings, *told, *made.warnings])

    async def _store_changed(
        self, call: Call, asked: Asked, base: Row, new: dict[str, Any], old: dict[str, Any]
    ) -> Written:
        type = asked.type
        self._guard.check(call, type, new, old)
        warnings = self._validate(type, new, old, call.target.subresource)
        asked.object = _shown_as(asked, new)
        warnings += await self._admission.validate(asked)
        if same(new, old):
            return Written(value=old, warnings=warnings)
        if dry_run(call):
            return Written(value=new, warnings=warnings)
        kept = await _kept(type, new)
        if is_done(new):
            row = await self._store.delete(base, kept)
        else:
            row = await self._store.write(base.place, kept, base=base)
        return Written(value=(await _shown(type, row)).load(), warnings=warnings)

    def _prepared(
        self, call: Call, type: ResourceType, new: dict[str, Any], old: dict[str, Any]
    ) -> dict[str, Any]:
        """A new state without what its writer may not change. Raises ApiError (409) for another uid."""
        new = with_rows(merged(call.target.subresource, type, new, old), new)
        keep_owned(new, old, type, patched=call.target.verb == "patch")
        if not call.target.subresource:
            type.strategy.prepare_update(new, old)
        return self._stored(new, type)

    async def delete(
        self, call: Call, type: ResourceType, options: Mapping[str, Any], *, place: Place | None = None
    ) -> dict[str, Any]:
        """Delete an object, or begin to. Answers a Status, or the object that is on its way out."""
        place = place or place_of(call, type)
        for _ in range(TRIES):
            base = self._store.get(place)
            if base is None:
                raise status.not_found(type.resource, place.name)
            old = (await _shown(type, base)).load()
            check_preconditions(options, old, type, place.name)
            if type.key == ("", "namespaces") and place.name in PROTECTED:
                raise status.forbidden(type.resource, place.name, "this namespace may not be deleted")
            asked = self._asked(call, type, Operation.DELETE, None, old)
            await self._admission.mutate(asked)
            await self._admission.validate(asked)
            try:
                gone = await self._delete(call, type, base, base.load(), options)
            except Stale:
                continue
            if type.conversion is None or gone.get("kind") == "Status":
                return gone
            [row] = await type.conversion.shown([Row(base.place, 0, orjson.dumps(gone), base.about)])
            return row.load()
        raise status.conflict(type.resource, place.name, status.MODIFIED)

    async def _delete(
        self, call: Call, type: ResourceType, base: Row, old: dict[str, Any], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        new, metadata = old, dict(old["metadata"])
        metadata["finalizers"] = finalizers(metadata, options, type)
        if not metadata["finalizers"]:
            del metadata["finalizers"]
        grace = grace_of(old, options, type)
        new = {**old, "metadata": metadata}
        if type.key == DEFINITIONS and not metadata.get("deletionTimestamp"):
            new = begin_end(new)
            metadata = new["metadata"]
        waits = bool(metadata.get("finalizers")) or grace > 0 or holds(type, old)
        dry = dry_run(call) or options.get("dryRun") == ["All"]
        if not waits:
            if not dry:
                await self._store.delete(base, new)
            return status.success(type.resource, base.place.name, base.uid)
        if not old["metadata"].get("deletionTimestamp"):
            end = datetime.now(UTC) + timedelta(seconds=grace)
            metadata["deletionTimestamp"] = names.timestamp(end)
            metadata["deletionGracePeriodSeconds"] = grace
            if type.generation:
                metadata["generation"] = int(metadata.get("generation", 0)) + 1
            if type.key == ("", "namespaces"):
                new["status"] = {**(old.get("status") or {}), "phase": "Terminating"}
        elif grace < metadata.get("deletionGracePeriodSeconds", grace):
            metadata["deletionGracePeriodSeconds"] = grace
            metadata["deletionTimestamp"] = names.timestamp(datetime.now(UTC) + timedelta(seconds=grace))
        if dry or same(new, old):
            return new
        return (await self._store.write(base.place, new, base=base)).load()

    async def remove(self, row: Row) -> None:
        """Remove an object that nothing holds any more, for controllers. Raises Stale."""
        await self._store.delete(row)

    # Steps.

    def _place_in(self, call: Call, type: ResourceType, metadata: dict[str, Any]) -> None:
        """The namespace of the path, which the object's has to agree with."""
        if not type.namespaced:
            metadata.pop("namespace", None)
            return
        namespace = call.target.namespace
        given = metadata.get("namespace") or namespace
        if given != namespace:
            raise status.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        metadata["namespace"] = namespace

    def namespace_object(self, namespace: str) -> Object | None:
        """A Namespace as admission is shown it."""
        row = self._store.get(Place("", "namespaces", "", namespace)) if namespace else None
        return Object(row.load()) if row else None

    def _namespace(self, type: ResourceType, namespace: str) -> Object | None:
        """The Namespace for a new object, which must be there and stay."""
        if not type.namespaced:
            return None
        found = self.namespace_object(namespace)
        if found is None:
            raise status.not_found(status.Resource(plural="namespaces"), namespace)
        if found.metadata.get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = Cause(
                reason="NamespaceTerminating",
                message=f"namespace {namespace} is being terminated",
                field="metadata.namespace",
            )
            raise status.forbidden(type.resource, "", why, [cause])
        return found

    def _defaulted(
        self, value: dict[str, Any], type: ResourceType, *, applied: bool = False
    ) -> dict[str, Any]:
        """An object as decoding leaves it: without what its structs do not hold, and with the defaults.

        ``applied``: it was not decoded but merged; what that has emptied is null, and refused.
        """
        if type.custom is not None:
            shaped = type.custom.shaped(value, keep_nulls=applied)
            return dict(compact_metadata(shaped, type.schema()))
        schema = type.schema()
        found = compact(value, schema)
        if value["metadata"].get("managedFields") == []:
            found["metadata"]["managedFields"] = []  # to whoever manages them that says something
        type.strategy.decoded(found)
        found = with_defaults(found)
        return dict(filled(found if type.versions is None else type.versions.settled(dict(found)), schema))

    def _stored(self, value: dict[str, Any], type: ResourceType) -> dict[str, Any]:
        """An object as it comes back from the store."""
        if type.custom is not None:
            return value
        return dict(filled(value, type.schema(), stored=type.key != DEFINITIONS))

    def _asked(
        self,
        call: Call,
        type: ResourceType,
        operation: Operation,
        new: dict[str, Any] | None,
        old: dict[str, Any] | None,
    ) -> Asked:
        """The question to admission. A Scale is asked about as one."""
        metadata = (new if new is not None else old or {}).get("metadata") or {}
        name, namespace = metadata.get("name", ""), metadata.get("namespace", "")
        scaled = call.target.subresource == "scale" and type.scale is not None
        asked = Asked(
            type=type,
            operation=operation,
            object=new,
            old=old,
            name=name,
            namespace=name if type.key == ("", "namespaces") else namespace,
            subresource=call.target.subresource,
            kind=SCALE.gvk if scaled else None,
            user=call.user,
            dry_run=dry_run(call),
            options=options_of(call),
            namespace_object=self.namespace_object(namespace),
            shape=dict if scaled else lambda value: self._defaulted(value, type),
        )
        asked.object = None if new is None else _shown_as(asked, new)
        asked.old = None if old is None else _shown_as(asked, old)
        return asked

    def _validate(
        self, type: ResourceType, new: dict[str, Any], old: dict[str, Any] | None, subresource: str = ""
    ) -> list[str]:
        """Refuse what breaks the rules of the kind; warnings about what does not."""
        name = new["metadata"].get("name", "")
        causes, warnings = [*metadata_causes(type, new, old)], []
        if type.custom is not None:
            judged = type.custom.judge(new, old)
            causes += judged.causes
            warnings = judged.warnings
        else:
            causes += broken(type, _as_kept(type, new), old and _as_kept(type, old), subresource)
        causes += not_told(type.strategy.validate(new, old), causes)
        if type.custom is None and type.home is None:
            causes += not_told(schema_causes(new, type), causes)
        if causes:
            kind = type.gvk if type.home is None else type.gvk._replace(group=type.home[0])
            raise status.invalid(kind, name, causes)
        return warnings if subresource else [*warnings, *warnings_of(type, new, old)]


async def _shown(type: ResourceType, row: Row) -> Row:
    """A stored object as a version of its resource shows it."""
    if type.conversion is None:
        return row
    [found] = await type.conversion.shown([row])
    return found


async def _kept(type: ResourceType, value: dict[str, Any]) -> dict[str, Any]:
    """An object as it is stored."""
    return value if type.conversion is None else await type.conversion.kept(value)


def _check_version(text: Any) -> None:
    """Raise ApiError (500) for a version that is none."""
    try:
        version_of(str(text or 0))
    except NoVersion as why:
        raise ApiError(500, "", str(why)) from None


def _as_kept(type: ResourceType, value: dict[str, Any]) -> dict[str, Any]:
    """An object in the version whose rules it is judged by."""
    return value if type.versions is None else type.versions.stored(value)


def place_of(call: Call, type: ResourceType) -> Place:
    """Where the object of a path is kept."""
    namespace = call.target.namespace if type.namespaced else ""
    return Place(*type.key, namespace, call.target.name)


def _shown_as(asked: Asked, value: dict[str, Any]) -> dict[str, Any]:
    """An object as admission sees it."""
    return value if asked.kind is None else scale_of(asked.type, value)


def _admitted(asked: Asked, new: dict[str, Any]) -> dict[str, Any]:
    """The new state with what admission has made of it."""
    found = asked.object
    assert found is not None, "only of what is to be stored"
    return found if asked.kind is None else with_scale(asked.type, new, found)


def _new(type: ResourceType, value: dict[str, Any] | None, before: Mapping[str, Any]) -> dict[str, Any]:
    """A new object with what the server owns, whatever was mutated. ``before`` is its metadata as sent."""
    assert value is not None, "only of what is to be stored"
    metadata = dict(value["metadata"])
    for name in (*OWNED, "resourceVersion", "generation"):
        metadata.pop(name, None)
    for name in ("name", "namespace"):
        if before.get(name):
            metadata[name] = before[name]
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = names.generated(str(metadata["generateName"]))
    metadata["uid"], metadata["creationTimestamp"] = names.new_uid(), names.timestamp()
    if type.generation:
        metadata["generation"] = 1
    new = {**value, "metadata": metadata}
    if type.custom is not None and "status" in type.subresources:
        new.pop("status", None)
    type.strategy.prepare_create(new)
    return new
