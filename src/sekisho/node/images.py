"""Images of layouts and registries, unpacked once and kept by their digests.

An image's folder is below ``images`` of the node: its root, and ``image.json``, its configuration. Containers
see the root through an overlay of their own, so nothing changes it.
"""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.diag import Deadline, DiagnosticError
from sekisho.node.problems import ImageProblem
from sekisho.node.rootfs import PATH, Image
from sekisho.oci import parse_reference
from sekisho.oci.content import Manifest, Platform
from sekisho.oci.layout import TAG, Layout
from sekisho.oci.source import Source, image
from sekisho.oci.tarfiles import Folder

if TYPE_CHECKING:
    from sekisho.oci.asking import Registries
    from sekisho.oci.reference import Reference

LATEST: Final = "latest"
MARK: Final = "oci-layout"
FULL_NAME: Final = "io.containerd.image.name"
"""The annotation with which containerd writes an image's whole name."""

SECONDS: Final = 600.0
"""How long an image may take to be read and unpacked."""

MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def this_platform() -> Platform:
    """What images must be made for."""
    machine = platform.machine()
    return Platform(os="linux", architecture=MACHINES.get(machine, machine))


class Unpacked:
    """The images that are unpacked in a folder. Each is unpacked by one task at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def kept(self, digest: str) -> Image | None:
        """An image by its digest, if it is here."""
        place = self._place(digest)
        try:
            body = (place / "image.json").read_bytes()
        except OSError:
            return None
        return described(digest, place / "root", json.loads(body))

    async def of(self, source: Source, which: str) -> Image:
        """The image of a tag or digest of a source. Raises DiagnosticError."""
        begun, deadline = time.monotonic(), Deadline.after(SECONDS)
        content, manifest = await image(source, which, this_platform(), deadline=deadline)
        async with self._locks[content.digest]:
            found = self.kept(content.digest)
            if found is not None:
                return found
            new = Path(tempfile.mkdtemp(prefix="new-", dir=self._folder))
            try:
                await self._unpack(source, manifest, new, deadline)
                new.rename(self._place(content.digest))  # noqa: ASYNC240 - one system call
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
        found = self.kept(content.digest)
        assert found is not None, "it has just been written"
        return replace(found, seconds=time.monotonic() - begun)

    async def _unpack(self, source: Source, manifest: Manifest, new: Path, deadline: Deadline) -> None:
        from sekisho.oci.unpack import Options, unpack

        await unpack(source, manifest, new / "root", deadline=deadline, options=Options(owners=True))
        (new / "root").chmod(0o755)
        body = await source.blob(manifest.config, deadline=deadline)
        assert body is not None, "it was there when the layers were counted"
        (new / "image.json").write_bytes(body)

    def _place(self, digest: str) -> Path:
        return self._folder / digest.replace(":", "-")


def described(digest: str, root: Path, body: Mapping[str, Any]) -> Image:
    """An image by its configuration (image-spec, config.md)."""
    config = body.get("config") or {}
    env = tuple(map(str, config.get("Env") or ()))
    if not any(row.startswith("PATH=") for row in env):
        env = (PATH, *env)
    return Image(
        identity=digest,
        root=root,
        entrypoint=tuple(map(str, config.get("Entrypoint") or ())),
        command=tuple(map(str, config.get("Cmd") or ())),
        env=env,
        workdir=str(config.get("WorkingDir") or "/"),
        user=str(config.get("User") or ""),
    )


class Layouts:
    """OCI layouts: folders that are one, and those in folders that hold several.

    An image is found by the whole name that its layout's index gives it, or, where that gives a tag alone, by
    the layout's folder for the last part of its repository: ``web:1.4`` is the tag 1.4 in ``web``.
    """

    def __init__(self, folders: Sequence[Path], unpacked: Unpacked) -> None:
        self._folders = folders
        self._unpacked = unpacked

    def _layouts(self) -> Iterator[Path]:
        for folder in self._folders:
            if (folder / MARK).exists():
                yield folder
            else:
                with suppress(OSError):
                    yield from sorted(path for path in folder.iterdir() if (path / MARK).exists())

    async def find(self, reference: str, policy: str) -> Image | None:  # noqa: ARG002 - it is here, or not
        """The image of a layout, None if none has it. Raises ImageProblem."""
        wanted = parsed(reference)
        try:
            for path in self._layouts():
                layout = Layout.opened(Folder(path))
                for row in layout.listed():
                    if _is(wanted, row.annotations, row.digest, path.resolve().name):
                        return await self._unpacked.of(layout, row.digest)
        except DiagnosticError as error:
            raise ImageProblem("ErrImagePull", error.diagnostics[0].message) from None
        return None


def _is(wanted: Reference, annotations: Mapping[str, str], digest: str, folder: str) -> bool:
    if wanted.digest:
        return wanted.digest == digest
    tag = wanted.tag or LATEST
    for name in (annotations.get(FULL_NAME, ""), annotations.get(TAG, "")):
        if "/" in name or ":" in name:
            with suppress(DiagnosticError):
                found = parse_reference(name)
                if (found.name, found.tag or LATEST) == (wanted.name, tag):
                    return True
    return annotations.get(TAG) == tag and wanted.repository.rpartition("/")[2] == folder


class Pulled:
    """Images of registries. ``hosts`` are patterns of those that may be asked."""

    def __init__(self, hosts: Sequence[str], unpacked: Unpacked) -> None:
        self._hosts = hosts
        self._unpacked = unpacked
        self._known: dict[str, str] = {}
        self._registries: Registries | None = None

    async def find(self, reference: str, policy: str) -> Image | None:
        """The image of a registry, None if that may not be asked. Raises ImageProblem."""
        wanted = parsed(reference)
        if not any(fnmatchcase(wanted.registry, pattern) for pattern in self._hosts):
            return None
        digest = wanted.digest or self._known.get(str(wanted), "")
        kept = self._unpacked.kept(digest) if digest and (wanted.digest or policy != "Always") else None
        if kept is not None or policy == "Never":
            return kept
        from sekisho.oci.registry import Repository

        try:
            source = Repository.of(self._asking(), wanted)
            found = await self._unpacked.of(source, wanted.digest or wanted.tag or LATEST)
        except DiagnosticError as error:
            raise ImageProblem("ErrImagePull", error.diagnostics[0].message) from None
        self._known[str(wanted)] = found.identity
        return found

    def _asking(self) -> Registries:
        if self._registries is None:
            from sekisho.oci import asking
            from sekisho.oci.credentials import Files

            self._registries = asking.Registries(asking.Options(keychain=Files()))
        return self._registries

    async def close(self) -> None:
        """Close all connections."""
        if self._registries is not None:
            await self._registries.close()


def parsed(reference: str) -> Reference:
    """A reference in its normal form. Raises ImageProblem."""
    try:
        return parse_reference(reference)
    except DiagnosticError as error:
        raise ImageProblem("InvalidImageName", error.diagnostics[0].message) from None
