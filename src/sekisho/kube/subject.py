"""An object with what the rules of enforcement may ask about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sekisho.kube.object import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An object with what rules may ask about it. ``namespace_labels`` is None where they are unknown.

    For a Namespace both are its own name and labels. ``annotator`` wrote its annotation that waives policies.
    """

    object: Object
    namespace: str = ""
    namespace_labels: Mapping[str, str] | None = None
    owner: str = ""
    username: str = ""
    groups: tuple[str, ...] = ()
    annotator: str = ""
