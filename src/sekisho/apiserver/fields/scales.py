"""Managed fields across the scale subresource (apimachinery ``managedfields``, ``ScaleHandler``).

A Scale shows who owns the replicas of its object; what becomes of that by a write to the Scale becomes of the
object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sekisho.apiserver.fields.entries import Managed, Owned, read, write
from sekisho.apiserver.fields.sets import Malformed, Path

SCALE: Final = "autoscaling/v1"
REPLICAS: Final[Path] = ("f:spec", "f:replicas")

Where = Callable[[str], Path | None]
"""From an API version to the path of the replicas; None if it has none, or is not known."""


def to_scale(rows: Any, where: Where) -> list[dict[str, Any]]:
    """The entries of a Scale."""
    parent, found = _read(rows), Managed()
    for manager, owned in parent.owners.items():
        path = where(owned.api_version)
        if path is not None and path in owned.fields:
            found.owners[manager] = Owned(frozenset({REPLICAS}), SCALE, owned.applied)
            found.times[manager] = parent.times.get(manager)
    return write(found)


def to_parent(rows: Any, scale_rows: Any, api_version: str, where: Where) -> list[dict[str, Any]]:
    """The entries of an object after a write to its Scale in one of its versions."""
    parent, scale, found = _read(rows), _read(scale_rows), Managed()
    left = dict(scale.owners)
    for manager, owned in parent.owners.items():
        path = where(owned.api_version)
        fields = owned.fields
        if path is not None and path in fields:
            if manager in left:
                del left[manager]
            else:
                fields -= {path}
        if fields:
            found.owners[manager] = owned._replace(fields=fields)
            found.times[manager] = parent.times.get(manager)
    path = where(api_version)
    for manager, owned in left.items():
        if path is not None and REPLICAS in owned.fields:
            found.owners[manager] = Owned(frozenset({path}), api_version, owned.applied)
            found.times[manager] = parent.times.get(manager)
    return write(found)


def _read(rows: Any) -> Managed:
    try:
        return read(rows)
    except Malformed:
        return Managed()
