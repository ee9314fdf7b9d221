"""Where the root file system of an image comes from."""

from __future__ import annotations

from collections.abc import Sequence
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
    of their own, shown read-only. ``seconds``: how long it took to get it; 0 if it was there.
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
    seconds: float = 0.0


class Rootfs(Protocol):
    """Finds images."""

    async def find(self, reference: str, policy: str) -> Image | None:
        """The image that a reference names, None if it is not known here; ``policy`` is the container's
        imagePullPolicy. Raises ImageProblem.
        """


class HostRoot:
    """This machine's own root, without its secrets, for the images that are named.

    ``hidden`` is a folder that no container may see either: the cluster's own, with its keys.
    """

    def __init__(self, patterns: Sequence[str], hidden: Path) -> None:
        self._patterns = (HOST_IMAGE, f"{HOST_IMAGE}:*", *patterns)
        self._hidden = str(hidden)

    async def find(self, reference: str, policy: str) -> Image | None:  # noqa: ARG002 - it is always there
        """The host's root for an image of the patterns."""
        if not any(fnmatchcase(reference, pattern) for pattern in self._patterns):
            return None
        disks = tuple(mount.destination for mount in host.mounts() if mount.type == "overlay")
        return Image(
            identity=HOST_IMAGE,
            root=Path("/"),
            command=("sh",),
            masked=(*host.secrets(), self._hidden),
            disks=disks,
        )


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
