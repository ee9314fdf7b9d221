"""Who owns which field: the seam between writing an object and its managed fields."""

from __future__ import annotations

from typing import Any, Protocol

from sekisho.apiserver.route import Call
from sekisho.apiserver.types import ResourceType


class Managers(Protocol):
    """Keeps ``metadata.managedFields``."""

    async def updated(
        self, call: Call, type: ResourceType, new: dict[str, Any], old: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The new state with its managed fields; ``new`` is what the client wants, with defaults."""

    async def applied(
        self, call: Call, type: ResourceType, live: dict[str, Any] | None, config: dict[str, Any]
    ) -> dict[str, Any]:
        """What an applied configuration makes of an object, with managed fields. Raises ApiError."""

    def of_scale(self, type: ResourceType, rows: Any) -> Any:
        """The managed fields of an object's Scale, from those of the object."""

    def of_scaled(self, type: ResourceType, rows: Any, scale: Any) -> Any:
        """The managed fields of an object after a write to its Scale, from both before and of the Scale."""
