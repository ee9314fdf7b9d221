"""``delete``: remove a container that has stopped, or with ``--force`` any."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import lifecycle, store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """Remove it. With --force a container that is not there is no error: engines clean up twice."""
    id, force = context.call.words[0], context.call.flag("force")
    kept = context.store
    if not os.path.isdir(kept.folder(id)):
        if force:
            return 0
        raise store.missing(id)
    lock = kept.lock(id)
    try:
        try:
            record = kept.load(id)
        except SandboxError:
            if not force:
                raise
            kept.remove(id)
            return 0
        status = kept.status(record)
        if status == store.PAUSED and force:
            from sekisho.sandbox.oci_runtime.groups import Group

            Group(record.cgroup).freeze(frozen=False)
        if status != store.STOPPED and not force:
            raise SandboxError(
                "SBX119", f"cannot delete container {id}: it is {status}", "kill it first, or use --force"
            )
        if status != store.STOPPED:
            lifecycle.kill(record)
        lifecycle.remove(context, record)
    finally:
        os.close(lock)
    return 0
