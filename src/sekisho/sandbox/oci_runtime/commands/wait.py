"""``wait``: wait for the end of a container, and print how it ended."""

from __future__ import annotations

import os
import select
import time

from sekisho.sandbox.oci_runtime import store, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context

PAUSE = 0.05


def command(context: Context) -> int:
    """Only the process that adopted the Sentry knows its exit status; others learn that it ended."""
    record = context.store.load(context.call.words[0])
    try:
        pidfd = os.pidfd_open(record.pid)
    except ProcessLookupError:
        pidfd = -1
    if pidfd >= 0 and store.is_alive(record.pid, record.began):
        select.select([pidfd], [], [])
    while store.is_alive(record.pid, record.began):
        time.sleep(PAUSE)
    context.out(text.write({"id": record.id, "status": store.STOPPED}))
    return 0
