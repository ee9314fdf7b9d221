"""``create``: make a container whose program waits for ``start``."""

from __future__ import annotations

from sekisho.sandbox.oci_runtime import lifecycle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """Make it. The Sentry goes on as a child of whoever adopts it."""
    lifecycle.create(context, context.call.words[0])
    return 0
