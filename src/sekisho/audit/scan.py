"""The scanner: judge what may have changed, take the rest from the ledger.

An entry of the old ledger is good for a part if the object has the same version, the same things judge, all
that the verdict read beyond the object is as it was, and its moment has not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sekisho.audit.model import EMPTY, Entry, Judged, Key, Ledger, Part, Snapshot, key_of
from sekisho.audit.world import World
from sekisho.diag import Deadline
from sekisho.kube.object import Object
from sekisho.kube.owner import owner_of
from sekisho.kube.review import ALLOWED, Request, Verdict, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An object that is to be judged, by these parts."""

    object: Object
    parts: tuple[Part, ...]


Answer = tuple[Verdict, ...]
"""The verdicts about one object, in the order of its due parts."""

Work = Callable[[Iterable[Due]], list[Answer]]
Spread = Callable[[Work, Sequence[Due]], list[Answer]]


def here(work: Work, due: Sequence[Due]) -> list[Answer]:
    """Do the work in this process."""
    return work(due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a scan goes about it: how long one object may take in seconds, and who does the work."""

    seconds: float = 10.0
    spread: Spread = here


AT_EASE: Final = Pace()


def scan(
    objects: Iterable[Object],
    snapshot: Snapshot,
    *,
    now: datetime,
    previous: Ledger = EMPTY,
    world: World | None = None,
    pace: Pace = AT_EASE,
) -> Ledger:
    """The ledger of these objects as of ``now`` (aware).

    ``world`` has all that may be read; without it the objects are all there is. Of objects with one key the
    last one counts.
    """
    subjects = {key_of(object): object for object in objects}
    seen = world or World(subjects.values())
    kept: dict[Key, dict[str, Judged]] = {}
    due: list[Due] = []
    for key, object in subjects.items():
        good, wanted = _sort(object, previous.entries.get(key), snapshot, seen, now)
        kept[key] = good
        if wanted:
            due.append(Due(object=object, parts=wanted))

    def work(rows: Iterable[Due]) -> list[Answer]:
        return [_judge(row, snapshot, now, pace.seconds) for row in rows]

    answers = pace.spread(work, due)
    asked = 0
    for row, verdicts in zip(due, answers, strict=True):
        good = kept[key_of(row.object)]
        asked += len(verdicts)
        for part, verdict in zip(row.parts, verdicts, strict=True):
            good[part.name] = _judged(part, verdict, seen, now)
    owners = _Owners(snapshot, seen)
    entries = {
        key: owners.entry(object, kept[key], previous.entries.get(key)) for key, object in subjects.items()
    }
    return Ledger(entries=entries, asked=asked)


def _sort(
    object: Object, old: Entry | None, snapshot: Snapshot, world: World, now: datetime
) -> tuple[dict[str, Judged], tuple[Part, ...]]:
    """What of the old entry still holds, by part, and which parts are to be asked."""
    parts = [part for part in snapshot.parts if part.concerns(object)]
    if old is None or old.version != world.version(object):
        return {}, tuple(parts)
    known = {row.digest: row for row in old.judged}
    good: dict[str, Judged] = {}
    wanted: list[Part] = []
    for part in parts:
        row = known.get(part.digest)
        if row is None or (row.expires and row.expires <= now) or not world.fresh(row.stamp):
            wanted.append(part)
        else:
            good[part.name] = row
    return good, tuple(wanted)


def _judge(due: Due, snapshot: Snapshot, now: datetime, seconds: float) -> Answer:
    request: Request = snapshot.ask(due.object)
    deadline = Deadline.after(seconds)
    return tuple(
        decide(part.steps, request, now=now, deadline=deadline, rules=snapshot.rules) for part in due.parts
    )


def _judged(part: Part, verdict: Verdict, world: World, now: datetime) -> Judged:
    """A verdict as the ledger keeps it. What was no real answer is asked again the next time."""
    failed = verdict.failures or any(finding.failed for finding in verdict.findings)
    expires = now if failed else verdict.expires
    small = ALLOWED
    if verdict.findings or verdict.failures or verdict.outcome is not ALLOWED.outcome:
        small = Verdict(outcome=verdict.outcome, findings=verdict.findings, failures=verdict.failures)
    return Judged(part.digest, world.stamp(verdict.reads), expires, small)


class _Owners:
    """Makes entries, with the owners of objects that something is said of."""

    def __init__(self, snapshot: Snapshot, world: World) -> None:
        self._snapshot = snapshot
        self._world = world

    def entry(self, object: Object, judged: dict[str, Judged], old: Entry | None) -> Entry:
        """The entry of an object; the old one if it says the same."""
        parts = self._snapshot.parts
        rows = tuple(judged[part.name] for part in parts if part.name in judged)
        owner = ""
        if any(row.verdict is not ALLOWED for row in rows):
            rules = self._snapshot.rules
            namespace = self._world.namespace(object.namespace)
            owner = owner_of(object, namespace=namespace, lookup=rules.lookup, key=rules.owner_key)
        version = self._world.version(object)
        if old is not None and (old.object, old.version, old.judged, old.owner) == (
            object,
            version,
            rows,
            owner,
        ):
            return old
        return Entry(object=object, version=version, judged=rows, owner=owner)
