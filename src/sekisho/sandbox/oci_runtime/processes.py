"""The processes of a container: those of its process-id namespace."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.store import Record


def of(record: Record) -> list[int]:
    """Process ids on the host of everything that runs in the container; the Sentry is not among them."""
    from sekisho.sandbox.oci_runtime import store

    if not store.is_alive(record.init, record.init_began):
        return []
    home = _namespace(record.init)
    if not home:
        return []
    return [pid for pid in sorted(_all()) if _namespace(pid) == home]


def inner_id(pid: int) -> int:
    """The id of a process in its own namespace."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("NSpid:"):
                    return int(line.split()[-1])
    except OSError:
        pass
    return 0


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""
