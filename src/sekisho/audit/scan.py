"""The scanner: judge what may have changed, take the rest from the ledger.

An entry of the old ledger is good for a part if the object has the same version, the same things judge, all
that the verdict read beyond the object is as it was, and its moment has not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sekisho.audit.model import EMPTY, Entry, Judged, Key, Ledger, Part, Snapshot, key_of
from sekisho.audit.world import World
from sekisho.diag import Deadline
from sekisho.kube.object import Object
from sekisho.kube.review import ALLOWED, Request, Verdict, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An object that is to be judged, by these parts."""

    key: Key
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
    objects: Iterable[Object] | Mapping[Key, Object],
    snapshot: Snapshot,
    *,
    now: datetime,
    previous: Ledger = EMPTY,
    world: World | None = None,
    pace: Pace = AT_EASE,
) -> Ledger:
    """The ledger of these objects as of ``now`` (aware).

    ``world`` has all that may be read; without it the objects are all there is. Of objects with one key the
    last one counts; a mapping has them by their keys already.
    """
    if isinstance(objects, Mapping):
        subjects = dict(objects)
    else:
        subjects = {key_of(object): object for object in objects}
    seen = world or World(subjects)
    kept: dict[Key, tuple[Judged | None, ...]] = {}
    due: list[Due] = []
    for key, object in subjects.items():
        parts = [part for part in snapshot.parts if part.concerns(object)]
        good = _still_good(parts, previous.entries.get(key), seen, seen.version(key), now)
        kept[key] = good
        if None in good:
            wanted = tuple(part for part, row in zip(parts, good, strict=True) if row is None)
            due.append(Due(key=key, object=object, parts=wanted))

    def work(rows: Iterable[Due]) -> list[Answer]:
        return [_judge(row, snapshot, now, pace.seconds) for row in rows]

    asked = 0
    for row, verdicts in zip(due, pace.spread(work, due), strict=True):
        asked += len(verdicts)
        fresh = iter([_judged(*pair, seen, now) for pair in zip(row.parts, verdicts, strict=True)])
        kept[row.key] = tuple(known or next(fresh) for known in kept[row.key])
    entries: dict[Key, Entry] = {}
    for key, object in subjects.items():
        judged = tuple(row for row in kept[key] if row is not None)
        old = previous.entries.get(key)
        if old is not None and old.object is object and old.judged == judged:
            entries[key] = old
        else:
            entries[key] = Entry(object=object, version=seen.version(key), judged=judged)
    return Ledger(entries=entries, asked=asked)


def _still_good(
    parts: Sequence[Part], old: Entry | None, world: World, version: str, now: datetime
) -> tuple[Judged | None, ...]:
    """For each part what of the old entry still holds, None where it is to be asked."""
    if old is None or old.version != version:
        return (None,) * len(parts)
    known = {row.digest: row for row in old.judged}
    return tuple(
        None
        if (row := known.get(part.digest)) is None
        or (row.expires and row.expires <= now)
        or not world.fresh(row.stamp)
        else row
        for part in parts
    )


def _judge(due: Due, snapshot: Snapshot, now: datetime, seconds: float) -> Answer:
    request: Request = snapshot.ask(due.object)
    deadline = Deadline.after(seconds)
    return tuple(
        decide(part.steps, request, now=now, deadline=deadline, rules=snapshot.rules, recorded=False)
        for part in due.parts
    )


def _judged(part: Part, verdict: Verdict, world: World, now: datetime) -> Judged:
    """A verdict as the ledger keeps it. What was no real answer is asked again the next time."""
    failed = verdict.failures or any(finding.failed for finding in verdict.findings)
    expires = now if failed else verdict.expires
    small = ALLOWED
    if verdict.findings or verdict.failures or verdict.outcome is not ALLOWED.outcome:
        small = Verdict(outcome=verdict.outcome, findings=verdict.findings, failures=verdict.failures)
    return Judged(part.digest, world.stamp(verdict.reads), expires, small)
