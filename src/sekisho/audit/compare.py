"""The engine behind every preview: what another snapshot says of the same objects, and what that changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sekisho.audit.model import Entry, Ledger, Snapshot
from sekisho.audit.scan import AT_EASE, Pace, scan
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Rung


class Change(Enum):
    """What becomes of one finding."""

    NEW = "new"
    GONE = "gone"
    RAISED = "raised"
    LOWERED = "lowered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One finding that is not what it was. ``before`` and ``after`` are its rungs, None where it is not."""

    change: Change
    entry: Entry
    finding: Finding
    before: Rung | None
    after: Rung | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two ledgers of the same objects, and every difference, in the order of the objects."""

    old: Ledger
    new: Ledger
    differences: tuple[Difference, ...]

    def newly_denied(self) -> Iterator[Entry]:
        """Objects that would pass today and would not after the change."""
        for key, entry in self.new.entries.items():
            if denied(entry) and not denied(self.old.entries[key]):
                yield entry

    def newly_allowed(self) -> Iterator[Entry]:
        """Objects that would not pass today and would after the change."""
        for key, entry in self.new.entries.items():
            if not denied(entry) and denied(self.old.entries[key]):
                yield entry


def denied(entry: Entry) -> bool:
    """Whether the object would be refused."""
    return any(not row.verdict.allowed for row in entry.judged)


def compare(
    old: Snapshot, new: Snapshot, objects: Iterable[Object], *, now: datetime, pace: Pace = AT_EASE
) -> Comparison:
    """Judge the objects by both snapshots. What both judge alike, as its digest says, is judged once."""
    rows = tuple(objects)
    before = scan(rows, old, now=now, pace=pace)
    after = scan(rows, new, now=now, previous=before, pace=pace)
    found: list[Difference] = []
    for key, entry in after.entries.items():
        found += _differences(before.entries[key], entry)
    return Comparison(old=before, new=after, differences=tuple(found))


def _differences(old: Entry, new: Entry) -> Iterator[Difference]:
    if old.judged == new.judged:
        return
    before, after = _by_identity(tuple(old.findings())), _by_identity(tuple(new.findings()))
    for identity in dict.fromkeys((*before, *after)):
        was, now = before.get(identity), after.get(identity)
        if now is None:
            assert was is not None, "it is in one of them"
            yield Difference(change=Change.GONE, entry=new, finding=was, before=was.rung, after=None)
        elif was is None:
            yield Difference(change=Change.NEW, entry=new, finding=now, before=None, after=now.rung)
        elif was.rung is not now.rung:
            change = Change.RAISED if now.rung > was.rung else Change.LOWERED
            yield Difference(change=change, entry=new, finding=now, before=was.rung, after=now.rung)


def _by_identity(findings: Sequence[Finding]) -> dict[tuple[str, str, str], Finding]:
    """Findings by what makes them the same one: where it is, and what it says."""
    return {(row.diagnostic.fingerprint(), row.policy, row.diagnostic.message): row for row in findings}
