"""``events``: figures of a container, once or again and again, and a line when memory ran out."""

from __future__ import annotations

import sys
import time

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import figures, store, text
from sekisho.sandbox.oci_runtime.groups import Group
from sekisho.sandbox.oci_runtime.options import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def command(context: Context) -> int:
    """Until the container ends; with --stats once."""
    record = context.store.load(context.call.words[0])
    if context.store.status(record) == store.STOPPED:
        raise SandboxError("SBX119", f"container not running: {record.id} is stopped")
    interval = _seconds(context.call.text("interval", "5s"))
    group = Group(record.cgroup)
    ended = figures.out_of_memory(group)
    while True:
        context.out(text.write({"type": "stats", "id": record.id, "data": figures.stats(group)}))
        sys.stdout.flush()
        if context.call.flag("stats"):
            return 0
        time.sleep(interval)
        if context.store.status(record) == store.STOPPED:
            return 0
        now = figures.out_of_memory(group)
        if now > ended:
            ended = now
            context.out(text.write({"type": "oom", "id": record.id}))


def _seconds(given: str) -> float:
    unit = next((unit for unit in UNITS if given.endswith(unit) and given.removesuffix(unit).isdigit()), "")
    if not unit or given.startswith("0"):
        raise usage(f"--interval is a time such as 5s, not {given}")
    return int(given.removesuffix(unit)) * UNITS[unit]
