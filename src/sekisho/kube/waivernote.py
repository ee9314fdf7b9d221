"""Waivers that stand on the object that they are for, as an annotation, and what permits them.

``waivers.sekisho.dev/waive`` holds a JSON list of ``{policies, reason, owner, expires, ticket}``. Whoever may
write an object may write its annotations, so an annotation by itself waives nothing: a WaiverGrant of the
platform team says which policies may be waived in which namespaces, and how far ahead the end may lie.

The steps, each of which refuses what it does not understand:

1. the annotation is JSON and every entry is complete;
2. a WaiverGrant covers the object's namespace;
3. that grant covers every policy that the entry names, pattern by pattern;
4. the end is no further away than the grant's longest duration.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Level, Path
from sekisho.kube import codes
from sekisho.kube.decode import (
    Duration,
    Field,
    ListOf,
    Reading,
    Refused,
    Resource,
    Struct,
    Text,
    Time,
    resource,
)
from sekisho.kube.ladder import ANNOTATION, WAIVERS
from sekisho.kube.selectors import any_wildcard
from sekisho.kube.waiver import Waiver

if TYPE_CHECKING:
    from sekisho.kube.object import Object
    from sekisho.kube.subject import Subject

MAX_ENTRIES: Final = 32
"""Entries of one annotation: each is held against every finding of the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverGrant:
    """Annotations of objects in ``namespaces`` may waive ``policies`` (wildcards both) for ``longest``."""

    name: str
    policies: tuple[str, ...]
    namespaces: tuple[str, ...]
    longest: timedelta

    def covers(self, policies: Iterable[str], namespace: str) -> bool:
        """Whether it lets every one of these patterns be waived there."""
        return any_wildcard(self.namespaces, namespace) and all(
            any(_within(pattern, mine) for mine in self.policies) for pattern in policies
        )


def _within(pattern: str, grant: str) -> bool:
    """Whether everything that ``pattern`` selects is selected by ``grant``; in doubt it is not."""
    if grant in (pattern, "*"):
        return True
    starts, ends = grant.startswith("*"), grant.endswith("*")
    fixed = grant.strip("*")
    if "*" in pattern.strip("*") or "*" in fixed:
        return False
    open_start, open_end = pattern.startswith("*"), pattern.endswith("*")
    text = pattern.strip("*")
    if starts and ends:
        return fixed in text
    if ends:
        return not open_start and text.startswith(fixed)
    if starts:
        return not open_end and text.endswith(fixed)
    return False


GRANT: Final[Resource[WaiverGrant]] = resource(
    WAIVERS,
    "WaiverGrant",
    WaiverGrant,
    Field("policies", "spec.policies", ListOf(Text(), minimum=1)),
    Field("namespaces", "spec.namespaces", ListOf(Text(), minimum=1)),
    Field("longest", "spec.longest", Duration()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One entry of the annotation."""

    policies: tuple[str, ...]
    reason: str
    owner: str
    expires: datetime
    ticket: str = ""


_NOTE: Final = Struct(
    Note,
    Field("policies", "policies", ListOf(Text(), minimum=1)),
    Field("reason", "reason", Text()),
    Field("owner", "owner", Text()),
    Field("expires", "expires", Time()),
    Field("ticket", "ticket", Text(), ""),
)

_PATH: Final[Path] = ("metadata", "annotations", ANNOTATION)


def notes_of(object: Object) -> tuple[Note, ...]:
    """The entries of an object's annotation; raises DiagnosticError (KUB074, KUB040-KUB043)."""
    text = object.annotations.get(ANNOTATION)
    try:
        rows = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list) or len(rows) > MAX_ENTRIES:
        message = f"the annotation {ANNOTATION} must be a JSON list of at most {MAX_ENTRIES} waivers"
        raise DiagnosticError(_problem(codes.BAD_WAIVER_NOTE, object, message))
    reading = Reading(object)
    found: list[Note] = []
    for index, row in enumerate(rows):
        try:
            found.append(_NOTE.read(row, (*_PATH, index), reading))
        except Refused:
            continue
    if reading.problems:
        raise DiagnosticError(reading.problems)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What an object's annotation comes to: waivers in force or expired, and what is wrong with the rest.

    ``moments`` are the times at which an entry that is refused today comes near enough to its end.
    """

    waivers: tuple[Waiver, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    moments: tuple[datetime, ...] = ()


def noted(subject: Subject, grants: Sequence[WaiverGrant], now: datetime) -> Noted:
    """The waivers in the annotation of the subject's object, as of ``now`` (aware)."""
    object = subject.object
    try:
        notes = notes_of(object)
    except DiagnosticError as error:
        return Noted(problems=error.diagnostics)
    waivers: list[Waiver] = []
    problems: list[Diagnostic] = []
    moments: list[datetime] = []
    for note in notes:
        found = [grant for grant in grants if grant.covers(note.policies, subject.namespace)]
        if not found:
            message = f"no WaiverGrant lets an annotation here waive {', '.join(note.policies)}"
            problems.append(_problem(codes.WAIVER_NOT_GRANTED, object, message))
            continue
        grant = max(found, key=lambda row: (row.longest, row.name))
        if note.expires - now > grant.longest:
            moments.append(note.expires - grant.longest)
            message = (
                f"the annotation waives {', '.join(note.policies)} until {note.expires:%Y-%m-%d %H:%M}Z, "
                f"which is further away than WaiverGrant {grant.name} lets it ({grant.longest})"
            )
            problems.append(_problem(codes.WAIVER_NOT_GRANTED, object, message))
            continue
        waivers.append(_waiver(note, grant, subject))
    return Noted(waivers=tuple(waivers), problems=tuple(problems), moments=tuple(moments))


def _waiver(note: Note, grant: WaiverGrant, subject: Subject) -> Waiver:
    writer = subject.annotator
    by = f" written by {writer}" if writer else ""
    return Waiver(
        name=f"{ANNOTATION}/{grant.name}",
        reason=note.reason,
        owner=note.owner,
        expires=note.expires,
        ticket=note.ticket,
        policies=note.policies,
        where=f"the annotation {ANNOTATION}{by}",
    )


def annotator(object: Object, old: Object | None, username: str) -> str:
    """Who wrote the annotation: the user of a request that changes it, else the manager of the field."""
    text = object.annotations.get(ANNOTATION)
    if username and (old is None or old.annotations.get(ANNOTATION) != text):
        return username
    rows = object.metadata.get("managedFields")
    for row in rows if isinstance(rows, list) else ():
        fields: Any = row.get("fieldsV1") if isinstance(row, dict) else None
        for step in ("f:metadata", "f:annotations", f"f:{ANNOTATION}"):
            fields = fields.get(step) if isinstance(fields, dict) else None
        if fields is not None:
            return str(row.get("manager") or "")
    return ""


def _problem(code: Any, object: Object, message: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, level=Level.WARNING, at=object.at(*_PATH))
