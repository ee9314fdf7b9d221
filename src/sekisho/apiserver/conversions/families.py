"""Which built-in resources are one and the same, and how the API server reads and writes their versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sekisho.apiserver.store import Row
from sekisho.kube.conversions import FAMILIES, Convert, Family, converted
from sekisho.kube.gvk import GVR

Json = dict[str, Any]
HOMES: Final[Mapping[tuple[str, str], tuple[str, str]]] = {("events.k8s.io", "events"): ("", "events")}
"""Resources whose objects are kept under another group: group and plural of both."""


Fields = Callable[[Mapping[str, Any]], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a family, as ``types.Conversion`` wants it.

    ``fields``: what its selectors ask for. ``shape`` and ``shape_stored`` write an object as Go writes the
    structs of this version, and of the one that is stored.
    """

    family: Family
    api_version: str
    fields: Fields
    shape: Convert
    shape_stored: Convert

    async def shown(self, rows: Sequence[Row]) -> list[Row]:
        """Stored objects in this version."""
        if self.api_version == self.family.stored:
            return list(rows)
        return [self._shown(row) for row in rows]

    def _shown(self, row: Row) -> Row:
        value = self.shape(self.family.from_stored[self.api_version](row.load()))
        return row.shown(orjson.dumps(value), row.labels, self.fields(value))

    def stored(self, value: Json) -> Json:
        """An object of this version in the one that is stored."""
        convert = self.family.to_stored.get(self.api_version)
        return value if convert is None else self.shape_stored(convert(value))

    async def kept(self, value: Json) -> Json:
        """The same, for who waits."""
        return self.stored(value)

    async def converted(self, value: Json) -> Json:
        """An object of any version in this one."""
        if value.get("apiVersion") == self.api_version:
            return value
        found = converted(value, self.api_version)
        return self.shape({**value, "apiVersion": self.api_version} if found is None else found)

    def settled(self, value: Json) -> Json:
        """An object as it comes back through the stored version, whose defaults are told in this one."""
        forth = self.family.from_stored.get(self.api_version)
        return value if forth is None else self.shape(forth(self.stored(value)))


ShapeOf = Callable[[str], Convert]
"""From an apiVersion to what writes objects as its structs."""


def conversion_of(gvr: GVR, kind: str, fields: Fields, shape_of: ShapeOf) -> Version | None:
    """How a version of a built-in resource is converted; None where it is the only one."""
    group, _ = HOMES.get((gvr.group, gvr.resource), (gvr.group, ""))
    family = FAMILIES.get((group, kind))
    api_version = f"{gvr.group}/{gvr.version}" if gvr.group else gvr.version
    if family is None or (api_version != family.stored and api_version not in family.to_stored):
        return None
    return Version(
        family=family,
        api_version=api_version,
        fields=fields,
        shape=shape_of(api_version),
        shape_stored=shape_of(family.stored),
    )
