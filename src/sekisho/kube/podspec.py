"""Pod specs inside the nine kinds that have one, with the path of everything found.

Nothing is copied: specs and containers are the raw mappings. What is malformed is left out; the schema
reports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sekisho.diag import Path
from sekisho.kube.object import Object, Raw, value_at

POD_SPEC_PATHS: Final[Mapping[tuple[str, str], Path]] = {
    ("", "Pod"): ("spec",),
    ("", "PodTemplate"): ("template", "spec"),
    ("", "ReplicationController"): ("spec", "template", "spec"),
    ("apps", "DaemonSet"): ("spec", "template", "spec"),
    ("apps", "Deployment"): ("spec", "template", "spec"),
    ("apps", "ReplicaSet"): ("spec", "template", "spec"),
    ("apps", "StatefulSet"): ("spec", "template", "spec"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch", "Job"): ("spec", "template", "spec"),
}
"""(group, kind) → where its pod spec stands."""

CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
"""The three lists of a pod spec, in the order in which Kubernetes runs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a pod spec: ``list`` is the list it stands in, ``path`` is from the object's root."""

    path: Path
    list: str
    raw: Raw

    @property
    def name(self) -> str:
        """Its name, empty when it has none."""
        name = self.raw.get("name")
        return name if isinstance(name, str) else ""

    @property
    def image(self) -> str:
        """Its image reference, empty when it has none."""
        image = self.raw.get("image")
        return image if isinstance(image, str) else ""

    @property
    def sidecar(self) -> bool:
        """Whether it is an init container that keeps running (``restartPolicy: Always``)."""
        return self.list == "initContainers" and self.raw.get("restartPolicy") == "Always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that a pod will use: of a container, or of an image volume."""

    path: Path
    reference: str
    container: Container | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec:
    """A pod spec: ``path`` is from the object's root."""

    path: Path
    raw: Raw
    metadata: Raw
    """The metadata that its pods get: the template's, or the Pod's own."""

    @property
    def metadata_path(self) -> Path:
        """Where that metadata stands."""
        return (*self.path[:-1], "metadata")

    def containers(self, *lists: str) -> Iterator[Container]:
        """The containers of these lists, of all three when none is named."""
        for name in lists or CONTAINER_LISTS:
            rows = self.raw.get(name)
            for index, row in enumerate(rows if isinstance(rows, list) else ()):
                if isinstance(row, Mapping):
                    yield Container(path=(*self.path, name, index), list=name, raw=row)

    def images(self) -> Iterator[Image]:
        """The images of all containers, then those mounted as volumes."""
        for container in self.containers():
            if container.image:
                path = (*container.path, "image")
                yield Image(path=path, reference=container.image, container=container)
        volumes = self.raw.get("volumes")
        for index in range(len(volumes) if isinstance(volumes, list) else 0):
            reference = value_at(volumes, (index, "image", "reference"))
            if isinstance(reference, str) and reference:
                path = (*self.path, "volumes", index, "image", "reference")
                yield Image(path=path, reference=reference)


def pod_spec(object: Object) -> PodSpec | None:
    """The pod spec of an object, None for kinds (or objects) without one."""
    path = POD_SPEC_PATHS.get((object.gvk.group, object.gvk.kind))
    if path is None:
        return None
    raw = value_at(object.raw, path)
    if not isinstance(raw, Mapping):
        return None
    metadata = value_at(object.raw, (*path[:-1], "metadata"))
    return PodSpec(path=path, raw=raw, metadata=metadata if isinstance(metadata, Mapping) else {})


def containers(object: Object) -> tuple[Container, ...]:
    """Every container of an object's pod spec."""
    spec = pod_spec(object)
    return tuple(spec.containers()) if spec else ()


def images(object: Object) -> tuple[Image, ...]:
    """Every image that an object's pods will use."""
    spec = pod_spec(object)
    return tuple(spec.images()) if spec else ()
