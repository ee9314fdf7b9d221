"""``run``: create and start a container, and unless ``--detach`` wait for its end."""

from __future__ import annotations

import os

from sekisho.sandbox.oci_runtime import lifecycle
from sekisho.sandbox.spawn.session import attend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """The exit status is the program's, or 128 and more for a signal."""
    record, running = lifecycle.create(context, context.call.words[0])
    try:
        if os.path.exists(context.store.gate(record.id)):
            lifecycle.start(context.store, record)
    except BaseException:
        lifecycle.kill(record)
        lifecycle.remove(context, record)
        raise
    if context.call.flag("detach"):
        return 0
    attend(running)
    status = running.wait()
    if not context.call.flag("keep"):
        lifecycle.remove(context, record)
    return os.waitstatus_to_exitcode(status) if not status & 0x7F else 128 + (status & 0x7F)
