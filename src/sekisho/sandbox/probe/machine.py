"""Generators for the files that describe the machine: /proc/cpuinfo, meminfo, stat and their kind."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.probe.world import World

HZ = 100
"""Ticks a second in /proc; user space's constant on every architecture."""

_PER_PROCESSOR = ("processor", "physical id", "siblings", "core id", "cpu cores", "apicid", "initial apicid")


def cpuinfo(world: World) -> str:
    """The host's text for one processor, once for each of the sandbox's, with numbers that agree."""
    lines = [
        line
        for line in world.processor.splitlines()
        if line.partition("\t")[0].rstrip() not in _PER_PROCESSOR
    ]
    blocks = []
    for number in range(world.cpus):
        topology = {
            "processor\t": number,
            "physical id\t": 0,
            "siblings\t": world.cpus,
            "core id\t\t": number,
            "cpu cores\t": world.cpus,
            "apicid\t\t": number,
            "initial apicid\t": number,
        }
        blocks.append("\n".join([*(f"{name}: {value}" for name, value in topology.items()), *lines]) + "\n")
    return "\n".join(blocks) + "\n"


def meminfo(world: World) -> str:
    """Total is the limit; what is used is the sandbox's own."""
    total = world.memory // 1024
    free = max(0, world.memory - world.used) // 1024
    swap = world.swap // 1024
    rows = {
        "MemTotal": total,
        "MemFree": free,
        "MemAvailable": free,
        "Buffers": 0,
        "Cached": 0,
        "SwapCached": 0,
        "Active": total - free,
        "Inactive": 0,
        "Active(anon)": total - free,
        "Inactive(anon)": 0,
        "Active(file)": 0,
        "Inactive(file)": 0,
        "Unevictable": 0,
        "Mlocked": 0,
        "SwapTotal": swap,
        "SwapFree": swap,
        "Dirty": 0,
        "Writeback": 0,
        "AnonPages": total - free,
        "Mapped": 0,
        "Shmem": 0,
        "Slab": 0,
        "SReclaimable": 0,
        "SUnreclaim": 0,
        "CommitLimit": total // 2 + swap,
        "Committed_AS": total - free,
        "VmallocTotal": 34_359_738_367,
        "VmallocUsed": 0,
        "AnonHugePages": 0,
    }
    lines = [f"{name + ':':15} {amount:>8} kB" for name, amount in rows.items()]
    lines += [f"HugePages_{name}:{0:>8}" for name in ("Total", "Free", "Rsvd", "Surp")]
    return "\n".join([*lines, f"{'Hugepagesize:':15} {2048:>8} kB"]) + "\n"


def stat(world: World) -> str:
    """Processor time and counts since the sandbox began."""
    busy = int(world.busy * HZ)
    idle = max(0, int(world.age * HZ) * world.cpus - busy)
    lines = [f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0"]
    lines += [
        f"cpu{number} {busy // world.cpus} 0 0 {idle // world.cpus} 0 0 0 0 0 0"
        for number in range(world.cpus)
    ]
    lines += ["intr 0", "ctxt 0", f"btime {int(world.began)}", f"processes {world.last_pid}"]
    return "\n".join([*lines, "procs_running 1", "procs_blocked 0", "softirq 0 0 0 0 0 0 0 0 0 0 0"]) + "\n"


def uptime(world: World) -> str:
    """Seconds since the sandbox began, and idle seconds of all processors together."""
    return f"{world.age:.2f} {max(0.0, world.age * world.cpus - world.busy):.2f}\n"


def loadavg(world: World) -> str:
    """The host's load is not shown."""
    return f"0.00 0.00 0.00 1/{world.tasks} {world.last_pid}\n"


def version(world: World) -> str:
    """What uname(2) tells, in one line."""
    return f"Linux version {world.release} (sekisho@sekisho) (gcc) {world.version}\n"


def filesystems(_: World) -> str:
    """The file systems of the sandbox's tree; none that could be mounted."""
    return "".join(f"nodev\t{name}\n" for name in ("tmpfs", "proc", "sysfs", "devpts", "overlay"))


def vmstat(world: World) -> str:
    """The few counters that programs look for."""
    free = max(0, world.memory - world.used) // 4096
    rows = {"nr_free_pages": free, "pgpgin": 0, "pgpgout": 0, "pswpin": 0, "pswpout": 0, "pgfault": 0}
    rows |= {"pgmajfault": 0, "oom_kill": 0}
    return "".join(f"{name} {amount}\n" for name, amount in rows.items())


def cpu_range(world: World) -> str:
    """The sandbox's processors, as a range."""
    return "0\n" if world.cpus == 1 else f"0-{world.cpus - 1}\n"
