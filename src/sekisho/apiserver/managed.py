"""Who owns which field: the seam between writing an object and its managed fields."""

from __future__ import annotations

from typing import Any, Final, Protocol

from sekisho.apiserver.route import Call
from sekisho.apiserver.types import ResourceType


class Managers(Protocol):
    """Keeps ``metadata.managedFields``."""

    def updated(
        self,
        call: Call,
        type: ResourceType,
        new: dict[str, Any],
        old: dict[str, Any] | None,
        sent: dict[str, Any],
    ) -> dict[str, Any]:
        """The new state with its managed fields; ``sent`` is what the client wrote of them."""


class _Nobody:
    """Objects whose fields nobody manages: whatever the client sends of it is dropped."""

    def updated(
        self,
        call: Call,  # noqa: ARG002 - the protocol's shape
        type: ResourceType,  # noqa: ARG002
        new: dict[str, Any],
        old: dict[str, Any] | None,  # noqa: ARG002
        sent: dict[str, Any],  # noqa: ARG002
    ) -> dict[str, Any]:
        """Without managed fields."""
        new["metadata"].pop("managedFields", None)
        return new


NO_MANAGERS: Final[Managers] = _Nobody()
