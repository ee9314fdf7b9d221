"""``tar``: what a container wrote over its root, as an archive."""

from __future__ import annotations

import os
import sys

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime.options import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


def command(context: Context) -> int:
    """The kind is ``rootfs-upper``, as runsc's; deleted files are in it as the overlay marks them."""
    kind, id = context.call.words
    if kind != "rootfs-upper":
        raise usage(f"the kind is rootfs-upper, not {kind}")
    record = context.store.load(id)
    if not record.upper:
        raise SandboxError(
            "SBX121",
            f"container {id} writes into its root itself, so nothing is kept apart",
            f"what it changed is in {record.rootfs}",
        )
    import tarfile

    name = context.call.text("file")
    out = os.fdopen(os.open(name, CREATE, 0o600) if name else os.dup(sys.stdout.fileno()), "wb")
    with out, tarfile.open(fileobj=out, mode="w|") as archive:
        archive.add(f"{record.upper}/upper", arcname=".")
    return 0
