"""``metadata.managedFields``: read, written, ordered, kept short (apimachinery ``managedfields``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sekisho.apiserver.fields.sets import Fields, Malformed, from_fields_v1, to_fields_v1

APPLY: Final = "Apply"
UPDATE: Final = "Update"
FIELDS_V1: Final = "FieldsV1"

MAX_UPDATERS: Final = 10
"""Entries for updates that an object keeps, as in kube-apiserver; the oldest beyond them become one."""

ANCIENT: Final = "ancient-changes"
"""Whose the entry is that the oldest ones are put together in."""


class Manager(NamedTuple):
    """Whose an entry is. ``api_version`` is empty for Apply: who applies has one entry, whatever version."""

    name: str
    operation: str
    api_version: str = ""
    subresource: str = ""

    @property
    def identifier(self) -> str:
        """The text by which managers are ordered."""
        rows = {
            "manager": self.name,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "subresource": self.subresource,
        }
        return json.dumps({key: row for key, row in rows.items() if row}, separators=(",", ":"))


class Owned(NamedTuple):
    """What a manager owns, in which version of the API that is written, and whether it was applied."""

    fields: Fields
    api_version: str
    applied: bool


Owners = dict[Manager, Owned]
"""Who owns what."""


@dataclass(slots=True, kw_only=True)
class Managed:
    """Who owns what, and since when: RFC 3339, or None where an entry says nothing."""

    owners: Owners = field(default_factory=dict)
    times: dict[Manager, str | None] = field(default_factory=dict)


def read(rows: Any) -> Managed:
    """The entries of an object. Raises Malformed."""
    managed = Managed()
    for index, row in enumerate(rows or ()):
        manager, owned = _entry(row, index)
        managed.owners[manager] = owned
        managed.times[manager] = row.get("time")
    return managed


def _entry(row: Any, index: int) -> tuple[Manager, Owned]:
    if not isinstance(row, Mapping) or row.get("operation") not in (APPLY, UPDATE):
        raise Malformed("operation must be `Apply` or `Update`")
    version = row.get("apiVersion")
    if not isinstance(version, str) or not version:
        raise Malformed("apiVersion must not be empty")
    kind = row.get("fieldsType")
    if not kind:
        raise Malformed(f"missing fieldsType in managed fields entry {index}")
    if kind != FIELDS_V1:
        raise Malformed(f'invalid fieldsType "{kind}" in managed fields entry {index}')
    applied = row["operation"] == APPLY
    manager = Manager(
        str(row.get("manager") or ""),
        row["operation"],
        "" if applied else version,
        str(row.get("subresource") or ""),
    )
    return manager, Owned(from_fields_v1(row.get("fieldsV1")), version, applied)


def write(managed: Managed) -> list[dict[str, Any]]:
    """The entries for an object, in order."""
    rows = []
    for manager, owned in managed.owners.items():
        row: dict[str, Any] = {
            "manager": manager.name,
            "operation": APPLY if owned.applied else UPDATE,
            "apiVersion": owned.api_version,
            "time": managed.times.get(manager),
            "fieldsType": FIELDS_V1,
            "fieldsV1": to_fields_v1(owned.fields),
            "subresource": manager.subresource,
        }
        rows.append({key: value for key, value in row.items() if value or key == "fieldsV1"})
    rows.sort(key=_order)
    return rows


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        row["operation"],
        seconds(row.get("time")),
        row.get("manager", ""),
        row["apiVersion"],
        row.get("subresource", ""),
    )


def seconds(time: Any) -> int:
    """A time of an entry in seconds; 0 where there is none."""
    if not isinstance(time, str):
        return 0
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        return 0
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def cap(managed: Managed) -> None:
    """Put the oldest entries of updates together, version by version, until the limit is kept."""
    updaters = [manager for manager, owned in managed.owners.items() if not owned.applied]
    left = len(updaters)
    if left <= MAX_UPDATERS:
        return
    updaters.sort(key=lambda row: (seconds(managed.times.get(row)), row.identifier))
    first: dict[str, Manager] = {}
    owners = managed.owners
    for manager in updaters:
        if left <= MAX_UPDATERS:
            return
        owned = owners[manager]
        bucket = Manager(ANCIENT, UPDATE, owned.api_version)
        if owned.api_version not in first:
            first[owned.api_version] = manager
            continue
        if bucket not in owners:
            owners[bucket] = owners.pop(first[owned.api_version])
        owners[bucket] = owned._replace(fields=owned.fields | owners[bucket].fields)
        if manager != bucket:
            del owners[manager]
        left -= 1
        managed.times[bucket] = managed.times.get(manager)
