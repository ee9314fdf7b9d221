"""What the store keeps and tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where an object is kept: its resource (group and plural, whatever the version), namespace and name."""

    group: str
    plural: str
    namespace: str
    name: str

    @property
    def resource(self) -> tuple[str, str]:
        """Its resource."""
        return self.group, self.plural


class Op(Enum):
    """What happened to an object. The values are the words of a watch."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One version of one object. ``body`` is its JSON, with ``metadata.resourceVersion`` in it.

    ``labels`` and ``fields`` are what selectors ask of it, so that lists need not decode bodies.
    """

    place: Place
    version: int
    uid: str
    body: bytes
    labels: Mapping[str, str]
    fields: Mapping[str, str]

    def load(self) -> dict[str, Any]:
        """The object, decoded anew: the caller may change it."""
        import orjson

        value: dict[str, Any] = orjson.loads(self.body)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change, in the order of versions. ``before`` is None for what is new.

    After a deletion ``row`` is the last state under the version of the deletion.
    """

    op: Op
    row: Row
    before: Row | None

    @property
    def version(self) -> int:
        """The version of the change."""
        return self.row.version
