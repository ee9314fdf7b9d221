"""Which names a definition gets, and whether it is established (apiextensions' naming controller).

Names are taken by the definitions that were accepted before; a definition keeps what it has got.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from sekisho.apiserver import names as making
from sekisho.apiserver.custom.definition import ESTABLISHED, NAMES_ACCEPTED, Definition, Names

TAKEN: Final = "{} is already in use"


def status_of(
    definition: Definition, status: Mapping[str, Any], others: Iterable[Definition]
) -> dict[str, Any]:
    """The status of a definition beside the others of its group."""
    accepted = [row.accepted for row in others]
    resources = {name for row in accepted for name in (row.plural, row.singular, *row.short_names) if name}
    kinds = {name for row in accepted for name in (row.kind, row.list_kind) if name}
    got, reason, why = _granted(definition, resources, kinds)
    found = dict(status)
    found["acceptedNames"] = got.to_json()
    conditions = [dict(row) for row in status.get("conditions") or ()]
    accepts = not reason
    set_condition(conditions, NAMES_ACCEPTED, accepts, reason or "NoConflicts", why or "no conflicts found")
    if definition.established:
        pass
    elif accepts:
        set_condition(
            conditions, ESTABLISHED, True, "InitialNamesAccepted", "the initial names have been accepted"
        )
    else:
        set_condition(conditions, ESTABLISHED, False, "NotAccepted", "not all names are accepted")
    found["conditions"] = conditions
    return found


def _granted(definition: Definition, resources: set[str], kinds: set[str]) -> tuple[Names, str, str]:
    """The names, and the reason and message of the last conflict."""
    wanted, got = definition.names, definition.accepted
    reason = message = ""
    granted: dict[str, Any] = {"categories": wanted.categories}
    for field, taken, conflict in (
        ("plural", resources, "PluralConflict"),
        ("singular", resources, "SingularConflict"),
        ("short_names", resources, "ShortNamesConflict"),
        ("kind", kinds, "KindConflict"),
        ("list_kind", kinds, "ListKindConflict"),
    ):
        asked, has = getattr(wanted, field), getattr(got, field)
        rows = asked if isinstance(asked, tuple) else (asked,)
        own = has if isinstance(has, tuple) else (has,)
        used = [f'"{row}"' for row in rows if row not in own and row in taken]
        if used:
            told = [TAKEN.format(row) for row in used]
            reason, message = conflict, told[0] if len(told) == 1 else f"[{', '.join(told)}]"
        else:
            granted[field] = asked
    return replace(got, **granted), reason, message


def set_condition(
    conditions: list[dict[str, Any]], type: str, holds: bool, reason: str, message: str
) -> None:
    """Set a condition in place; its time changes with its status alone."""
    row = next((row for row in conditions if row.get("type") == type), None)
    if row is None:
        row = {"type": type}
        conditions.append(row)
    status = "True" if holds else "False"
    if row.get("status") != status:
        row["lastTransitionTime"] = making.timestamp()
    row |= {"status": status, "reason": reason, "message": message}
