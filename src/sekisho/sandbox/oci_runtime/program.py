"""Whether a program is there, before a container waits for its start: the error belongs to ``create``."""

from __future__ import annotations

import os

from sekisho.sandbox.abi.flags import O_CLOEXEC, O_DIRECTORY, O_PATH, RESOLVE_IN_ROOT
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.files_native import Opener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.spec import SandboxSpec

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def check(spec: SandboxSpec) -> None:
    """Raise SBX123 where the program cannot be in the root.

    A mount may bring it: where mounts lie over the places to look, nothing is said.
    """
    if not spec.process.argv:
        return
    name = spec.process.argv[0]
    places = [name]
    if "/" not in name:
        env = dict(item.partition("=")[::2] for item in spec.process.env)
        places = [f"{folder}/{name}" for folder in env.get("PATH", DEFAULT_PATH).split(":") if folder]
    elif not name.startswith("/"):
        places = [f"{spec.process.cwd}/{name}"]
    if any(_is_mounted(place, spec) for place in places):
        return
    root = os.open(spec.root.path, O_PATH | O_DIRECTORY | O_CLOEXEC)
    opener = Opener()
    try:
        for place in places:
            try:
                os.close(
                    opener.open(root, os.fsencode(place.lstrip("/")), O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT)
                )
            except OSError:
                continue
            return
    finally:
        os.close(root)
    where = "in $PATH" if "/" not in name else "in the root"
    raise SandboxError("SBX123", f'exec: "{name}": executable file not found {where}')


def _is_mounted(place: str, spec: SandboxSpec) -> bool:
    place = os.path.normpath(place)
    return any(
        place.startswith(f"{mount.destination.rstrip('/')}/") or place == mount.destination
        for mount in spec.mounts
    )
