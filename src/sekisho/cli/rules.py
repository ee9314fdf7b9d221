"""What lowers enforcement, for the commands: Rollouts, Waivers, WaiverGrants and BreakGlass among objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sekisho.diag import Diagnostic
from sekisho.kube.object import Object, OwnerReference
from sekisho.kube.owner import OWNER_KEY, Lookup

if TYPE_CHECKING:
    from sekisho.audit import Key
    from sekisho.kube.review.rules import Loaded

GROUPS: Final = ("enforcement.sekisho.dev", "waivers.sekisho.dev")
"""The groups of these kinds. Without one of them ``kube.review.rules`` is not even imported."""


def is_rule(object: Object) -> bool:
    """Whether an object lowers enforcement."""
    return object.gvk.group in GROUPS


def owners_among(objects: Sequence[Object]) -> Lookup:
    """How to find the controllers of objects among these; one of another uid is another object."""
    return _lookup(lambda: {(row.gvk.group, row.kind, row.namespace, row.name): row for row in objects})


def owners_by_key(objects: Mapping[Key, Object]) -> Lookup:
    """The same, where the objects are known by their keys already."""
    return _lookup(lambda: {key[:4]: row for key, row in objects.items()})


def _lookup(index: Callable[[], dict[tuple[str, str, str, str], Object]]) -> Lookup:
    """The lookup in an index, which is made when the first owner is asked for."""
    found: dict[tuple[str, str, str, str], Object] = {}

    def lookup(owner: OwnerReference, namespace: str) -> Object | None:
        if not found:
            found.update(index())
        gvk = owner.gvk
        here = found.get((gvk.group, gvk.kind, namespace, owner.name))
        here = here or found.get((gvk.group, gvk.kind, "", owner.name))
        return here if here is None or not here.uid or here.uid == owner.uid else None

    return lookup


def read_rules(objects: Sequence[Object], *, owner_key: str = "") -> Loaded | None:
    """The rules among objects; None where there are none and no object asks for one by its annotation."""
    from sekisho.kube.ladder import ANNOTATION

    if not any(is_rule(row) or ANNOTATION in row.annotations for row in objects):
        return None
    from sekisho.kube.review.rules import load_rules

    return load_rules(objects, owner_key=owner_key or OWNER_KEY, lookup=owners_among(objects))


def remarks(loaded: Loaded | None, findings: Iterable[Diagnostic], now: datetime) -> Iterable[Diagnostic]:
    """What is to be said of the waivers, once everything is judged."""
    if loaded is None or not loaded.waivers:
        return ()
    from sekisho.kube.review.rules import waiver_findings
    from sekisho.kube.review.verdict import WAIVER

    used = {str(row.data[WAIVER]) for row in findings if WAIVER in row.data}
    return waiver_findings(loaded.waivers, used, now)
