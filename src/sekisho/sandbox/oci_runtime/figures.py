"""Figures of a container, in the form that runc's ``events`` has."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.groups import Group

NO_LIMIT = (1 << 63) - 4096


def stats(group: Group) -> dict[str, object]:
    """Processor time in nanoseconds, memory in bytes, numbers of processes."""
    return {"cpu": _cpu(group), "memory": _memory(group), "pids": _pids(group), "blkio": {}, "hugetlb": {}}


def _cpu(group: Group) -> dict[str, object]:
    if "cpuacct" in group.folders:
        ticks = group.table("cpuacct", "cpuacct.stat", "")
        usage = {
            "total": group.number("cpuacct", "cpuacct.usage", ""),
            "kernel": ticks.get("system", 0) * 10_000_000,
            "user": ticks.get("user", 0) * 10_000_000,
        }
    else:
        rows = group.table("cpuacct", "", "cpu.stat")
        names = {"total": "usage_usec", "kernel": "system_usec", "user": "user_usec"}
        usage = {name: rows.get(key, 0) * 1000 for name, key in names.items()}
    rows = group.table("cpu", "cpu.stat", "cpu.stat")
    throttled = rows.get("throttled_time", rows.get("throttled_usec", 0) * 1000)
    return {
        "usage": usage,
        "throttling": {
            "periods": rows.get("nr_periods", 0),
            "throttledPeriods": rows.get("nr_throttled", 0),
            "throttledTime": throttled,
        },
    }


def _memory(group: Group) -> dict[str, object]:
    limit = group.number("memory", "memory.limit_in_bytes", "memory.max")
    return {
        "usage": {
            "limit": NO_LIMIT if limit < 0 else limit,
            "usage": group.number("memory", "memory.usage_in_bytes", "memory.current"),
            "max": group.number("memory", "memory.max_usage_in_bytes", "memory.peak"),
            "failcnt": group.number("memory", "memory.failcnt", ""),
        },
        "raw": group.table("memory", "memory.stat", "memory.stat"),
    }


def _pids(group: Group) -> dict[str, object]:
    limit = group.number("pids", "pids.max", "pids.max")
    return {"current": group.number("pids", "pids.current", "pids.current"), "limit": max(limit, 0)}


def out_of_memory(group: Group) -> int:
    """How often the kernel ended a process of it for want of memory."""
    return group.table("memory", "memory.oom_control", "memory.events").get("oom_kill", 0)
