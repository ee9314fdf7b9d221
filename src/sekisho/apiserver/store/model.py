"""What the store keeps and tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


class About(NamedTuple):
    """What selectors and owners ask of an object, so that lists need not decode bodies."""

    uid: str
    labels: Mapping[str, str]
    fields: Mapping[str, str]


Read = Callable[[Place, bytes], About]
"""From an object's JSON to what is asked of it."""


class Row:
    """One version of one object, never changed. ``body`` is its JSON, ``metadata.resourceVersion`` in it.

    What selectors ask of an object that comes from the file is read when the first one asks: a server that
    starts decodes nothing.
    """

    __slots__ = ("_about", "body", "place", "version")

    def __init__(self, place: Place, version: int, body: bytes, about: About | Read) -> None:
        self.place = place
        self.version = version
        self.body = body
        self._about = about

    def __repr__(self) -> str:
        return f"<{self.place.plural} {self.place.namespace}/{self.place.name} at {self.version}>"

    @property
    def about(self) -> About:
        """What is asked of it."""
        found = self._about
        if not isinstance(found, About):
            found = self._about = found(self.place, self.body)
        return found

    @property
    def uid(self) -> str:
        """``metadata.uid``."""
        return self.about.uid

    @property
    def labels(self) -> Mapping[str, str]:
        """``metadata.labels``."""
        return self.about.labels

    @property
    def fields(self) -> Mapping[str, str]:
        """The values that field selectors may ask for."""
        return self.about.fields

    def shown(self, body: bytes, labels: Mapping[str, str], fields: Mapping[str, str]) -> Row:
        """The same object as another version of its resource has it."""
        return Row(self.place, self.version, body, About(self.uid, labels, fields))

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
