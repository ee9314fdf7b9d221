"""Where the root file system of an image comes from."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Protocol

from sekisho.node.problems import ImageProblem
from sekisho.sandbox.spawn import host

HOST_IMAGE: Final = "sekisho.dev/host"
"""The image that always is this machine's own root."""

PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that is there: its root, and what it says about its containers.

    ``masked`` are paths that its containers must not see; ``disks`` are folders of the root that are mounts
    of their own, shown read-only; ``scratch`` are folders that are empty at first, and the container's own.
    ``seconds``: how long it took to get it; 0 if it was there.
    """

    identity: str
    root: Path
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: tuple[str, ...] = (PATH,)
    workdir: str = "/"
    user: str = ""
    masked: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()
    seconds: float = 0.0


class Rootfs(Protocol):
    """Finds images."""

    async def find(self, reference: str, policy: str) -> Image | None:
        """The image that a reference names, None if it is not known here; ``policy`` is the container's
        imagePullPolicy. Raises ImageProblem.
        """


class HostRoot:
    """The system's part of this machine's own root, for the images that are named.

    ``hidden`` is a folder that no container may see: the cluster's own, with its keys. The server is root,
    and so may a container be; it sees what everybody on this machine may see of its programs and settings,
    and none of its data.
    """

    def __init__(self, patterns: Sequence[str], hidden: Path) -> None:
        self._patterns = (HOST_IMAGE, f"{HOST_IMAGE}:*", *patterns)
        self._hidden = str(hidden)

    async def find(self, reference: str, policy: str) -> Image | None:  # noqa: ARG002 - it is always there
        """The host's root for an image of the patterns."""
        if not any(fnmatchcase(reference, pattern) for pattern in self._patterns):
            return None
        disks = (mount.destination for mount in host.mounts() if mount.type == "overlay")
        files, folders = _private("")
        scratch = tuple(sorted({*folders, *SCRATCH, self._hidden}))
        return Image(
            identity=HOST_IMAGE,
            root=Path("/"),
            command=("sh",),
            masked=(*host.secrets(), *files),
            disks=tuple(path for path in disks if path.split("/")[1] in SYSTEM),
            scratch=tuple(path for path in scratch if os.path.isdir(path) and not _below(path, scratch)),  # noqa: ASYNC240, PTH112
        )


def _below(path: str, others: Iterable[str]) -> bool:
    """Whether a path lies in one of the others."""
    return any(path.startswith(f"{other}/") for other in others)


SYSTEM: Final = frozenset(
    ("bin", "etc", "lib", "lib32", "lib64", "libx32", "nix", "opt", "sbin", "snap", "usr")
)
"""What of the root is programs and their settings."""

MADE: Final = frozenset(("dev", "proc", "run", "sys", "var"))
"""What a container has of its own there, or in part."""

SCRATCH: Final = ("/home", "/media", "/mnt", "/root", "/srv", "/tmp", "/var/tmp")  # noqa: S108 - the container's own
"""Folders that are empty, and the container's own."""

VARIABLE: Final = frozenset(("lock", "run", "tmp"))
"""What of /var is left as it is, or made anew."""


def _private(root: str) -> tuple[list[str], list[str]]:
    """What of a root (empty: the machine's) is data, or not for everybody to read: files, and folders."""
    found = [
        entry
        for entry in os.scandir(f"{root}/")
        if f"/{entry.name}" not in SCRATCH and entry.name not in SYSTEM | MADE
    ]
    found += [entry for entry in os.scandir(f"{root}/var") if entry.name not in VARIABLE]
    found += _unreadable(f"{root}/etc")
    own = [entry for entry in found if not entry.is_symlink()]
    folders = [entry.path for entry in own if entry.is_dir(follow_symlinks=False)]
    return [entry.path for entry in own if not entry.is_dir(follow_symlinks=False)], folders


def _unreadable(folder: str) -> Iterator[os.DirEntry[str]]:
    for entry in os.scandir(folder):
        if entry.is_symlink():
            continue
        if not entry.stat(follow_symlinks=False).st_mode & stat.S_IROTH:
            yield entry
        elif entry.is_dir(follow_symlinks=False):
            yield from _unreadable(entry.path)


async def find(places: Sequence[Rootfs], reference: str, policy: str) -> Image:
    """The image that a container names. Raises ImageProblem."""
    for place in places:
        found = await place.find(reference, policy)
        if found is not None:
            return found
    if policy == "Never":
        raise ImageProblem(
            "ErrImageNeverPull", f'Container image "{reference}" is not present with pull policy of Never'
        )
    raise ImageProblem(
        "ErrImagePull",
        f'failed to pull and unpack image "{reference}": no layout of --images has it, its registry is '
        "not one of --pull, and no --host-image names it",
    )
