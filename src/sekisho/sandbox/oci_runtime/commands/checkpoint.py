"""``checkpoint`` and ``restore``: refused, with the reason."""

from __future__ import annotations

from sekisho.sandbox.errors import SandboxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """A sandbox's processes are the host kernel's own, which nobody can save from outside."""
    raise SandboxError(
        "SBX126",
        f"{context.call.command} is not supported: the processes of a sandbox run on the host's kernel, "
        "which keeps their memory, timers and sockets where the Sentry cannot save them",
        "keep what must outlive the container in a mount; tar saves what was written over the root",
    )
