"""Limits on a whole sandbox by control groups, of both versions.

A controller is used where it is mounted: on a hybrid machine some are of version 1 and some of version 2.
Only controllers that a limit asks for get a group.
"""

from __future__ import annotations

import errno
import os
import time

from sekisho.sandbox.errors import SandboxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from sekisho.sandbox.spec import Limits

PERIOD: Final = 100_000
"""Microseconds over which a share of processors is measured, the kernel's own default."""

NONE_V1: Final = "-1"
NONE_V2: Final = "max"

PATIENCE: Final = 2.0
"""Seconds that the kernel may take to forget the processes of a group that has ended."""


def mounted() -> tuple[dict[str, str], str]:
    """Where each controller of version 1 is mounted, and where version 2 is (empty: nowhere)."""
    first: dict[str, str] = {}
    second = ""
    with open("/proc/self/mounts") as file:
        for line in file:
            _source, where, kind, options, *_ = line.split(" ")
            if kind == "cgroup":
                first.update(dict.fromkeys(options.split(","), where))
            elif kind == "cgroup2":
                second = second or where
    return first, second


def wanted(limits: Limits) -> dict[str, list[tuple[str, str, str, str]]]:
    """By controller: rows (file of version 1, its value, file of version 2, its value)."""
    found: dict[str, list[tuple[str, str, str, str]]] = {}

    def add(controller: str, *row: str) -> None:
        found.setdefault(controller, []).append(row)  # type: ignore[arg-type]

    if limits.memory is not None:
        add("memory", "memory.limit_in_bytes", _v1(limits.memory), "memory.max", _v2(limits.memory))
    if limits.memory_reservation is not None:
        low = limits.memory_reservation
        add("memory", "memory.soft_limit_in_bytes", _v1(low), "memory.low", _v2(low))
    if limits.memory_swap is not None:
        swap = limits.memory_swap
        more = swap if swap < 0 else swap - (limits.memory or 0)
        add("memory", "memory.memsw.limit_in_bytes", _v1(swap), "memory.swap.max", _v2(more))
    if limits.cpu_quota is not None:
        period = limits.cpu_period or PERIOD
        add("cpu", "cpu.cfs_period_us", str(period), "", "")
        both = f"{_v2(limits.cpu_quota)} {period}"
        add("cpu", "cpu.cfs_quota_us", _v1(limits.cpu_quota), "cpu.max", both)
    if limits.cpu_shares:
        add("cpu", "cpu.shares", str(limits.cpu_shares), "cpu.weight", str(weight(limits.cpu_shares)))
    if limits.cpuset_cpus:
        add("cpuset", "cpuset.cpus", limits.cpuset_cpus, "cpuset.cpus", limits.cpuset_cpus)
    if limits.cpuset_mems:
        add("cpuset", "cpuset.mems", limits.cpuset_mems, "cpuset.mems", limits.cpuset_mems)
    if limits.pids is not None:
        most = _v2(limits.pids if limits.pids > 0 else -1)
        add("pids", "pids.max", most, "pids.max", most)
    return found


def weight(shares: int) -> int:
    """Version 2's weight (1 to 10000) for version 1's shares (2 to 262144), as runc and crun map it."""
    return 1 + (max(2, min(shares, 262_144)) - 2) * 9999 // 262_142


def _v1(value: int) -> str:
    return NONE_V1 if value < 0 else str(value)


def _v2(value: int) -> str:
    return NONE_V2 if value < 0 else str(value)


