"""``update``: change the limits of a container."""

from __future__ import annotations

import sys

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import decode_linux, store, text
from sekisho.sandbox.oci_runtime.fields import Fields
from sekisho.sandbox.oci_runtime.groups import Group
from sekisho.sandbox.oci_runtime.options import usage
from sekisho.sandbox.spec import Limits, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context

NUMBERS = {
    "memory": "memory",
    "memory-swap": "memory_swap",
    "memory-reservation": "memory_reservation",
    "cpu-period": "cpu_period",
    "cpu-quota": "cpu_quota",
    "cpu-share": "cpu_shares",
    "pids-limit": "pids",
}
TEXTS = {"cpuset-cpus": "cpuset_cpus", "cpuset-mems": "cpuset_mems"}
IGNORED = ("kernel-memory", "kernel-memory-tcp", "blkio-weight")
"""Of a kind that the kernel has no more, or that does not bound a sandbox; engines pass them with 0."""


def command(context: Context) -> int:
    """From flags, or from a file (or standard input, -) of the form of ``linux.resources``."""
    record = context.store.load(context.call.words[0])
    if context.store.status(record) == store.STOPPED:
        raise SandboxError("SBX119", f"container not running: {record.id} is stopped")
    limits = _limits(context)
    if limits == Limits():
        return 0
    group = Group(record.cgroup)
    if not group.doors():
        raise SandboxError("SBX116", f"container {record.id} has no cgroup")
    group.change(limits)
    return 0


def _limits(context: Context) -> Limits:
    call = context.call
    resources = call.text("resources")
    if resources:
        value = (
            text.parse(sys.stdin.read(), "standard input") if resources == "-" else text.parse_file(resources)
        )
        return decode_linux.decode_limits(Fields(value, "resources"))
    changes: dict[str, object] = {}
    for flag in call.flags:
        given = call.text(flag)
        if flag in TEXTS:
            changes[TEXTS[flag]] = given
        elif flag in NUMBERS:
            if not given.lstrip("-").isdigit():
                raise usage(f"--{flag} is a number, not {given!r}")
            if int(given):
                changes[NUMBERS[flag]] = int(given)
        elif flag not in IGNORED:
            raise SandboxError("SBX121", f"--{flag} is not supported by sandboxes")
    return replace(Limits(), **changes)
