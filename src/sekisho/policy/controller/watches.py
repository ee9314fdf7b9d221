"""The informers of a controller: kinds come and go, their objects are told to one listener."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sekisho.cluster.client import EVERYTHING, Client, Refused, Selection
from sekisho.cluster.informer import Change, Informer, Key
from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import GVK

_LOG: Final = logging.getLogger(__name__)

AGAIN: Final = 5.0
"""Seconds until a kind that is not served is looked for again: its definition may be on its way."""

Listener = Callable[[GVK, Change], None]
"""Is told what became of an object of a kind."""


@dataclass(slots=True)
class _Watch:
    """A kind that is watched; ``informer`` is None until the kind is found."""

    task: asyncio.Task[None]
    synced: asyncio.Event
    informer: Informer | None = None
    failure: DiagnosticError | None = None


class Watches:
    """Watches kinds in the running loop. ``listener`` is called for each change, also by ``forget``."""

    def __init__(self, client: Client, listener: Listener) -> None:
        self._client = client
        self._listener = listener
        self._watches: dict[GVK, _Watch] = {}

    @property
    def kinds(self) -> frozenset[GVK]:
        """What is watched."""
        return frozenset(self._watches)

    def watch(self, gvk: GVK, selection: Selection = EVERYTHING) -> None:
        """Watch a kind from now on; one that is watched already stays as it is."""
        if gvk in self._watches:
            return
        synced = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(gvk, selection), name=f"watch {gvk.kind}")
        self._watches[gvk] = _Watch(task, synced)

    async def forget(self, gvk: GVK) -> None:
        """Watch a kind no longer; its objects are told as gone."""
        found = self._watches.pop(gvk, None)
        if found is None:
            return
        found.task.cancel()
        await asyncio.gather(found.task, return_exceptions=True)
        if found.informer is not None:
            for key, raw in found.informer.objects.items():
                self._listener(gvk, Change(key, raw, None))

    def objects(self, gvk: GVK) -> Mapping[Key, Mapping[str, Any]]:
        """What there is of a kind, as far as it is known: a copy, since watches go on."""
        return dict(self._objects(gvk))

    def object(self, gvk: GVK, key: Key) -> Mapping[str, Any] | None:
        """One object of a kind, None if it is not known."""
        return self._objects(gvk).get(key)

    def _objects(self, gvk: GVK) -> Mapping[Key, Mapping[str, Any]]:
        found = self._watches.get(gvk)
        return found.informer.objects if found is not None and found.informer is not None else {}

    def failure(self, gvk: GVK) -> DiagnosticError | None:
        """Why a kind cannot be watched at the moment."""
        found = self._watches.get(gvk)
        if found is None:
            return None
        return found.informer.failure if found.informer is not None else found.failure

    def synced(self, kinds: Iterable[GVK]) -> bool:
        """Whether all of these have been listed."""
        return all(gvk in self._watches and self._watches[gvk].synced.is_set() for gvk in kinds)

    async def wait(self, kinds: Iterable[GVK]) -> None:
        """Wait until all of these have been listed; those that nobody watches any more are passed over."""
        for gvk in tuple(kinds):
            found = self._watches.get(gvk)
            if found is not None:
                await found.synced.wait()

    async def close(self) -> None:
        """End all watches. Nothing is told."""
        watches, self._watches = tuple(self._watches.values()), {}
        for row in watches:
            row.task.cancel()
        await asyncio.gather(*(row.task for row in watches), return_exceptions=True)

    async def _run(self, gvk: GVK, selection: Selection) -> None:
        await asyncio.sleep(0)  # so that the watch stands in the table
        watch = self._watches[gvk]
        while True:
            try:
                resource = await self._client.resource(gvk)
                break
            except DiagnosticError as error:
                if isinstance(error, Refused) and error.code == 404:
                    watch.synced.set()  # of a kind that nobody serves there are no objects
                elif watch.failure is None:
                    _LOG.warning("%s cannot be watched: %s", gvk.kind, error.diagnostics[0].message)
                watch.failure = error
            await asyncio.sleep(AGAIN)
        watch.informer = Informer(self._client, resource, selection, handler=partial(self._listener, gvk))
        watch.synced.clear()
        watch.informer.synced = watch.synced
        await watch.informer.run()
