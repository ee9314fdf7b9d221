"""The machine that a sandbox shows, from its limits and the host's processor."""

from __future__ import annotations

import os
import time

from sekisho.sandbox.abi.capabilities import NAMES
from sekisho.sandbox.abi.flags import (
    O_CLOEXEC,
    O_DIRECTORY,
    O_PATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
)
from sekisho.sandbox.files_native import Opener
from sekisho.sandbox.probe import World, sys_files
from sekisho.sandbox.spawn import init as first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.spec import Capabilities, Limits, SandboxSpec

PROCESSOR_MOST = 65_536
"""Bytes of /proc/cpuinfo that the first processor's description stands in."""

TASKS = 32_768
"""What is shown as the bound on processes where there is none."""


def cpus(limits: Limits) -> int:
    """How many processors the limits come to, rounded up, and there are."""
    there = len(os.sched_getaffinity(0))
    if limits.cpu_quota is None or limits.cpu_quota <= 0:
        return there
    period = limits.cpu_period or 100_000
    return max(1, min(there, -(-limits.cpu_quota // period)))


def keep_to(count: int) -> None:
    """Stay on that many processors, and all that we start.

    One processor is also what makes a notified call cheapest: caller and Sentry hand it to each other.
    """
    there = sorted(os.sched_getaffinity(0))
    if count < len(there):
        first = os.getpid() % len(there)
        os.sched_setaffinity(0, {there[(first + step) % len(there)] for step in range(count)})


def world(spec: SandboxSpec) -> World:
    """The machine at the sandbox's beginning."""
    limits = spec.limits
    memory = limits.memory if limits.memory and limits.memory > 0 else None
    return World(
        cpus=cpus(limits),
        memory=memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        memory_limited=memory is not None,
        pids=limits.pids if limits.pids and limits.pids > 0 else TASKS,
        pids_limited=bool(limits.pids and limits.pids > 0),
        cpu_quota=limits.cpu_quota if limits.cpu_quota and limits.cpu_quota > 0 else None,
        cpu_period=limits.cpu_period or 100_000,
        began=time.time(),
        hostname=spec.hostname,
        domainname=spec.domainname,
        processor=_processor(),
        boot_id=boot_id(),
        capabilities=shown_capabilities(spec.process.shown_capabilities),
        no_new_privileges=spec.process.no_new_privileges,
        held=sum(1 << number for number in first.capabilities(spec.process)),
    )


def shown_capabilities(sets: Capabilities) -> tuple[int, int, int, int, int]:
    """The bits of capabilities by their names, set by set."""

    def bits(names: frozenset[str]) -> int:
        return sum(1 << number for number, name in enumerate(NAMES) if f"CAP_{name}" in names)

    return (
        bits(sets.inheritable),
        bits(sets.permitted),
        bits(sets.effective),
        bits(sets.bounding),
        bits(sets.ambient),
    )


def _processor() -> str:
    """The host's description of one processor."""
    fd = os.open("/proc/cpuinfo", os.O_RDONLY | O_CLOEXEC)
    try:
        text = os.read(fd, PROCESSOR_MOST).decode("utf-8", "replace")
    finally:
        os.close(fd)
    return text.partition("\n\n")[0]


def boot_id() -> str:
    """A random identifier in the form of a UUID of version 4, one for each sandbox."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def lay_sys(init: int, shown: World) -> None:
    """Write the files of /sys into the empty file system that the sandbox has there.

    ``init`` is its process 1; every place is found inside its root.
    """
    opener = Opener()
    resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
    root = os.open(f"/proc/{init}/root", O_PATH | O_DIRECTORY | O_CLOEXEC)
    try:
        top = opener.open(root, b"sys", O_PATH | O_DIRECTORY | O_CLOEXEC, 0, resolve)
    finally:
        os.close(root)
    try:
        made = {""}
        for path, data in sys_files(shown).items():
            _folders(top, path, made)
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | O_CLOEXEC, 0o444, dir_fd=top)
            os.write(fd, data)
            os.close(fd)
    finally:
        os.close(top)


def _folders(top: int, path: str, made: set[str]) -> None:
    at = ""
    for part in path.split("/")[:-1]:
        at = f"{at}/{part}" if at else part
        if at not in made:
            try:
                os.mkdir(at, 0o755, dir_fd=top)
            except FileExistsError:
                pass  # engines mount cgroups below
            made.add(at)
