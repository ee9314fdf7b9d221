"""The files that real programs probe, each with its generator.

``PROC`` is answered when a file is opened; ``SYS`` is laid down when the tree is built. A generator is a pure
function of the sandbox's ``World``. ``FILTERED`` are files of a process which the kernel writes and in which
places of the host are replaced.
"""

from __future__ import annotations

from sekisho.sandbox.probe import filtered, machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.sandbox.probe.world import World

    Make = Callable[[World], str]
    Filter = Callable[[bytes, World], bytes]


def _fixed(text: object) -> Make:
    return lambda _: f"{text}\n"


def _memory_limit(world: World) -> str:
    return f"{world.memory}\n" if world.memory_limited else "max\n"


def _cpu_max(world: World) -> str:
    quota = "max" if world.cpu_quota is None else str(world.cpu_quota)
    return f"{quota} {world.cpu_period}\n"


def _cpu_stat(world: World) -> str:
    micro = int(world.busy * 1_000_000)
    return f"usage_usec {micro}\nuser_usec {micro}\nsystem_usec 0\n"


PROC: dict[str, tuple[Make, str]] = {
    "cpuinfo": (machine.cpuinfo, "as many processors as the limits give"),
    "meminfo": (machine.meminfo, "the memory limit as total, and the sandbox's own use"),
    "stat": (machine.stat, "since the sandbox began"),
    "uptime": (machine.uptime, "since the sandbox began"),
    "loadavg": (machine.loadavg, "no load of the host"),
    "version": (machine.version, "the sandbox's kernel"),
    "filesystems": (machine.filesystems, "those of the sandbox's tree"),
    "vmstat": (machine.vmstat, "a few counters"),
    "cmdline": (_fixed("sekisho"), "no parameters of the host"),
    "swaps": (_fixed("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"), "none"),
    "partitions": (_fixed("major minor  #blocks  name\n"), "none"),
    "diskstats": (lambda _: "", "none"),
    "modules": (lambda _: "", "none"),
    "devices": (
        _fixed("Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:"),
        "those of /dev",
    ),
    "misc": (lambda _: "", "none"),
    "cgroups": (_fixed("#subsys_name\thierarchy\tnum_cgroups\tenabled"), "version 2 only"),
    "sys/kernel/osrelease": (lambda world: f"{world.release}\n", "the sandbox's kernel"),
    "sys/kernel/ostype": (_fixed("Linux"), ""),
    "sys/kernel/version": (lambda world: f"{world.version}\n", "the sandbox's kernel"),
    "sys/kernel/hostname": (lambda world: f"{world.hostname}\n", "the sandbox's name"),
    "sys/kernel/domainname": (lambda world: f"{world.domainname or '(none)'}\n", "the sandbox's name"),
    "sys/kernel/random/boot_id": (lambda world: f"{world.boot_id}\n", "one for each sandbox"),
    "sys/kernel/random/uuid": (lambda world: f"{world.fresh_id}\n", "one for each reading"),
    "sys/kernel/random/entropy_avail": (_fixed(256), ""),
    "sys/kernel/random/poolsize": (_fixed(256), ""),
    "sys/kernel/cap_last_cap": (_fixed(40), ""),
    "sys/kernel/ngroups_max": (_fixed(65_536), ""),
    "sys/kernel/pid_max": (lambda world: f"{max(world.pids, 301)}\n", "the limit on processes"),
    "sys/kernel/threads-max": (lambda world: f"{world.pids}\n", "the limit on processes"),
    "sys/kernel/randomize_va_space": (_fixed(2), ""),
    "sys/kernel/overflowuid": (_fixed(65_534), ""),
    "sys/kernel/overflowgid": (_fixed(65_534), ""),
    "sys/kernel/tainted": (_fixed(0), ""),
    "sys/kernel/core_pattern": (_fixed("core"), "core files are not written"),
    "sys/kernel/shmmax": (_fixed(18_446_744_073_692_774_399), ""),
    "sys/kernel/shmall": (_fixed(18_446_744_073_692_774_399), ""),
    "sys/kernel/shmmni": (_fixed(4_096), ""),
    "sys/kernel/sem": (_fixed("32000\t1024000000\t500\t32000"), ""),
    "sys/kernel/msgmax": (_fixed(8_192), ""),
    "sys/kernel/msgmnb": (_fixed(16_384), ""),
    "sys/kernel/perf_event_paranoid": (_fixed(3), "no measuring"),
    "sys/kernel/yama/ptrace_scope": (_fixed(3), "no tracing"),
    "sys/vm/overcommit_memory": (_fixed(0), ""),
    "sys/vm/overcommit_ratio": (_fixed(50), ""),
    "sys/vm/max_map_count": (_fixed(65_530), ""),
    "sys/vm/mmap_min_addr": (_fixed(65_536), ""),
    "sys/vm/swappiness": (_fixed(60), ""),
    "sys/fs/file-max": (_fixed(1_048_576), ""),
    "sys/fs/file-nr": (_fixed("0\t0\t1048576"), ""),
    "sys/fs/nr_open": (_fixed(1_048_576), ""),
    "sys/fs/pipe-max-size": (_fixed(65_536), "pipes keep their size"),
    "sys/fs/inotify/max_user_watches": (_fixed(8_192), ""),
    "sys/fs/inotify/max_user_instances": (_fixed(128), ""),
    "sys/fs/inotify/max_queued_events": (_fixed(16_384), ""),
    "sys/net/core/somaxconn": (_fixed(4_096), ""),
    "sys/net/ipv4/ip_local_port_range": (_fixed("32768\t60999"), ""),
    "sys/net/ipv4/ip_unprivileged_port_start": (_fixed(0), ""),
    "sys/net/ipv4/tcp_keepalive_time": (_fixed(7_200), ""),
}
"""By the path below /proc."""

