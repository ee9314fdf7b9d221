"""What a live audit is told, what it asks for, and what one pass comes to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from sekisho.audit.model import EMPTY, Key, Ledger, Snapshot
from sekisho.audit.scan import AT_EASE, Pace
from sekisho.audit.world import World
from sekisho.diag import Diagnostic, Limit
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.owner import OWNER_KEY

INTERVAL: Final = 60.0
"""Seconds between the beginnings of two passes: Gatekeeper's ``--audit-interval``."""

CHUNK: Final = Limit("--audit-chunk-size", 500, "objects of one page of a list", "a page is parsed in memory")

LEFT_OUT: Final = frozenset({"events", "leases", "endpoints", "endpointslices", "controllerrevisions"})
"""Kinds that nobody writes by hand and that change all the time: no policy of a person is about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How often, in which pages, at which pace; ``interval`` 0 makes no pass but those that are asked for.

    ``owner_key`` is the label by which owners are known.
    """

    interval: float = INTERVAL
    chunk: int = CHUNK.value
    owner_key: str = OWNER_KEY
    pace: Pace = AT_EASE


DEFAULTS: Final = Options()


class Judging(Protocol):
    """Who judges: the domain's side of a live audit.

    In each pass ``update`` is given the objects that govern, then ``needs`` is asked about every kind, then
    ``snapshot`` is given all that is held. Objects are packed (``kept.whole`` unpacks them).
    """

    def governs(self, gvk: GVK) -> bool:
        """Whether objects of a kind are policies, or say how policies are applied."""

    def update(self, governing: Sequence[Object]) -> None:
        """These are the policies now."""

    def judges(self, gvk: GVK) -> bool:
        """Whether a policy may be about objects of a kind."""

    def needs(self, gvk: GVK) -> bool:
        """Whether objects of a kind are judged, or looked at when others are."""

    def snapshot(self, objects: Mapping[Key, Object]) -> Snapshot:
        """What judges, over these objects; it takes them packed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass. ``problems`` are the kinds that could not be read: what is in them is not in the ledger.

    ``world`` are the objects, those that nobody judges too. ``id`` is that of the log's lines.
    """

    id: str
    began: datetime
    ended: datetime
    seconds: float
    snapshot: Snapshot
    ledger: Ledger = EMPTY
    objects: Sequence[Object] = ()
    world: World = field(default_factory=lambda: World({}))
    problems: tuple[Diagnostic, ...] = ()


Writer = Callable[[Pass], Awaitable[None]]
"""Takes the result of a pass to where it is wanted. What it raises is told, and the other writers go on."""
