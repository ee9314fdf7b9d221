"""What judges: a snapshot of policies and rules, and where the newest one comes from.

Two protocols, since this package knows no domain: ``cli`` makes snapshots of ``policy.Engine``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Judge, Request, Rules, Step

if TYPE_CHECKING:
    from datetime import datetime

    from sekisho.diag import Deadline, Diagnostic

WEBHOOK: Final = "validation.gatekeeper.sh"
"""The enforcement point of admission, in Gatekeeper's words; the mutating webhook goes by it too."""

Timed = Callable[[str, float], None]
"""Takes how many seconds a policy took, by its kind."""


class Snapshot(Protocol):
    """An immutable value: all that judges. A change is another value with another ``digest``."""

    @property
    def digest(self) -> str:
        """What stands for everything in it."""

    @property
    def rules(self) -> Rules:
        """What lowers enforcement, with the lookup of owners."""

    @property
    def waits(self) -> bool:
        """Whether a review may have to ask others over a network, so that it must not hold up the rest."""

    def steps(self, point: str, *, timed: Timed | None = None) -> Sequence[Step[Judge]]:
        """The steps of the chain for one review at an enforcement point."""

    def namespace(self, name: str) -> Object | None:
        """The Namespace of this name, None if it is not known."""

    def located(
        self, request: Request, findings: Sequence[Finding], *, now: datetime, deadline: Deadline
    ) -> Sequence[Finding]:
        """The findings of a refusal, the first few of them at the fields that are at fault."""

    def problems(self, object: Object) -> Sequence[Diagnostic]:
        """Why an object, if it is one that policies are made of, could not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What a snapshot is built from, as it travels to another process.

    ``policies`` are all objects that the engine and the rules are made of, ``inventory`` those that policies
    look at, Namespaces among them; each is a tuple of raw objects.
    """

    policies: tuple[Mapping[str, Any], ...] = ()
    inventory: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


S_co = TypeVar("S_co", bound=Snapshot, covariant=True)
S = TypeVar("S", bound=Snapshot)


class Snapshots(Protocol[S_co]):
    """Where snapshots come from."""

    @property
    def current(self) -> S_co | None:
        """The newest one; None before there is any."""

    async def next(self, digest: str) -> S_co:
        """Wait for one whose digest is another than this, and give the newest."""


class Latest(Generic[S]):
    """The simplest source: whoever builds snapshots sets them here."""

    def __init__(self, current: S | None = None) -> None:
        self._current = current
        self._changed = asyncio.Event()

    @property
    def current(self) -> S | None:
        """The newest one."""
        return self._current

    def set(self, snapshot: S) -> None:
        """Swap; reviews under way keep the one that they began with."""
        self._current = snapshot
        self._changed.set()
        self._changed = asyncio.Event()

    async def next(self, digest: str) -> S:
        """Wait for another one than this."""
        while self._current is None or self._current.digest == digest:
            await self._changed.wait()
        return self._current
