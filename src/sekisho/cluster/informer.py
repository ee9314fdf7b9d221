"""An informer: what there is of a kind, kept up to date for ever.

It lists, watches from there, and begins the watch again where it ended; bookmarks keep that place fresh. When
the place is too old (410), or the server was another one, it lists anew and tells what changed in between as
if it had been watching. Errors are waited out with growing pauses; what failed last is known to the caller.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sekisho.cluster.client import EVERYTHING, PAGE, Client, Refused, Resource, Selection
from sekisho.diag import DiagnosticError

_LOG: Final = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries after a failure: they double, with some chance in it."""

Raw = Mapping[str, Any]


class Key(NamedTuple):
    """Which object of the kind."""

    namespace: str
    name: str


class Change(NamedTuple):
    """What became of an object; ``old`` is None for a new one, ``new`` for one that is gone."""

    key: Key
    old: Raw | None
    new: Raw | None


Handler = Callable[[Change], None]

Transform = Callable[[dict[str, Any]], Raw]
"""What is kept of an object: raw JSON again, with its name, namespace, uid and resource version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How an informer keeps objects: in which form, and how many it asks for at once."""

    transform: Transform | None = None
    page: int = PAGE


WHOLE: Final = Keeping()


class Informer:
    """Keeps the objects of one kind. Run ``run`` as a task; ``synced`` is set after the first list."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        selection: Selection = EVERYTHING,
        *,
        handler: Handler | None = None,
        keeping: Keeping = WHOLE,
    ) -> None:
        self._client = client
        self._resource = resource
        self._selection = selection
        self._handler = handler
        self._keeping = keeping
        self._objects: dict[Key, Raw] = {}
        self._version = ""
        self.synced = asyncio.Event()
        self.failure: DiagnosticError | None = None

    @property
    def objects(self) -> Mapping[Key, Raw]:
        """What there is; a snapshot is ``dict(informer.objects)``."""
        return self._objects

    async def run(self) -> None:
        """List and watch until it is cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                self.failure, pause = None, FIRST_PAUSE
                continue
            except Refused as error:
                self.failure = error
                if error.code == 410:
                    self._version = ""
                    continue
            except DiagnosticError as error:
                self.failure = error
            _LOG.info("watching %s failed: %s", self._resource.gvr.resource, self.failure)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret depends on it
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _list(self) -> None:
        now: dict[Key, Raw] = {}
        version = ""
        async for items, at in self._client.pages(self._resource, self._selection, size=self._keeping.page):
            now.update((_key(item), self._kept(item)) for item in items)
            version = at
        for key in [key for key in self._objects if key not in now]:
            self._set(key, None)
        for key, item in now.items():
            self._set(key, item)
        self._version = version
        self.synced.set()

    async def _watch(self) -> None:
        async for event in self._client.watch(self._resource, self._version, self._selection):
            metadata = event.object.get("metadata") or {}
            if event.type != "BOOKMARK":
                gone = event.type == "DELETED"
                self._set(_key(event.object), None if gone else self._kept(event.object))
            self._version = str(metadata.get("resourceVersion") or self._version)

    def _kept(self, item: dict[str, Any]) -> Raw:
        transform = self._keeping.transform
        return item if transform is None else transform(item)

    def _set(self, key: Key, new: Raw | None) -> None:
        old = self._objects.get(key)
        if new is None:
            self._objects.pop(key, None)
        else:
            self._objects[key] = new
        if self._handler is not None and _version(old) != _version(new):
            self._handler(Change(key, old, new))


def _key(object: Raw) -> Key:
    metadata = object.get("metadata") or {}
    return Key(str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))


def _version(object: Raw | None) -> tuple[str, str] | None:
    if object is None:
        return None
    metadata = object.get("metadata") or {}
    return str(metadata.get("uid")), str(metadata.get("resourceVersion"))
