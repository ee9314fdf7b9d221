"""The inventory as it changes: one object at a time, and yet a value that nobody changes.

``data.inventory`` is shared by all reviews under way, so a change copies the mappings on the way to the
object and leaves everything else as it is: for one Pod of ten thousand that is the Pods of its Namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sekisho.kube.object import Object
from sekisho.policy.inventory import build_inventory

Change = tuple[Object, Object | None]
"""An object as it was or is, for its place, and what stands there from now on: None for nothing."""


def inventory_of(objects: Iterable[Object]) -> dict[str, Any]:
    """The inventory of these objects."""
    return build_inventory(objects)


def changed(inventory: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """The inventory after some changes; the one before is as it was."""
    out = dict(inventory)
    fresh: set[int] = set()
    for at, new in changes:
        steps = ("namespace", at.namespace) if at.namespace else ("cluster",)
        _set(out, (*steps, at.api_version, at.kind), at.name, new, fresh)
    return out


def _set(
    root: dict[str, Any], steps: tuple[str, ...], name: str, new: Object | None, fresh: set[int]
) -> None:
    """Set or remove an entry below copies of the mappings on the way, each of which is copied once."""
    way = [root]
    for step in steps:
        below = way[-1].get(step)
        if below is None or id(below) not in fresh:
            below = dict(below or {})
            fresh.add(id(below))
            way[-1][step] = below
        way.append(below)
    if new is not None:
        way[-1][name] = new.raw
        return
    way[-1].pop(name, None)
    # What is empty goes, as if it had never been: a policy that looks for kinds must not find one without
    # objects. The two at the top stay.
    for above, step in zip(reversed(way[:-1]), reversed(steps), strict=True):
        if above[step] or above is root:
            break
        del above[step]
