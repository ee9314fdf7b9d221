"""Images as root folders: layer upon layer, with what they delete (image-spec, layer.md).

Every entry goes through ``rootfs.Root``, so none is written outside. Devices and pipes are left out, since
whoever runs an image brings its own; so are set-user-id bits and owners, unless they are asked for. Modes of
folders are set at the end, so that one without the right to write does not stop what belongs into it.
"""

from __future__ import annotations

import asyncio
import tarfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from sekisho.diag import Deadline, Limit
from sekisho.oci import codes
from sekisho.oci.content import Descriptor, Manifest, problem, read_object
from sekisho.oci.layers import FOREIGN, UNPACKED, bad_layer, entries, fetched, opened, parts_of
from sekisho.oci.rootfs import Parts, Root
from sekisho.oci.source import Source

WHITEOUT: Final = ".wh."
OPAQUE: Final = ".wh..wh..opq"
"""Marks in a layer: a name below it is gone; all of a folder below it is."""

DEEP: Final = Limit("the depth of a layer's folders", 256, "levels", "each is looked up by the way to it")

_SET_ID: Final = 0o7000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``owners``: give files to who the layer says, and keep set-user-id bits (needs root)."""

    owners: bool = False
    limit: Limit = UNPACKED


@dataclass(slots=True, kw_only=True)
class Unpacked:
    """What came of it: how many files, and the names that were left out."""

    files: int = 0
    left_out: list[str] = field(default_factory=list)


async def unpack(
    source: Source, manifest: Manifest, folder: Path, *, deadline: Deadline, options: Options = Options()
) -> Unpacked:
    """Unpack an image into a folder that is empty. Raises DiagnosticError (OCI002 to OCI007, OCI010)."""
    _prepare(folder)
    diff_ids = await _diff_ids(source, manifest, deadline)
    found = Unpacked()
    modes: dict[Parts, int] = {}
    with Root(folder) as root:
        for layer, diff_id in zip(manifest.layers, diff_ids, strict=True):
            if FOREIGN & set(layer.media_type.split(".")):
                raise bad_layer(layer, "registries do not hold such layers")
            with await fetched(source, layer, deadline=deadline) as content:
                work = _Layer(root, layer, options, found, modes)
                await asyncio.to_thread(work.apply, content, diff_id)
        for parts, mode in reversed(modes.items()):
            with suppress(OSError):  # a later layer may have put something else in its place
                root.set_mode(parts, mode)
    return found


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise problem(codes.BAD_LAYER, f"{folder} is not empty, so nothing is unpacked into it")


async def _diff_ids(source: Source, manifest: Manifest, deadline: Deadline) -> list[str]:
    """The digests of the unpacked layers by the image's configuration; empty texts where it has none."""
    body = await source.blob(manifest.config, deadline=deadline)
    if body is None:
        raise problem(codes.NOT_FOUND, f"the configuration {manifest.config.digest} is not there")
    rootfs = read_object(body, "the configuration").get("rootfs")
    rows = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if rows is None:
        return [""] * len(manifest.layers)
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        raise problem(codes.BAD_CONTENT, "rootfs.diff_ids of the configuration must be a list of digests")
    if len(rows) != len(manifest.layers):
        message = f"the configuration names {len(rows)} layers, and the manifest {len(manifest.layers)}"
        raise problem(codes.BAD_CONTENT, message)
    return rows


class _Layer:
    """One layer on its way into the root."""

    def __init__(
        self,
        root: Root,
        layer: Descriptor,
        options: Options,
        found: Unpacked,
        modes: dict[Parts, int],
    ) -> None:
        self._root = root
        self._layer = layer
        self._options = options
        self._found = found
        self._made: set[Parts] = set()
        self._modes = modes
        self._bytes = 0

    def apply(self, content: IO[bytes], diff_id: str) -> None:
        """All of its entries, in their order. Raises DiagnosticError (OCI005, OCI007, OCI010)."""
        limit = self._options.limit
        with opened(self._layer, content, diff_id=diff_id, limit=limit) as archive:
            for parts, member in entries(archive, self._layer):
                if DEEP.exceeded_by(len(parts)):
                    raise problem(codes.TOO_LARGE, f"the layer {self._layer.digest}: {DEEP}")
                try:
                    self._entry(archive, parts, member)
                except OSError as error:
                    why = f"{member.name!r} cannot be made: {error.strerror}"
                    raise bad_layer(self._layer, why) from None

    def _entry(self, archive: tarfile.TarFile, parts: Parts, member: tarfile.TarInfo) -> None:
        if not parts:
            return
        parent, name = self._root.resolved(parts[:-1], make=True), parts[-1]
        if name == OPAQUE:
            self._clear(parent)
        elif name.startswith(WHITEOUT):
            self._delete(parent, name.removeprefix(WHITEOUT), member)
        else:
            self._make(archive, parent, name, member)

    def _clear(self, parent: Parts) -> None:
        """Remove what lower layers have put into a folder, and nothing of this one."""
        for name in self._root.names(parent):
            place = (*parent, name)
            if place in self._made:
                continue
            if any(made[: len(place)] == place for made in self._made):
                self._clear(place)
            else:
                self._root.remove(parent, name)

    def _delete(self, parent: Parts, name: str, member: tarfile.TarInfo) -> None:
        if not name or name in (".", "..") or name.startswith(WHITEOUT):
            raise bad_layer(self._layer, f"{member.name!r} deletes nothing that has a name")
        if (*parent, name) not in self._made:
            self._root.remove(parent, name)

    def _make(self, archive: tarfile.TarFile, parent: Parts, name: str, member: tarfile.TarInfo) -> None:
        place = (*parent, name)
        mode = member.mode & 0o7777 & ~(0 if self._options.owners else _SET_ID)
        if member.isdir():
            self._root.make_folder(parent, name)
            self._modes[place] = mode
        elif member.issym():
            self._root.symlink(parent, name, member.linkname)
        elif member.islnk():
            self._root.link(parent, name, self._target(member))
        elif member.isfile():
            self._file(archive, parent, name, member, mode)
        else:
            self._found.left_out.append(member.name)
            return
        self._made.add(place)
        if self._options.owners and (member.isdir() or member.issym()):
            self._root.set_owner(parent, name, member.uid, member.gid)
        if not member.isdir() and not member.islnk():
            self._root.set_time(parent, name, member.mtime)

    def _file(
        self, archive: tarfile.TarFile, parent: Parts, name: str, member: tarfile.TarInfo, mode: int
    ) -> None:
        # A sparse file says how large it is, whatever the archive has of it.
        self._bytes += member.size
        if self._options.limit.exceeded_by(self._bytes):
            raise problem(codes.TOO_LARGE, f"the layer {self._layer.digest}: {self._options.limit}")
        content = archive.extractfile(member)
        assert content is not None, "a file has content"
        owner = (member.uid, member.gid) if self._options.owners else None
        self._root.write(parent, name, content, mode, owner)
        self._found.files += 1

    def _target(self, member: tarfile.TarInfo) -> Parts:
        parts = parts_of(member.linkname, self._layer)
        if not parts:
            raise bad_layer(self._layer, f"{member.name!r} is a link to the root")
        return parts