class Cgroup:
    """The groups of one sandbox; ``path`` is the same below each controller's mount.

    ``folders`` maps controllers to their groups' directories; those of version 2 share one.
    """

    __slots__ = ("folders", "path", "unified")

    def __init__(self, path: str, folders: Mapping[str, str], unified: str) -> None:
        self.path = path
        self.folders = folders
        self.unified = unified

    @classmethod
    def make(cls, path: str, limits: Limits, *, also: Iterable[str] = ()) -> Cgroup:
        """Make the groups that the limits need, and set them; ``also`` are controllers to have besides.

        SandboxError SBX002 if that cannot be.
        """
        first, second = mounted()
        rows = wanted(limits)
        for controller in also:
            rows.setdefault(controller, [])
        folders, unified = {}, ""
        for controller in rows:
            if controller in first:
                folders[controller] = f"{first[controller]}/{path}"
            elif second:
                folders[controller] = unified = f"{second}/{path}"
            else:
                raise SandboxError("SBX002", f"the controller {controller} is mounted nowhere")
        group = cls(path, folders, unified)
        try:
            group._create(rows, second)
        except OSError as error:
            group.remove()
            raise SandboxError(
                "SBX002",
                f"the cgroup {path} cannot be made: {error.strerror} ({error.filename})",
                "run as root, or leave the limit out",
            ) from None
        return group

    def _create(self, rows: Mapping[str, list[tuple[str, str, str, str]]], second: str) -> None:
        for controller, folder in self.folders.items():
            if folder == self.unified:
                _delegate(second, self.path, controller)
            os.makedirs(folder, exist_ok=True)
            if controller == "cpuset" and folder != self.unified:
                _inherit_cpuset(folder)
        for controller, folder in self.folders.items():
            for old, value, new, other in rows[controller]:
                name, text = (new, other) if folder == self.unified else (old, value)
                if name:
                    _write(
                        f"{folder}/{name}", text, optional=name.startswith(("memory.memsw", "memory.swap"))
                    )

    def doors(self) -> tuple[str, ...]:
        """The files by which a process of one thread enters: it writes 0 to each.

        Version 1 takes one thread without stopping the machine's forks, which a whole process costs 7 ms.
        """
        folders = sorted(set(self.folders.values()))
        return tuple(
            f"{folder}/{'cgroup.procs' if folder == self.unified else 'tasks'}" for folder in folders
        )

    def out_of_memory(self) -> bool:
        """Whether the kernel has ended a process here for memory."""
        folder = self.folders.get("memory")
        if folder is None:
            return False
        name = "memory.events" if folder == self.unified else "memory.oom_control"
        try:
            with open(f"{folder}/{name}") as file:
                rows = dict(line.split() for line in file)
        except OSError:
            return False
        return rows.get("oom_kill", "0") != "0"

    def sweep(self) -> None:
        """Remove sibling groups that a killed process has left: named after it (``do-<pid>``), and empty."""
        for folder in set(self.folders.values()):
            above, own = os.path.split(folder)
            prefix = own.rstrip("0123456789")
            for name in os.listdir(above):
                pid = name.removeprefix(prefix)
                if name != own and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                    try:
                        os.rmdir(f"{above}/{name}")
                    except OSError:
                        pass  # it is not empty, or another sweep was faster

    def remove(self) -> None:
        """Remove the groups, once their processes are gone."""
        end = time.monotonic() + PATIENCE
        for folder in sorted(set(self.folders.values())):
            while True:
                try:
                    os.rmdir(folder)
                except FileNotFoundError:
                    break
                except OSError as error:
                    if error.errno != errno.EBUSY or time.monotonic() > end:
                        break
                    time.sleep(0.005)
                else:
                    break


def _delegate(root: str, path: str, controller: str) -> None:
    """Version 2: every group above must hand the controller down."""
    at = root
    for part in path.strip("/").split("/"):
        _write(f"{at}/cgroup.subtree_control", f"+{controller}")
        at = f"{at}/{part}"
        os.makedirs(at, exist_ok=True)


def _inherit_cpuset(folder: str) -> None:
    """Version 1: a new cpuset is empty, and nothing may enter it until it is not."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        with open(f"{folder}/{name}") as file:
            if file.read().strip():
                continue
        above = os.path.dirname(folder)
        with open(f"{above}/{name}") as file:
            text = file.read().strip()
        if not text:
            _inherit_cpuset(above)
            with open(f"{above}/{name}") as file:
                text = file.read().strip()
        _write(f"{folder}/{name}", text)


def _write(path: str, text: str, *, optional: bool = False) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        if optional:
            return  # kernels without accounting of swap
        raise
    try:
        os.write(fd, text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(fd)
