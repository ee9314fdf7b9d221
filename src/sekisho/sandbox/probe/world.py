"""What the emulated files speak of: the machine as the sandbox shows it."""

from __future__ import annotations

from sekisho.sandbox.value import value

RELEASE = "6.1.0-sekisho"
"""The release of Linux whose calls the sandbox answers, for those who ask before they use one."""

VERSION = "#1 SMP sekisho"


@value
class World:
    """The sandbox's machine at one moment.

    ``cpus`` is the number of processors, ``memory`` and ``used`` are bytes, ``pids`` a limit. ``age``
    is seconds since the sandbox began, ``began`` that moment in seconds since the epoch. ``processor``
    is the host's text for one processor in /proc/cpuinfo: programs can ask the processor itself, so it
    is no secret. ``cpu_quota`` and ``cpu_period`` are microseconds. ``capabilities`` are the bits of
    the sets inheritable, permitted, effective, bounding and ambient as they are shown to a process that
    holds ``held``. ``boot_id`` is the sandbox's own; ``fresh_id`` is a new one for each reading.
    """

    cpus: int = 1
    memory: int = 1 << 30
    used: int = 0
    swap: int = 0
    pids: int = 32_768
    tasks: int = 1
    last_pid: int = 1
    age: float = 1.0
    busy: float = 0.0
    began: float = 0.0
    hostname: str = "sekisho"
    domainname: str = ""
    release: str = RELEASE
    version: str = VERSION
    processor: str = ""
    cpu_quota: int | None = None
    cpu_period: int = 100_000
    memory_limited: bool = False
    pids_limited: bool = False
    capabilities: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    held: int = 0
    no_new_privileges: bool = True
    boot_id: str = "00000000-0000-4000-8000-000000000000"
    fresh_id: str = "00000000-0000-4000-8000-000000000001"
