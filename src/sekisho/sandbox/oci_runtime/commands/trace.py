"""``trace``: in which system call each thread of a container is, and who answers it."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import processes, store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """One line a thread: where a container hangs is where it waits."""
    record = context.store.load(context.call.words[0])
    if context.store.status(record) == store.STOPPED:
        raise SandboxError("SBX119", f"container not running: {record.id} is stopped")
    from sekisho.sandbox.table import table

    names = {number: (row.name, bool(row.default.handler)) for number, row in table().items()}
    context.out(f"{'INSIDE':>8} {'THREAD':>8} CALL")
    for pid in processes.of(record):
        for tid in sorted(map(int, _threads(pid))):
            context.out(f"{processes.inner_id(pid):8} {processes.inner_id(tid):8} {_call(tid, names)}")
    return 0


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _call(tid: int, names: dict[int, tuple[str, bool]]) -> str:
    try:
        with open(f"/proc/{tid}/syscall", encoding="ascii") as file:
            words = file.read().split()
    except OSError:
        return "ended"
    if not words or not words[0].lstrip("-").isdigit():
        return "runs"
    if words[0] == "-1":
        return "is stopped outside a call"
    name, answered = names.get(int(words[0]), (f"number {words[0]}", False))
    arguments = ", ".join(words[1:7])
    return f"{name}({arguments})" + (" answered by the Sentry" if answered else "")
