"""The volumes of a Pod: files that are written for it, and folders that its containers share.

``planned`` is pure and says what is to be there; ``lay`` writes it. Volumes that reach the host, or that
nobody here provides, are refused.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sekisho.node.environment import Facts, data_of, field_of, resource_of
from sekisho.node.problems import ConfigProblem, Refusal

Json = dict[str, Any]
Raw = Mapping[str, Any]

Tokens = Mapping[tuple[str, int], str]
"""Tokens of the Pod's service account by audience (empty: the API's) and seconds."""

FILE_MODE: Final = 0o644
TOKEN_SECONDS: Final = 3_607


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What a volume is to hold: bytes and mode of each file by its path; none for a folder to write to."""

    files: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What volumes are made from, beside the Pod itself."""

    facts: Facts
    tokens: Tokens


def check(spec: Raw) -> None:
    """Raise Refusal for volumes that a sandbox is not given."""
    for row in (*(spec.get("initContainers") or ()), *spec["containers"]):
        if any(mount.get("subPathExpr") for mount in row.get("volumeMounts") or ()):
            raise Refusal("VolumeUnsupported", f"container {row['name']}: subPathExpr is not evaluated here")
    for volume in spec.get("volumes") or ():
        kind = next((key for key in volume if key != "name"), "emptyDir")
        if kind not in KINDS:
            why = "it reaches this machine's files" if kind == "hostPath" else "nothing here provides it"
            raise Refusal("VolumeUnsupported", f'volume "{volume["name"]}" is of the kind {kind}: {why}')


def tokens(spec: Raw) -> Iterator[tuple[str, int]]:
    """The tokens that a Pod's volumes hold: audience and seconds of each."""
    for volume in spec.get("volumes") or ():
        for row in (volume.get("projected") or {}).get("sources") or ():
            token = row.get("serviceAccountToken")
            if token:
                yield token.get("audience") or "", int(token.get("expirationSeconds") or TOKEN_SECONDS)


def planned(volume: Raw, sources: Sources) -> Volume:
    """What a volume is to hold. Raises ConfigProblem for what is not there."""
    kind = next((key for key in volume if key != "name"), "emptyDir")
    return KINDS[kind](volume.get(kind) or {}, sources)


def _empty(_: Raw, __: Sources) -> Volume:
    return Volume(writable=True)


def _config_map(source: Raw, sources: Sources) -> Volume:
    return Volume(files=_object_files("configmaps", source.get("name") or "", source, sources))


def _secret(source: Raw, sources: Sources) -> Volume:
    return Volume(files=_object_files("secrets", source.get("secretName") or "", source, sources))


def _downward(source: Raw, sources: Sources) -> Volume:
    return Volume(files=_downward_files(source, source, sources))


def _projected(source: Raw, sources: Sources) -> Volume:
    files: dict[str, tuple[bytes, int]] = {}
    for row in source.get("sources") or ():
        for name, give in PROJECTIONS.items():
            if row.get(name):
                part = {"defaultMode": source.get("defaultMode"), **row[name]}
                files.update(give(part, sources))
    return Volume(files=files)


def _mode(item: Raw, source: Raw) -> int:
    for value in (item.get("mode"), source.get("defaultMode")):
        if value is not None:
            return int(value)
    return FILE_MODE


def _object_files(plural: str, name: str, source: Raw, sources: Sources) -> dict[str, tuple[bytes, int]]:
    value = sources.facts.find(plural, name)
    kind = "configmap" if plural == "configmaps" else "secret"
    if value is None:
        if source.get("optional"):
            return {}
        raise ConfigProblem("FailedMount", f'{kind} "{name}" not found')
    data = data_of(value)
    items = source.get("items")
    if not items:
        return {key: (found, _mode({}, source)) for key, found in data.items()}
    files: dict[str, tuple[bytes, int]] = {}
    for item in items:
        if item["key"] in data:
            files[_inner(item["path"])] = (data[item["key"]], _mode(item, source))
        elif not source.get("optional"):
            raise ConfigProblem("FailedMount", f"references non-existent {kind} key: {item['key']}")
    return files


