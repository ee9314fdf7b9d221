"""Warnings about volumes: plugins that are gone, and files of one volume that get in each other's way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sekisho.apiserver.validation.fields import Raw, get, numbered, rows
from sekisho.lang.golang.gotext import quote

GONE: Final[Mapping[str, str]] = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageOS": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
"""Field of a volume → what became of it. The words of the field are the message's, too."""

SHOWN: Final[Mapping[str, str]] = {"storageOS": "storageos"}
"""JSON names where they differ from the message's."""


def volume_warnings(spec: Raw, at: str) -> Iterator[str]:
    """About the volumes of a Pod."""
    for volume_at, volume in numbered(spec, "volumes", at=f"{at}.volumes"):
        for name, what in GONE.items():
            if volume.get(SHOWN.get(name, name)) is not None:
                yield f"{volume_at}.{name}: {what}"
    for volume in rows(spec, "volumes"):
        yield from _overlaps(volume)


class _File(NamedTuple):
    path: str
    source: str = ""

    def __str__(self) -> str:
        return f"{quote(self.path)} ({self.source})" if self.source else quote(self.path)

    def collides(self, other: _File) -> bool:
        """Whether one is the other, or lies within it."""
        if not self.path or not other.path:
            return False
        here, there = f"{self.path}/", f"{other.path}/"
        return here.startswith(there) or there.startswith(here)


def _files(source: Raw, name: str = "") -> list[_File]:
    return [_File(str(row.get("path") or "").rstrip("/"), name) for row in rows(source, "items")]


def _overlaps(volume: Raw) -> Iterator[str]:
    name = quote(str(volume.get("name") or ""))
    for field, title in (("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")):
        source = get(volume, field)
        if source is None:
            continue
        key = {"configMap": "name", "secret": "secretName"}.get(field)
        about = f"{title} {quote(str(source.get(key) or ''))}" if key else title
        yield from _collisions(name, about, _files(source), [])
    known: list[_File] = []
    for source in rows(volume, "projected", "sources"):
        if not any(value is not None for value in source.values()):
            yield f"volume {name} (Projected) has no sources provided"
            continue
        yield from _collisions(name, "Projected", _projected(source), known)


def _projected(source: Raw) -> list[_File]:
    for field, title in (("configMap", "ConfigMap"), ("secret", "Secret")):
        inner = get(source, field)
        if inner is not None:
            return _files(inner, f"{title} {quote(str(inner.get('name') or ''))}")
    if (inner := get(source, "downwardAPI")) is not None:
        return _files(inner, "DownwardAPI")
    if (inner := get(source, "serviceAccountToken")) is not None:
        return [_File(str(inner.get("path") or "").rstrip("/"), "ServiceAccountToken")]
    if (inner := get(source, "clusterTrustBundle")) is not None:
        title = str(inner.get("name") or inner.get("signerName") or "")
        return [_File(str(inner.get("path") or "").rstrip("/"), f"ClusterTrustBundle {quote(title)}")]
    return []


def _collisions(volume: str, about: str, files: list[_File], known: list[_File]) -> Iterator[str]:
    for file in files:
        for other in known:
            if file.collides(other):
                yield f"volume {volume} ({about}): overlapping paths: {file} with {other}"
        known.append(file)
