"""``kill``: send a signal to a container's program, or to every process of it."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import processes, store
from sekisho.sandbox.oci_runtime.options import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from sekisho.sandbox.oci_runtime.main import Context
    from sekisho.sandbox.oci_runtime.store import Record
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

MOST = 64


def number_of(name: str) -> int:
    """The number of a signal by number or name, with or without SIG. SBX110."""
    if name.isdigit():
        number = int(name)
    else:
        found = getattr(signal, f"SIG{name.upper().removeprefix('SIG')}", None)
        if not isinstance(found, int):
            raise usage(f"unknown signal {name!r}")
        number = found
    if not 0 <= number <= MOST:
        raise usage(f"unknown signal {name!r}")
    return number


def command(context: Context) -> int:
    """Send it. Only a container that was created or runs gets signals."""
    words = context.call.words
    record = context.store.load(words[0])
    number = number_of(words[1] if len(words) > 1 else "TERM")
    status = context.store.status(record)
    if context.call.flag("all"):
        for pid in processes.of(record):
            _send(pid, number)
        return 0
    if status == store.STOPPED:
        raise SandboxError("SBX119", f"container not running: {record.id} is stopped")
    if context.call.text("pid"):
        _send(_inside(record, context.call.text("pid")), number)
        return 0
    if not store.is_alive(record.init, record.init_began):
        raise SandboxError("SBX119", "process already finished")
    _send(record.init, number)
    return 0


def _inside(record: Record, text: str) -> int:
    """The process that has this id inside, as it is outside."""
    for pid in processes.of(record):
        if text.isdigit() and processes.inner_id(pid) == int(text):
            return pid
    raise SandboxError("SBX119", f"no such process: {text} in container {record.id}")


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended meanwhile
