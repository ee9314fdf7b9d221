"""Read your writes: the answer to a write of a policy waits until the policy is in force."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sekisho.apiserver.store import Place
from sekisho.cluster.informer import Key
from sekisho.kube.object import Object, OwnerReference
from sekisho.policy.controller import kinds

if TYPE_CHECKING:
    from sekisho.apiserver.admission import Written
    from sekisho.apiserver.api import Api
    from sekisho.apiserver.types import ResourceType
    from sekisho.kube.gvk import GVK
    from sekisho.policy.controller import PolicyController

_LOG: Final = logging.getLogger(__name__)

SECONDS: Final = 5.0
"""How long the answer to a write waits at most."""


class Settling:
    """Waits for a controller to have seen what an API has stored."""

    def __init__(self, api: Api, controller: PolicyController) -> None:
        self._api = api
        self._controller = controller

    async def settle(self, written: Written) -> None:
        """Wait until what was written is in force; not longer than some seconds."""
        type = self._api.registry.stored(written.resource)
        if type is not None and (gvk := self._watched(type)) is not None:
            await self._wait(gvk, self._expected(type, gvk, written))

    async def settle_all(self) -> None:
        """Wait until all policies that are stored are in force."""
        for gvk in sorted(self._controller.watches.kinds - kinds.WRITTEN):
            type = self._api.registry.of_kind(gvk.group, gvk.version, gvk.kind)
            if type is not None:
                await self._wait(gvk, self._expected(type, gvk, None))

    async def _wait(self, gvk: GVK, expected: Mapping[Key, int | None]) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await self._controller.settled(gvk, expected)
        except TimeoutError:
            _LOG.warning("%s: what was written is not in force yet", gvk.kind)

    def _watched(self, type: ResourceType) -> GVK | None:
        """The version under which a kind is watched, None if it is not."""
        for gvk in self._controller.watches.kinds:
            if (gvk.group, gvk.kind) == (type.group, type.kind) and gvk not in kinds.WRITTEN:
                return gvk
        return None

    def _expected(self, type: ResourceType, gvk: GVK, written: Written | None) -> Mapping[Key, int | None]:
        """The versions of what was written, as they are stored."""
        store = self._api.store
        if written is not None and written.name:
            row = store.get(Place(*type.key, written.namespace, written.name))
            return {Key(written.namespace, written.name): row.version if row is not None else None}
        rows = store.rows(type.key)
        there = {Key(row.place.namespace, row.place.name): row.version for row in rows}
        return {**dict.fromkeys(self._controller.watches.objects(gvk)), **there}


class Owners:
    """Looks the controllers of objects up in an API's store; there is none before ``attach``."""

    def __init__(self) -> None:
        self._api: Api | None = None

    def attach(self, api: Api) -> None:
        """Look up there from now on."""
        self._api = api

    def __call__(self, owner: OwnerReference, namespace: str) -> Object | None:
        """The owner of this uid."""
        if self._api is None:
            return None
        gvk = owner.gvk
        type = self._api.registry.of_kind(gvk.group, gvk.version, gvk.kind)
        if type is None:
            return None
        row = self._api.store.get(Place(*type.key, namespace if type.namespaced else "", owner.name))
        return Object(row.load()) if row is not None and row.uid == owner.uid else None
