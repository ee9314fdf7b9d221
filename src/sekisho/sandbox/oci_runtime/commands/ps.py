"""``ps``: the processes of a container, by their ids on the host."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import processes, store, text
from sekisho.sandbox.oci_runtime.options import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """JSON: a list of ids; a table: id, id inside, program."""
    record = context.store.load(context.call.words[0])
    if context.store.status(record) == store.STOPPED:
        raise SandboxError("SBX119", f"container not running: {record.id} is stopped")
    pids = processes.of(record)
    form = context.call.text("format", "table")
    if form == "json":
        context.out(text.write(pids))
    elif form == "table":
        context.out(f"{'PID':>8} {'INSIDE':>8} COMMAND")
        for pid in pids:
            context.out(f"{pid:8} {processes.inner_id(pid):8} {_command(pid)}")
    else:
        raise usage(f"--format is table or json, not {form}")
    return 0


def _command(pid: int) -> str:
    try:
        fd = os.open(f"/proc/{pid}/cmdline", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        words = os.read(fd, 4096)
    finally:
        os.close(fd)
    shown = words.replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in shown)
