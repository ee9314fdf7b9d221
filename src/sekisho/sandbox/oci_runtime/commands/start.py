"""``start``: run the program of a container that was made."""

from __future__ import annotations

import os

from sekisho.sandbox.oci_runtime import lifecycle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """Open its gate."""
    id = context.call.words[0]
    lock = context.store.lock(id)
    try:
        lifecycle.start(context.store, context.store.load(id))
    finally:
        os.close(lock)
    return 0
