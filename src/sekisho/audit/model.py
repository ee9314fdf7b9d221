"""What an audit remembers: a ledger of verdicts, each with what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from sekisho.diag import Diagnostic
from sekisho.kube.object import Object
from sekisho.kube.review import NO_RULES, Finding, Judge, Request, Rules, Step, Verdict

T = TypeVar("T")


class Key(NamedTuple):
    """Which object: by uid where a server gave one, else by group, kind, namespace and name."""

    group: str
    kind: str
    namespace: str
    name: str
    uid: str = ""


def key_of(object: Object) -> Key:
    """The key of an object. One whose name is still to be generated goes by its prefix."""
    gvk, metadata = object.gvk, object.metadata
    name, namespace, uid = metadata.get("name"), metadata.get("namespace"), metadata.get("uid")
    if type(name) is str and type(namespace) is str and type(uid) is str:
        return Key(gvk.group, gvk.kind, namespace, name or object.generate_name, uid)
    return Key(gvk.group, gvk.kind, object.namespace, object.name or object.generate_name, object.uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A chain that is judged and remembered by itself.

    ``digest`` stands for everything that judges in it, and for what lowers enforcement.
    ``concerns`` rules objects out quickly; in doubt it says yes.
    """

    name: str
    digest: str
    steps: Sequence[Step[Judge]]
    concerns: Callable[[Object], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that judges: the parts, what lowers enforcement, and how an object is asked about."""

    parts: tuple[Part, ...]
    ask: Callable[[Object], Request]
    rules: Rules = NO_RULES


Stamp = tuple[tuple[str, str], ...]
"""What a verdict read beyond its object, each with the version that it had."""


class Judged(NamedTuple):
    """One part's verdict about one object, and what it depends on besides the object."""

    digest: str
    stamp: Stamp
    expires: datetime | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Everything about one object."""

    object: Object
    version: str
    judged: tuple[Judged, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing was found, and everything could be asked."""
        return not any(row.verdict.findings or row.verdict.failures for row in self.judged)

    def findings(self) -> Iterator[Finding]:
        """What was found, part by part; what the steps that parts share find is told once."""
        return _once(row.verdict.findings for row in self.judged)

    def failures(self) -> Iterator[Diagnostic]:
        """Why something could not be asked, each reason once."""
        return _once(row.verdict.failures for row in self.judged)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Findings and failures as a report shows them."""
        yield from (finding.report() for finding in self.findings())
        yield from self.failures()


def _once(groups: Iterable[Sequence[T]]) -> Iterator[T]:
    told: list[T] = []
    for group in groups:
        fresh = [item for item in group if item not in told]
        yield from fresh
        told += fresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The result of a scan, in the order of the objects; ``asked`` counts the verdicts made anew."""

    entries: Mapping[Key, Entry] = field(default_factory=dict)
    asked: int = 0

    def diagnostics(self) -> Iterator[Diagnostic]:
        """All findings and failures."""
        for entry in self.entries.values():
            yield from entry.diagnostics()


EMPTY: Final = Ledger()
