"""The kinds that a live audit holds: an informer each, whose objects are packed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sekisho.audit import codes
from sekisho.audit import model as audit
from sekisho.audit.live.kept import lean
from sekisho.audit.live.model import LEFT_OUT, Options
from sekisho.cluster.client import EVERYTHING, Client, Refused, Resource
from sekisho.cluster.informer import Change, Informer, Keeping, Key
from sekisho.diag import Diagnostic, Level
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object

PATIENCE: Final = 120.0
"""Seconds for the first list of a kind: a hundred thousand objects at the pace of a busy server."""

STEP: Final = 0.02
"""Seconds between two looks at whether the lists are there."""

HOPELESS: Final = (401, 403, 404, 405)
"""Statuses that waiting does not change: the kind may not be read, or is gone."""


class Kind:
    """The objects of one kind, as of now."""

    def __init__(
        self, client: Client, resource: Resource, options: Options, heard: Callable[[GVK], None]
    ) -> None:
        self.resource = resource
        self.gvk = gvk_of(resource)
        self.objects: dict[Key, tuple[audit.Key, Object]] = {}
        self._heard = heard
        keeping = Keeping(transform=lean(options.owner_key), page=options.chunk)
        self.informer = Informer(client, resource, EVERYTHING, handler=self._changed, keeping=keeping)
        self.task = asyncio.create_task(self.informer.run())

    def _changed(self, change: Change) -> None:
        if change.new is None:
            self.objects.pop(change.key, None)
        else:
            object = Object(change.new)
            object.gvk = self.gvk  # one for all of them
            self.objects[change.key] = audit.key_of(object), object
        self._heard(self.gvk)

    @property
    def settled(self) -> bool:
        """Whether it is known what there is, or that this will not be known."""
        return self.informer.synced.is_set() or self.hopeless

    @property
    def hopeless(self) -> bool:
        """Whether the server will not let the kind be read."""
        failure = self.informer.failure
        return isinstance(failure, Refused) and failure.code in HOPELESS

    def problem(self) -> Diagnostic | None:
        """Why this kind's objects may not be what there is, None if they are."""
        failure = self.informer.failure
        if failure is None and self.informer.synced.is_set():
            return None
        why = failure.diagnostics[0].message if failure else "the server has not answered in time"
        state = "as they were before" if self.informer.synced.is_set() else "not judged"
        message = f"{self.resource.gvr.resource} cannot be read, and are {state}: {why}"
        return Diagnostic(code=codes.NOT_READ, message=message, level=Level.WARNING)

    async def close(self) -> None:
        """End the watch."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


class Sources:
    """All kinds that the server serves, and those of them that are held."""

    def __init__(
        self, client: Client, options: Options, heard: Callable[[GVK], None] = lambda _: None
    ) -> None:
        self._client = client
        self._options = options
        self._heard = heard
        self._served: dict[GVK, Resource] = {}
        self._held: dict[GVK, Kind] = {}

    @property
    def served(self) -> Mapping[GVK, Resource]:
        """The kinds, each in the version that the server prefers."""
        return self._served

    async def discover(self) -> None:
        """Ask the server what it serves. Raises Refused, WebError."""
        rows = await self._client.resources()
        self._served = {gvk_of(row): row for row in rows if row.gvr.resource not in LEFT_OUT}

    async def hold(self, wanted: Iterable[GVK], *, only: bool = False) -> list[Diagnostic]:
        """Hold these kinds, as far as they are served, and wait for their objects; those that miss are told.

        With ``only`` every other kind is let go.
        """
        kinds = [gvk for gvk in wanted if gvk in self._served]
        if only:
            for gvk in [gvk for gvk in self._held if gvk not in kinds]:
                await self._held.pop(gvk).close()
        for gvk in kinds:
            if gvk not in self._held:
                self._held[gvk] = Kind(self._client, self._served[gvk], self._options, self._heard)
        here = [self._held[gvk] for gvk in kinds]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not all(kind.settled for kind in here):  # noqa: ASYNC110 - many events, one wait
                    await asyncio.sleep(STEP)
        return [problem for kind in here if (problem := kind.problem()) is not None]

    def objects(self) -> dict[audit.Key, Object]:
        """What is held now by its key, kind by kind in the order of groups and names."""
        rows = sorted(self._held.items())
        return {key: object for _, kind in rows for key, object in kind.objects.values()}

    def versions(self, gvk: GVK) -> frozenset[str]:
        """The versions of a kind's objects: whether they have changed."""
        kind = self._held.get(gvk)
        return frozenset(row.resource_version for _, row in kind.objects.values()) if kind else frozenset()

    async def close(self) -> None:
        """Let everything go."""
        for kind in self._held.values():
            await kind.close()
        self._held.clear()


def gvk_of(resource: Resource) -> GVK:
    """The kind of a resource."""
    return GVK(resource.gvr.group, resource.gvr.version, resource.kind)
