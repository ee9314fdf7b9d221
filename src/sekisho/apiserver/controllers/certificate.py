"""The certificate of the server's authority, as a ConfigMap in every namespace (rootcacertpublisher)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final

from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Event, Place

CONFIG_MAPS: Final = ("", "configmaps")
NAME: Final = "kube-root-ca.crt"
NOTE: Final = {"kubernetes.io/description": "The authority by which Pods know the server, and nothing else."}


class RootCertificate:
    """Makes and mends it. ``authority`` is the certificate, PEM."""

    name = "root-ca-cert-publisher"

    def __init__(self, hand: Hand, authority: str) -> None:
        self._hand = hand
        self._data = {"ca.crt": authority}

    def keys(self, event: Event) -> Iterable[Hashable]:
        """A namespace, and the one of a change to its ConfigMap."""
        place = event.row.place
        if place.resource == ("", "namespaces"):
            yield place.name
        elif place.resource == CONFIG_MAPS and place.name == NAME:
            yield place.namespace

    async def reconcile(self, key: Hashable) -> float | None:
        """It is there while the namespace stays."""
        namespace = str(key)
        row = self._hand.get(Place("", "namespaces", "", namespace))
        if row is None or row.load()["metadata"].get("deletionTimestamp"):
            return None
        place = Place(*CONFIG_MAPS, namespace, NAME)
        found = self._hand.get(place)
        if found is None:
            await self._make(place)
        elif found.load().get("data") != self._data:
            await self._hand.change(place, lambda old: {**old, "data": self._data})
        return None

    async def _make(self, place: Place) -> None:
        value: dict[str, Any] = {"metadata": {"name": NAME, "annotations": dict(NOTE)}, "data": self._data}
        try:
            await self._hand.create(place, value)
        except ApiError as error:
            if error.code != 409:
                raise