def _downward_files(source: Raw, _: Raw, sources: Sources) -> dict[str, tuple[bytes, int]]:
    files: dict[str, tuple[bytes, int]] = {}
    for item in source.get("items") or ():
        if item.get("fieldRef"):
            text = field_of(item["fieldRef"].get("fieldPath") or "", sources.facts)
        else:
            text = resource_of(item.get("resourceFieldRef") or {}, {}, sources.facts)
        files[_inner(item["path"])] = (text.encode(), _mode(item, source))
    return files


def _token_files(source: Raw, sources: Sources) -> dict[str, tuple[bytes, int]]:
    seconds = int(source.get("expirationSeconds") or TOKEN_SECONDS)
    token = sources.tokens[source.get("audience") or "", seconds]
    return {_inner(source["path"]): (token.encode(), 0o600 if source.get("defaultMode") is None else 0o644)}


PROJECTIONS: Final[Mapping[str, Callable[[Raw, Sources], dict[str, tuple[bytes, int]]]]] = {
    "configMap": lambda source, sources: _object_files(
        "configmaps", source.get("name") or "", source, sources
    ),
    "secret": lambda source, sources: _object_files("secrets", source.get("name") or "", source, sources),
    "downwardAPI": lambda source, sources: _downward_files(source, source, sources),
    "serviceAccountToken": _token_files,
}

KINDS: Final[Mapping[str, Callable[[Raw, Sources], Volume]]] = {
    "emptyDir": _empty,
    "configMap": _config_map,
    "secret": _secret,
    "downwardAPI": _downward,
    "projected": _projected,
}
"""The kinds of volumes that a sandbox is given."""


def _inner(path: str) -> str:
    """A path below a volume; the API has refused those that climb, and so does this."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise ConfigProblem("FailedMount", f"the path {path!r} is no place in a volume")
    return "/".join(parts)


DATA: Final = "..data"


def lay(folder: Path, volume: Volume, group: int | None) -> None:
    """Write a volume; ``group`` owns it, where the Pod has an fsGroup.

    Files lie in a folder that a link names: a new state takes the place of the old one at once, also where it
    is mounted already (kubelet's AtomicWriter).
    """
    folder.mkdir(parents=True, exist_ok=True)
    if volume.writable:
        folder.chmod(0o2777 if group is not None else 0o777)
        if group is not None:
            os.chown(folder, -1, group)
        return
    folder.chmod(0o755)
    before = str((folder / DATA).readlink()) if (folder / DATA).is_symlink() else ""
    new = folder / f"..{time.time_ns()}"
    new.mkdir(mode=0o755)
    for path, (data, mode) in volume.files.items():
        file = new / path
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        file.write_bytes(data)
        file.chmod(mode | 0o040 if group is not None else mode)
        if group is not None:
            os.chown(file, -1, group)
    (folder / "..new").symlink_to(new.name)
    (folder / "..new").replace(folder / DATA)
    tops = {path.partition("/")[0] for path in volume.files}
    for name in tops:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"{DATA}/{name}")
    for entry in folder.iterdir():
        if not entry.name.startswith("..") and entry.name not in tops:
            entry.unlink()
    if before:
        shutil.rmtree(folder / before, ignore_errors=True)


def mount_source(folder: Path, mount: Raw, volume: Volume) -> Path:
    """What is mounted for a ``volumeMount``. Raises ConfigProblem.

    A part of a volume is given only where no container can write: else one could put a link in its place.
    """
    part = mount.get("subPath") or ""
    if not part:
        return folder
    if volume.writable:
        raise ConfigProblem(
            "CreateContainerConfigError",
            f'subPath of volume "{mount["name"]}": no part of a volume that can be written is given alone',
        )
    return (folder / DATA).resolve() / _inner(part)
