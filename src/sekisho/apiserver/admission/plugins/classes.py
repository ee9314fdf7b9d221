"""DefaultStorageClass and DefaultIngressClass: the class of a claim or an Ingress that names none."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver.admission.asked import Asked
from sekisho.apiserver.store import Store
from sekisho.kube.review import Operation

CLAIMS: Final = ("", "persistentvolumeclaims")
INGRESSES: Final = ("networking.k8s.io", "ingresses")
STORAGE: Final = ("storage.k8s.io", "storageclasses")
INGRESS: Final = ("networking.k8s.io", "ingressclasses")

_STORAGE_MARKS: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_INGRESS_MARKS: Final = ("ingressclass.kubernetes.io/is-default-class",)


class DefaultClasses:
    """Names the default class, if there is one. Of several the newest counts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, asked: Asked) -> None:
        """Name the class."""
        spec: Any = asked.subject.get("spec")
        if not isinstance(spec, dict):
            return
        annotations = asked.subject["metadata"].get("annotations") or {}
        if asked.is_(CLAIMS, Operation.CREATE):
            if (
                "storageClassName" not in spec
                and "volume.beta.kubernetes.io/storage-class" not in annotations
            ):
                self._name(spec, "storageClassName", STORAGE, _STORAGE_MARKS)
        elif (
            asked.is_(INGRESSES, Operation.CREATE)
            and "ingressClassName" not in spec
            and "kubernetes.io/ingress.class" not in annotations
        ):
            self._name(spec, "ingressClassName", INGRESS, _INGRESS_MARKS)

    def _name(self, spec: dict[str, Any], field: str, key: tuple[str, str], marks: tuple[str, ...]) -> None:
        found = []
        for row in self._store.rows(key):
            metadata = row.load()["metadata"]
            notes = metadata.get("annotations") or {}
            if any(notes.get(mark) == "true" for mark in marks):
                found.append((metadata.get("creationTimestamp", ""), metadata["name"]))
        if found:
            newest = max(moment for moment, _ in found)
            spec[field] = min(name for moment, name in found if moment == newest)

    def validate(self, asked: Asked) -> None:
        """Nothing is refused."""
