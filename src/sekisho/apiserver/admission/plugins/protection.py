"""StorageObjectInUseProtection: claims and volumes that are in use are not lost by a deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sekisho.apiserver.admission.asked import Asked
from sekisho.apiserver.admission.plugins.classes import CLAIMS
from sekisho.kube.review import Operation

VOLUMES: Final = ("", "persistentvolumes")
FINALIZERS: Final[Mapping[tuple[str, str], str]] = {
    CLAIMS: "kubernetes.io/pvc-protection",
    VOLUMES: "kubernetes.io/pv-protection",
}
"""By resource. A controller takes them away from what is deleted and not in use."""


class StorageProtection:
    """Gives new claims and volumes their finalizer."""

    def admit(self, asked: Asked) -> None:
        """Give it."""
        finalizer = FINALIZERS.get(asked.key)
        if finalizer is None or not asked.is_(asked.key, Operation.CREATE):
            return
        metadata = asked.subject["metadata"]
        finalizers = metadata.get("finalizers") or []
        if finalizer not in finalizers:
            metadata["finalizers"] = [*finalizers, finalizer]

    def validate(self, asked: Asked) -> None:
        """Nothing is refused."""
