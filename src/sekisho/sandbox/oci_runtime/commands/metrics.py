"""``metrics``: figures of one container or of all, in the text form of Prometheus."""

from __future__ import annotations

from sekisho.sandbox import telling
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import figures, store, text
from sekisho.sandbox.oci_runtime.groups import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from sekisho.sandbox.oci_runtime.main import Context
    from sekisho.sandbox.oci_runtime.store import Record

ROWS = {
    "sekisho_sandbox_running": ("gauge", "Whether its program runs."),
    "sekisho_sandbox_cpu_seconds_total": ("counter", "Processor time of its processes and its Sentry."),
    "sekisho_sandbox_memory_bytes": ("gauge", "Memory of its processes and its Sentry."),
    "sekisho_sandbox_memory_limit_bytes": ("gauge", "The limit on that; -1 is none."),
    "sekisho_sandbox_processes": ("gauge", "Its processes and threads."),
    "sekisho_sandbox_oom_kills_total": ("counter", "Processes that were ended for want of memory."),
}
POD = {
    "io.kubernetes.cri.sandbox-name": "pod_name",
    "io.kubernetes.cri.sandbox-namespace": "namespace_name",
    "io.kubernetes.cri.container-name": "container_name",
}
"""Annotations of containerd that become labels."""


def command(context: Context) -> int:
    """A stopped container has no figures but that it does not run."""
    kept = context.store
    records = [kept.load(id) for id in context.call.words] or list(kept.records())
    found = {record.id: (record, _figures(record, kept.status(record))) for record in records}
    for name, (kind, says) in ROWS.items():
        context.out(f"# HELP {name} {says}")
        context.out(f"# TYPE {name} {kind}")
        for record, values in found.values():
            if name in values:
                context.out(f"{name}{{{_labels(record)}}} {values[name]}")
    told = [telling.metrics(_events(kept.events(record.id)), _labels(record)) for record, _ in found.values()]
    for name, says in telling.METRICS.items():
        context.out(f"# HELP {name} {says}")
        context.out(f"# TYPE {name} counter")
        for lines in (values[name] for values in told):
            for line in lines:
                context.out(f"{name}{line}")
    return 0


def _events(path: str) -> list[Any]:
    """What happened in a container, as far as it was told."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return [text.parse(line, path) for line in file if line.endswith("}\n")]
    except (OSError, SandboxError):
        return []


def _figures(record: Record, status: str) -> dict[str, float]:
    running = int(status in (store.RUNNING, store.PAUSED))
    values: dict[str, float] = {"sekisho_sandbox_running": running}
    if running and record.cgroup:
        group = Group(record.cgroup)
        nanoseconds = group.number("cpuacct", "cpuacct.usage", "")
        microseconds = group.table("cpuacct", "", "cpu.stat").get("usage_usec", 0)
        values["sekisho_sandbox_cpu_seconds_total"] = nanoseconds / 1e9 + microseconds / 1e6
        values["sekisho_sandbox_memory_bytes"] = group.number(
            "memory", "memory.usage_in_bytes", "memory.current"
        )
        limit = group.number("memory", "memory.limit_in_bytes", "memory.max")
        values["sekisho_sandbox_memory_limit_bytes"] = -1 if limit >= figures.NO_LIMIT else limit
        values["sekisho_sandbox_processes"] = group.number("pids", "pids.current", "pids.current")
        values["sekisho_sandbox_oom_kills_total"] = figures.out_of_memory(group)
    return values


def _labels(record: Record) -> str:
    pairs: Iterable[tuple[str, str]] = (
        ("sandbox", record.id),
        *((label, record.annotations[key]) for key, label in POD.items() if key in record.annotations),
    )
    return ",".join(f'{name}="{_escape(value)}"' for name, value in pairs)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
