"""Occurrences by note and image: the embedded store's answer to the filter that clients send to Grafeas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sekisho.images.evidence.grafeas import Occurrence
    from sekisho.images.evidence.model import Attestation
    from sekisho.oci import Reference


class OccurrenceIndex:
    """Attestations that are attached to notes, found by the digest that their resource names.

    The resource only narrows the search: what an attestation is about stands in its signed payload.
    """

    def __init__(self, occurrences: Iterable[Occurrence]) -> None:
        self._rows: dict[tuple[str, str], list[Attestation]] = {}
        for row in occurrences:
            digest = row.resource.rpartition("@")[2]
            self._rows.setdefault((row.note, digest), []).append(row.attestation)

    def about(self, note: str, image: Reference) -> tuple[Attestation, ...]:
        """What is attached to a note about an image's digest."""
        return tuple(self._rows.get((note, image.digest), ()))
