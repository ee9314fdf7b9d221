"""``pause`` and ``resume``: stop every process of a container, and let them go on."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import store
from sekisho.sandbox.oci_runtime.groups import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """Only what runs can be paused, only what is paused goes on."""
    id, pause = context.call.words[0], context.call.command == "pause"
    lock = context.store.lock(id)
    try:
        record = context.store.load(id)
        status = context.store.status(record)
        if status not in ((store.RUNNING, store.CREATED) if pause else (store.PAUSED,)):
            raise SandboxError("SBX119", f"cannot {context.call.command} container {id}: it is {status}")
        Group(record.cgroup).freeze(frozen=pause)
    finally:
        os.close(lock)
    return 0
