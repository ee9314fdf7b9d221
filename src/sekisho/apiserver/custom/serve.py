"""From a definition to the resources that it serves, one for each version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sekisho.apiserver.custom.conversion import convert
from sekisho.apiserver.custom.definition import Definition, Version
from sekisho.apiserver.custom.judge import judge
from sekisho.apiserver.custom.schemas import Read, read
from sekisho.apiserver.jsonpath import JsonPathError, find
from sekisho.apiserver.store import Place, Row
from sekisho.apiserver.types import EVERY_VERB, Judged, Plain, Raw, ResourceType, Subresource
from sekisho.apiserver.webhooks import Caller
from sekisho.kube.gvk import GVK
from sekisho.kube.schema import Schema, default, prune
from sekisho.kube.schema.builtin import stability

_STATUS: Final = Subresource(name="status", verbs=("get", "patch", "update"))
_SCALE: Final = Subresource(
    name="scale", verbs=("get", "patch", "update"), kind=GVK("autoscaling", "v1", "Scale")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A version of a custom resource, as ``types.Custom`` wants it."""

    definition: Definition
    version: Version
    read: Read
    caller: Caller
    _shown: dict[tuple[str, str], tuple[int, Row]] = field(default_factory=dict, repr=False)

    async def shown(self, rows: Sequence[Row]) -> list[Row]:
        """Stored objects in this version. What was made of an object is kept until it changes."""
        found: list[Row | None] = [self._known(row) for row in rows]
        todo = [(index, row) for index, row in enumerate(rows) if found[index] is None]
        if todo:
            values = [row.load() for _, row in todo]
            made = await convert(self.definition, values, self.version.name, self.caller)
            for (index, row), value, new in zip(todo, values, made, strict=True):
                shown = self._row(row, value, self.shaped(new))
                self._shown[_key(row.place)] = (row.version, shown)
                found[index] = shown
        return [row for row in found if row is not None]

    def _known(self, row: Row) -> Row | None:
        known = self._shown.get(_key(row.place))
        return known[1] if known is not None and known[0] == row.version else None

    def _row(self, row: Row, value: dict[str, Any], new: dict[str, Any]) -> Row:
        """The row of an object in this version; the same one where nothing is different."""
        fields = self.fields(new)
        if new == value:
            return row.shown(row.body, row.labels, fields) if fields else row
        return row.shown(orjson.dumps(new), new["metadata"].get("labels") or {}, fields)

    def forget(self, place: Place) -> None:
        """Forget an object that is gone."""
        self._shown.pop(_key(place), None)

    async def kept(self, value: dict[str, Any]) -> dict[str, Any]:
        """An object in the version in which it is stored."""
        [found] = await convert(self.definition, [value], self.definition.stored, self.caller)
        return found

    async def converted(self, value: dict[str, Any]) -> dict[str, Any]:
        """An object of another version in this one."""
        [found] = await convert(self.definition, [value], self.version.name, self.caller)
        return found

    def shaped(self, value: dict[str, Any], *, keep_nulls: bool = False) -> dict[str, Any]:
        """Without unknown fields, and with the defaults."""
        pruned = prune(value, self.read.schema)
        filled = default(pruned, self.read.schema, keep_nulls=keep_nulls)
        return filled if isinstance(filled, dict) else value

    def judge(self, new: Raw, old: Raw | None) -> Judged:
        """What is wrong with an object."""
        return judge(self.read, self.version.scale, new, old)

    def schema(self) -> Schema:
        """The schema of this version."""
        return self.read.schema

    def fields(self, value: Raw) -> Mapping[str, str]:
        """What field selectors may ask for."""
        return {name: _selected(name, value) for name in self.version.selectable}


def _key(place: Place) -> tuple[str, str]:
    return place.namespace, place.name


def _selected(name: str, value: Raw) -> str:
    try:
        found = find(f".{name}", value)
    except JsonPathError:
        return ""
    if not found or found[0] is None:
        return ""
    return str(found[0]).lower() if isinstance(found[0], bool) else str(found[0])


class _Selected(Plain):
    """The strategy of custom resources: what selectors may ask is the version's."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def fields(self, value: Raw) -> Mapping[str, str]:
        """The selectable fields."""
        return self._served.fields(value)


def types_of(definition: Definition, caller: Caller) -> list[ResourceType]:
    """The resources of a definition that is established, the most stable version first."""
    versions = [row for row in definition.versions if row.served]
    versions.sort(key=lambda row: stability(row.name), reverse=True)
    return [_type(definition, row, caller) for row in versions]


def _type(definition: Definition, version: Version, caller: Caller) -> ResourceType:
    served = Served(
        definition=definition, version=version, read=read(version.schema, version.at), caller=caller
    )
    names = definition.accepted
    subresources = {
        row.name: row
        for row, there in ((_STATUS, version.status), (_SCALE, version.scale is not None))
        if there
    }
    return ResourceType(
        group=definition.group,
        version=version.name,
        kind=names.kind,
        plural=names.plural,
        singular=names.singular,
        list_kind=names.list_kind,
        namespaced=definition.namespaced,
        verbs=EVERY_VERB,
        short_names=names.short_names,
        categories=names.categories,
        subresources=subresources,
        columns=version.columns,
        schema=served.schema,
        strategy=_Selected(served),
        stored=definition.stored,
        generation=True,
        custom=served,
        selectable=version.selectable,
        published=version.schema,
        scale=version.scale,
        unconditional=False,
        warning=version.warning,
        closing=definition.terminating,
    )