FILTERED: dict[str, tuple[Filter, str]] = {
    "mountinfo": (
        lambda text, _: filtered.mountinfo(text),
        "without the places of the host that mounts come from",
    ),
    "mounts": (lambda text, _: filtered.mounts(text), "without the places of the host that mounts come from"),
    "mountstats": (
        lambda text, _: filtered.mountstats(text),
        "without the places of the host that mounts come from",
    ),
    "cgroup": (lambda _text, _world: b"0::/\n", "the sandbox's own is the root"),
    "status": (
        lambda text, world: filtered.status(
            text, world.capabilities, world.held, no_new_privileges=world.no_new_privileges
        ),
        "the capabilities of the configuration, whatever is held of them",
    ),
}
"""By the name below /proc/<pid>; the generator takes what the kernel wrote."""

SYS: dict[str, tuple[Make, str]] = {
    "devices/system/cpu/online": (machine.cpu_range, "the processors of the limits"),
    "devices/system/cpu/possible": (machine.cpu_range, "the processors of the limits"),
    "devices/system/cpu/present": (machine.cpu_range, "the processors of the limits"),
    "devices/system/cpu/offline": (lambda _: "\n", "none"),
    "devices/system/node/online": (_fixed(0), "one node of memory"),
    "devices/system/node/possible": (_fixed(0), "one node of memory"),
    "devices/system/node/node0/cpulist": (machine.cpu_range, "the processors of the limits"),
    "kernel/mm/transparent_hugepage/enabled": (_fixed("always [madvise] never"), ""),
    "kernel/mm/transparent_hugepage/defrag": (_fixed("always defer defer+madvise [madvise] never"), ""),
    "kernel/mm/transparent_hugepage/hpage_pmd_size": (_fixed(2_097_152), ""),
    "kernel/mm/transparent_hugepage/shmem_enabled": (
        _fixed("always within_size advise [never] deny force"),
        "",
    ),
    "fs/cgroup/cgroup.controllers": (_fixed("cpu memory pids"), ""),
    "fs/cgroup/cgroup.type": (_fixed("domain"), ""),
    "fs/cgroup/cpu.max": (_cpu_max, "the processor limit"),
    "fs/cgroup/cpu.weight": (_fixed(100), ""),
    "fs/cgroup/cpu.stat": (_cpu_stat, "at the beginning"),
    "fs/cgroup/memory.max": (_memory_limit, "the memory limit"),
    "fs/cgroup/memory.high": (_fixed("max"), ""),
    "fs/cgroup/memory.swap.max": (_fixed(0), ""),
    "fs/cgroup/memory.current": (lambda world: f"{world.used}\n", "at the beginning"),
    "fs/cgroup/pids.max": (lambda world: f"{world.pids}\n" if world.pids_limited else "max\n", "the limit"),
    "fs/cgroup/pids.current": (lambda world: f"{world.tasks}\n", "at the beginning"),
}
"""By the path below /sys."""


def proc_file(path: str, world: World) -> bytes | None:
    """The content of a file of /proc by its path below it; None for one that has no row."""
    row = PROC.get(path)
    return row[0](world).encode() if row else None


def process_file(name: str, kernels: bytes, world: World) -> bytes | None:
    """The content of /proc/<pid>/<name> from what the kernel wrote there; None for one that has no row."""
    row = FILTERED.get(name)
    return row[0](kernels, world) if row else None


def sys_files(world: World) -> dict[str, bytes]:
    """Every file of /sys by its path below it."""
    files = {path: make(world).encode() for path, (make, _) in SYS.items()}
    for number in range(world.cpus):
        files[f"devices/system/cpu/cpu{number}/topology/core_id"] = f"{number}\n".encode()
        files[f"devices/system/cpu/cpu{number}/topology/physical_package_id"] = b"0\n"
        files[f"devices/system/cpu/cpu{number}/topology/thread_siblings_list"] = f"{number}\n".encode()
        files[f"devices/system/cpu/cpu{number}/online"] = b"1\n"
    return files
