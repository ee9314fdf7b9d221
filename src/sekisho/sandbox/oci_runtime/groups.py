"""The cgroup of a container: where it is, and what is done with it once ``spawn.cgroups`` made it."""

from __future__ import annotations

import os
import time

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.spawn.cgroups import Cgroup, mounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from sekisho.sandbox.spec import Limits

CONTROLLERS: Final = ("cpu", "cpuacct", "memory", "pids", "freezer")
"""A container is in a group of each: engines read figures there, and pause needs the last."""
PARENT: Final = "sekisho"

PATIENCE: Final = 10.0
"""Seconds that the kernel may take to freeze a group: it waits for system calls to end."""
PAUSE: Final = 0.005


def resolve(path: str, id: str, *, systemd: bool = False) -> str:
    """Where a container's group is below the mounts, from ``linux.cgroupsPath``.

    Empty: below ``sekisho``. ``slice:prefix:name``, or with ``systemd``: where systemd would make that
    scope; it is made there directly, systemd is not asked. A path that climbs is refused.
    """
    if systemd or path.count(":") == 2:
        slice, prefix, name = path.split(":") if path.count(":") == 2 else ("", "sekisho", id)
        scope = f"{prefix}-{name}.scope" if prefix else f"{name}.scope"
        path = f"{_slice(slice or 'system.slice')}/{scope}"
    elif not path:
        path = f"{PARENT}/{id}"
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise SandboxError("SBX116", f"the cgroup path {path!r} is no place below the hierarchy")
    return "/".join(parts)


def _slice(name: str) -> str:
    """Systemd's nesting: ``a-b.slice`` lies in ``a.slice``."""
    stem = name.removesuffix(".slice")
    if stem in ("-", ""):
        return ""
    parts = stem.split("-")
    return "/".join(f"{'-'.join(parts[: count + 1])}.slice" for count in range(len(parts)))


def make(path: str, limits: Limits) -> Cgroup | None:
    """The groups of a container, all of them new; None where this user can have none and no limit asks
    for one.
    """
    first, second = mounted()
    for folder in (f"{first[name]}/{path}" for name in CONTROLLERS if name in first):
        if _pids(folder):
            raise SandboxError("SBX116", f"the cgroup {folder} is in use: there are processes in it")
    also = [name for name in CONTROLLERS if name in first]
    if not also and second:
        also = [
            name
            for name in ("cpu", "memory", "pids")
            if name in _read(f"{second}/cgroup.controllers").split()
        ]
    try:
        return Cgroup.make(path, limits, also=also)
    except SandboxError:
        from sekisho.sandbox.spec import Limits as None_

        if limits != None_() or os.geteuid() == 0:
            raise
        return None


class Group:
    """The groups of a container that was made, found again by their path."""

    __slots__ = ("folders", "path", "unified")

    def __init__(self, path: str) -> None:
        self.path = path
        first, second = mounted()
        places = {
            name: f"{where}/{path}" for name, where in first.items() if name in (*CONTROLLERS, "cpuset")
        }
        self.folders = {name: folder for name, folder in places.items() if path and os.path.isdir(folder)}
        self.unified = f"{second}/{path}" if path and second and os.path.isdir(f"{second}/{path}") else ""

    def _folder(self, controller: str) -> str:
        return self.folders.get(controller) or self.unified

    def change(self, limits: Limits) -> None:
        """Set limits that changed. SandboxError SBX002."""
        Cgroup.make(self.path, limits)

    def freeze(self, *, frozen: bool) -> None:
        """Stop every process, or let them go on. SBX117 where that cannot be done."""
        if "freezer" in self.folders:
            file, word = f"{self.folders['freezer']}/freezer.state", "FROZEN" if frozen else "THAWED"
        elif self.unified:
            file, word = f"{self.unified}/cgroup.freeze", str(int(frozen))
        else:
            raise SandboxError("SBX117", "the container has no cgroup that freezes")
        end = time.monotonic() + PATIENCE
        while self.frozen() != frozen:
            try:
                _write(file, word)
            except OSError as error:
                raise SandboxError("SBX117", f"{file} cannot be written: {error.strerror}") from None
            if time.monotonic() > end:
                raise SandboxError("SBX117", f"the kernel did not do it within {PATIENCE:.0f} s")
            time.sleep(PAUSE)

    def frozen(self) -> bool:
        """Whether its processes are stopped."""
        if "freezer" in self.folders:
            return _read(f"{self.folders['freezer']}/freezer.state").strip() == "FROZEN"
        return "frozen 1" in _read(f"{self.unified}/cgroup.events") if self.unified else False

    def pids(self) -> list[int]:
        """Every process in the groups and below them."""
        folder = self._folder("pids") or self._folder("freezer") or self._folder("memory")
        return sorted(_pids(folder)) if folder else []

    def doors(self) -> tuple[str, ...]:
        """Files by which a process of one thread enters, as ``Cgroup.doors``."""
        first = tuple(f"{folder}/tasks" for folder in sorted(set(self.folders.values())))
        return (*first, f"{self.unified}/cgroup.procs") if self.unified and not first else first

    def remove(self) -> None:
        """Remove them, when the last process has left. SBX116 if some will not leave."""
        end = time.monotonic() + PATIENCE
        for folder in sorted({*self.folders.values(), *((self.unified,) if self.unified else ())}):
            while not _remove(folder):
                if time.monotonic() > end:
                    raise SandboxError("SBX116", f"the cgroup {folder} cannot be removed: it is in use")
                time.sleep(PAUSE)

    # figures

    def number(self, controller: str, first: str, second: str) -> int:
        """The number in a file, by its names in version 1 and version 2; 0 without one, -1 for ``max``."""
        text = _read(self._file(controller, first, second)).strip()
        if text == "max":
            return -1
        return int(text) if text.lstrip("-").isdigit() else 0

    def table(self, controller: str, first: str, second: str) -> dict[str, int]:
        """The lines of a file of names and numbers."""
        rows = (line.split() for line in _read(self._file(controller, first, second)).splitlines())
        return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}

    def _file(self, controller: str, first: str, second: str) -> str:
        if controller in self.folders:
            return f"{self.folders[controller]}/{first}"
        return f"{self.unified}/{second}" if self.unified else ""


def _remove(folder: str) -> bool:
    for name in _below(folder):
        _remove(f"{folder}/{name}")
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _below(folder: str) -> Iterable[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _pids(folder: str) -> set[int]:
    found = {int(line) for line in _read(f"{folder}/cgroup.procs").split()}
    for name in _below(folder):
        found |= _pids(f"{folder}/{name}")
    return found


def _write(path: str, word: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, word.encode())
    finally:
        os.close(fd)


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
