"""The controller of policies: watches what they are made of, and keeps a snapshot of all of it.

The order of steps, each of which is done by a module of its own: definitions are installed (``crds``), kinds
are watched (``watches``), changes become a snapshot in a thread (``builder``), the snapshot is published
(``snapshots``), and then what follows from it is written to the cluster by the ``Follower``s.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sekisho.cluster.client import Client, Selection
from sekisho.cluster.informer import Change, Key
from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy.code import Inventoried
from sekisho.policy.constraint import GROUP as CONSTRAINTS
from sekisho.policy.controller import kinds
from sekisho.policy.controller.builder import DEFAULTS, Builder, Making, family_of
from sekisho.policy.controller.definitions import CONSTRAINT_LABEL
from sekisho.policy.controller.snapshot import Snapshot
from sekisho.policy.controller.snapshots import Snapshots
from sekisho.policy.controller.watches import Watches

_LOG: Final = logging.getLogger(__name__)

QUIET: Final = 0.02
"""Seconds without a change after which a snapshot is built: what is applied together is built together."""

PATIENCE: Final = 0.5
"""Seconds after which it is built even though changes go on."""

SYNC_SECONDS: Final = 30.0
"""How long a snapshot waits for inventory that its templates read and nobody watched before."""

FIRST_PAUSE: Final = 0.2
LAST_PAUSE: Final = 30.0
"""Seconds until what could not be written is tried again: they double."""


class Follower(Protocol):
    """Writes to the cluster what follows from a snapshot, level by level: all of it, each time."""

    @property
    def watched(self) -> Mapping[GVK, Selection]:
        """The kinds that it looks at, beside policies: it is asked again when they change."""

    async def follow(self, snapshot: Snapshot) -> float | None:
        """Make the cluster what the snapshot says. Raises DiagnosticError: then it is tried again.

        Gives the seconds after which it wants to be asked again, though nothing changes.
        """


@dataclass(slots=True)
class _Seen:
    """What was seen and not built yet. ``revision`` counts all changes."""

    changes: dict[tuple[GVK, Key], tuple[Mapping[str, Any], bool]] = field(default_factory=dict)
    revision: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    echo: asyncio.Event = field(default_factory=asyncio.Event)
    followed: Snapshots = field(default_factory=Snapshots)


class PolicyController:
    """Keeps ``snapshots`` of a cluster's policies. ``run`` it as a task.

    ``watches`` is for ``followers``, which are asked in their order.
    """

    def __init__(self, client: Client, making: Making = DEFAULTS, snapshots: Snapshots | None = None) -> None:
        self.client = client
        self.snapshots = snapshots or Snapshots()
        self.watches = Watches(client, self._changed)
        self.followers: list[Follower] = []
        self._builder = Builder(making)
        self._seen = _Seen()
        self._needed: frozenset[GVK] = frozenset()
        self._running = False

    def add(self, *followers: Follower, before: Follower | None = None) -> None:
        """Ask these too, after the others, or before one of them; also at once, if it runs."""
        at = len(self.followers) if before is None else self.followers.index(before)
        self.followers[at:at] = followers
        if self._running:
            self._watch_for(followers)
            self._seen.echo.set()

    def remove(self, *followers: Follower) -> None:
        """Ask these no longer."""
        for follower in followers:
            self.followers.remove(follower)

    async def run(self) -> None:
        """Watch, build and write until it is cancelled. It may run again after it has failed."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._begin()
                group.create_task(self._build_always(), name="policies")
                group.create_task(self._follow_always(), name="what follows from policies")
        finally:
            self._running = False
            self._needed = frozenset()
            await self.watches.close()

    async def settled(self, gvk: GVK, expected: Mapping[Key, int | None]) -> None:
        """Wait until what is stored of a kind is in force, and what follows from it is written.

        ``expected`` has the versions of objects, None for those that are gone. Only the embedded server's
        versions can be compared like that.
        """
        while not self._has_seen(gvk, expected):  # noqa: ASYNC110 - watches are in other tasks' hands
            await asyncio.sleep(QUIET / 2)
        revision = self._seen.revision
        if gvk in self._needed:
            await self.snapshots.wait(lambda row: row.revision >= revision)
        else:
            await self._seen.followed.wait(lambda row: row.revision >= revision)

    def _has_seen(self, gvk: GVK, expected: Mapping[Key, int | None]) -> bool:
        if not self.watches.synced((gvk,)):
            return False
        for key, version in expected.items():
            raw = self.watches.object(gvk, key)
            seen = None if raw is None else int(raw["metadata"]["resourceVersion"])
            if version is None:
                if seen is not None:
                    return False
            elif seen is None or seen < version:
                return False
        return True

    # What is watched.

    def _watch_for(self, followers: Sequence[Follower]) -> None:
        for follower in followers:
            for gvk, selection in follower.watched.items():
                self.watches.watch(gvk, selection)

    async def _begin(self) -> None:
        """Watch what is always watched, and the constraints of all kinds that are defined."""
        self._running = True
        # What went while nobody watched is told by no watch: everything is read anew.
        self._builder = self._builder.anew()
        self._seen.changes.clear()
        self._watch_for(self.followers)
        self.watches.watch(kinds.DEFINITION, Selection(labels=f"{CONSTRAINT_LABEL}=yes"))
        for gvk in kinds.ALWAYS:
            self.watches.watch(gvk)
        await self.watches.wait((kinds.DEFINITION,))
        await self.watches.wait(self.watches.kinds)

    def _changed(self, gvk: GVK, change: Change) -> None:
        raw = change.new if change.new is not None else change.old
        assert raw is not None, "something was or is there"
        if gvk == kinds.DEFINITION:
            self._defined(raw, gone=change.new is None)
        if gvk in kinds.WRITTEN:
            self._seen.echo.set()
            return
        self._seen.revision += 1
        self._seen.changes[gvk, change.key] = (raw, change.new is None)
        self._seen.arrived.set()

    def _defined(self, raw: Mapping[str, Any], *, gone: bool) -> None:
        """A kind of constraints came or went."""
        spec = raw.get("spec") or {}
        if spec.get("group") != CONSTRAINTS:
            return
        gvk = kinds.constraint(str(spec["names"]["kind"]))
        if gone:
            asyncio.get_running_loop().create_task(self.watches.forget(gvk))
        elif _established(raw):
            self.watches.watch(gvk)

    # What is built.

    async def _build_always(self) -> None:
        while True:
            try:
                snapshot = await self._build()
            except Exception:  # noqa: BLE001 - a bug in reading one policy must not end what guards
                _LOG.exception("policies could not be built; the last snapshot stands")
                await self._next_changes()
                continue
            if await self._watch_needed(snapshot):
                await self._wait_for_inventory()
                continue  # nobody sees a policy without the inventory that it reads
            await self.snapshots.publish(snapshot)
            self._seen.echo.set()
            await self._next_changes()

    async def _build(self) -> Snapshot:
        """The snapshot of all that was seen, built beside the loop."""
        changes, self._seen.changes = self._seen.changes, {}
        revision = self._seen.revision
        self._seen.arrived.clear()
        rows = [(Object(raw), gone) for raw, gone in changes.values()]
        return await asyncio.to_thread(self._built, rows, revision)

    def _built(self, rows: Sequence[tuple[Object, bool]], revision: int) -> Snapshot:
        for object, gone in rows:
            self._builder.take(object, gone=gone)
        return self._builder.build(revision)

    async def _next_changes(self) -> None:
        """Wait for changes, and then until there are no more for a moment."""
        await self._seen.arrived.wait()
        latest = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < latest:
            self._seen.arrived.clear()
            try:
                async with asyncio.timeout(QUIET):
                    await self._seen.arrived.wait()
            except TimeoutError:
                return

    # The inventory.

    async def _watch_needed(self, snapshot: Snapshot) -> bool:
        """Watch the kinds that templates in use read, and no others; whether there are new ones."""
        synced = snapshot.engine.settings.synced or frozenset()
        needed: set[GVK] = set()
        for read in snapshot.reads:
            needed |= {gvk for gvk in await self._kinds_of(read, synced) if not _always_watched(gvk)}
        fresh = needed - self._needed
        for gvk in fresh:
            self.watches.watch(gvk)
        for gvk in self._needed - needed:
            await self.watches.forget(gvk)
        self._needed = frozenset(needed)
        return bool(fresh)

    async def _kinds_of(self, read: Inventoried, synced: frozenset[GVK]) -> set[GVK]:
        """The kinds that a template may mean: the one that it names, or those that are synced or served."""
        if read.group_version and read.kind:
            return {GVK.of(read.group_version, read.kind)}
        found = {gvk for gvk in synced if read.may_be(gvk)}
        if read.kind or read.group_version:
            rows = await self.client.resources()
            served = (GVK(row.gvr.group, row.gvr.version, row.kind) for row in rows)
            found |= {gvk for gvk in served if read.may_be(gvk)}
        return found

    async def _wait_for_inventory(self) -> None:
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                await self.watches.wait(self._needed)
        except TimeoutError:
            missing = sorted(gvk.kind for gvk in self._needed if not self.watches.synced((gvk,)))
            _LOG.warning("policies are judging without what they read of %s", ", ".join(missing))

    # What follows.

    async def _follow_always(self) -> None:
        pause = FIRST_PAUSE
        while True:
            await self._seen.echo.wait()
            self._seen.echo.clear()
            snapshot = self.snapshots.current
            if snapshot is None:
                continue
            if await self._follow(snapshot):
                pause = FIRST_PAUSE
                await self._seen.followed.publish(snapshot)
                continue
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE)
            self._seen.echo.set()

    async def _follow(self, snapshot: Snapshot) -> bool:
        """Ask all followers; one that fails does not keep the others from their work."""
        done = True
        for follower in tuple(self.followers):
            try:
                again = await follower.follow(snapshot)
                if again is not None:
                    asyncio.get_running_loop().call_later(again, self._seen.echo.set)
            except DiagnosticError as error:
                _LOG.warning("writing what follows from policies failed: %s", error.diagnostics[0].message)
                done = False
            except Exception:  # noqa: BLE001 - a bug in one of them must not end what guards
                _LOG.exception("writing what follows from policies failed")
                done = False
        return done


def _established(raw: Mapping[str, Any]) -> bool:
    rows = (raw.get("status") or {}).get("conditions") or ()
    return any(row.get("type") == "Established" and row.get("status") == "True" for row in rows)


def _always_watched(gvk: GVK) -> bool:
    return gvk in kinds.ALWAYS or family_of(Object({"apiVersion": gvk.api_version, "kind": gvk.kind})) != ""
