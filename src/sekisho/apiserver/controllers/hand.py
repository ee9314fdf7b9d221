"""How controllers change objects: through the API's writer, in process, as a user of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from sekisho.apiserver.route import Call, Target
from sekisho.apiserver.store import Place, Row, Store
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.writes import Changed
from sekisho.kube.review import UserInfo

if TYPE_CHECKING:
    from sekisho.apiserver.api import Api

Json = dict[str, Any]


class Hand:
    """Reads and changes objects. ``name`` is the controller's, which its user is called by; ``agent`` is the
    program that it is part of, for managed fields.
    """

    def __init__(self, api: Api, name: str, *, agent: str = "kube-controller-manager") -> None:
        self._api = api
        self._agent = f"{agent}/{name}"
        self._user = UserInfo(
            username=f"system:serviceaccount:kube-system:{name}",
            groups=("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
        )

    @property
    def store(self) -> Store:
        """What there is."""
        return self._api.store

    async def lull(self, at_most: float) -> None:
        """Wait until no client asks for anything, or for so many seconds."""
        await self._api.traffic.lull(at_most)

    def type_of(self, resource: tuple[str, str]) -> ResourceType | None:
        """A resource in the version in which it is stored; None if nobody serves it now."""
        return self._api.registry.stored(resource)

    def kind(self, group: str, kind: str) -> ResourceType | None:
        """The resource of a kind, in the version in which it is stored."""
        found = next(
            (row for row in self._api.registry.types() if (row.group, row.kind) == (group, kind)), None
        )
        return self.type_of(found.key) if found is not None else None

    def get(self, place: Place) -> Row | None:
        """An object."""
        return self._api.store.get(place)

    async def create(self, place: Place, value: Json) -> None:
        """A new object. Raises ApiError."""
        type = self._type(place)
        value = {"apiVersion": type.api_version, "kind": type.kind, **value}
        await self._api.writer.create(self._call("create", place._replace(name=""), type), type, value)

    async def change(self, place: Place, change: Callable[[Json], Json], subresource: str = "") -> None:
        """An object changed by a function of its newest state. Raises ApiError."""
        type = self._type(place)
        call = self._call("update", place, type, subresource)

        async def changed(old: Json) -> Changed:
            return Changed(change(old), [])

        await self._api.writer.change(call, type, changed)

    async def act(self, place: Place, subresource: str, value: Json) -> Json:
        """What is done by a POST to a subresource (``binding``, ``token``). Raises ApiError."""
        type = self._type(place)
        call = self._call("create", place, type, subresource)
        call = replace(call, body=orjson.dumps(value), content_type="application/json")
        answer = await self._api.act(call, type)
        found: Json = orjson.loads(answer.body)
        return found

    async def delete(self, place: Place, options: Mapping[str, Any]) -> None:
        """Delete an object, or begin to. Raises ApiError."""
        type = self._type(place)
        await self._api.writer.delete(self._call("delete", place, type), type, options)

    def _type(self, place: Place) -> ResourceType:
        found = self.type_of(place.resource)
        assert found is not None, "controllers change what is served"
        return found

    def _call(self, verb: str, place: Place, type: ResourceType, subresource: str = "") -> Call:
        target = Target(
            path="",
            verb=verb,
            group=type.group,
            version=type.version,
            plural=type.plural,
            namespace=place.namespace,
            name=place.name,
            subresource=subresource,
            resource=True,
        )
        return Call(target=target, user=self._user, user_agent=self._agent)
