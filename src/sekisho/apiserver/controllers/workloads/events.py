"""Events about objects: one for each thing said, counted when it is said again (client-go ``record``)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sekisho.apiserver import names
from sekisho.apiserver.controllers.workloads.plan import Json, Tell
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Place, Stale

if TYPE_CHECKING:
    from sekisho.apiserver.controllers.hand import Hand

EVENTS = ("", "events")
MAX_MESSAGE = 1_024
"""Letters of an Event's message (events validation, NoteLengthLimit)."""


class Recorder:
    """Writes Events as a component. A lost Event is no reason to fail."""

    def __init__(self, hand: Hand, component: str) -> None:
        self._hand = hand
        self._component = component

    async def tell(self, about: Json, told: Tell) -> None:
        """Say something about an object."""
        metadata = about["metadata"]
        namespace = metadata.get("namespace") or "default"
        text = told.message[:MAX_MESSAGE]
        word = "\0".join((metadata["uid"], self._component, told.type, told.reason, text))
        name = f"{metadata['name']}.{hashlib.sha256(word.encode()).hexdigest()[:16]}"
        place = Place(*EVENTS, namespace, name)
        now = names.timestamp()
        try:
            if self._hand.get(place) is None:
                await self._hand.create(place, self._event(about, told, text, place))
            else:
                await self._hand.change(
                    place, lambda old: {**old, "count": int(old.get("count") or 1) + 1, "lastTimestamp": now}
                )
        except (ApiError, Stale):
            return

    def _event(self, about: Json, told: Tell, text: str, place: Place) -> Json:
        metadata, now = about["metadata"], names.timestamp()
        reference = {
            "kind": about["kind"],
            "namespace": metadata.get("namespace", ""),
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": metadata.get("resourceVersion", ""),
        }
        return {
            "metadata": {"name": place.name, "namespace": place.namespace},
            "involvedObject": {key: value for key, value in reference.items() if value},
            "reason": told.reason,
            "message": text,
            "type": told.type,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": "",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
