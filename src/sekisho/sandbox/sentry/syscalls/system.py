"""The machine, as the sandbox shows it."""

from __future__ import annotations

import time
from _struct import Struct

from sekisho.sandbox.sentry.call import Call, Result

NAME = 65
SYSINFO = Struct("=q3Q6QH6xQQI4x")
"""struct sysinfo: uptime, loads, total, free, shared, buffer, swap, free swap, processes, high, free high,
unit.
"""


def uname(call: Call) -> Result:
    """uname(buffer): the sandbox's name, and a kernel that is ours."""
    kernel = call.kernel
    fields = (
        b"Linux",
        kernel.hostname,
        kernel.release,
        kernel.version,
        b"x86_64",
        kernel.domainname or b"(none)",
    )
    call.write(call.args[0], b"".join(field[: NAME - 1].ljust(NAME, b"\0") for field in fields))
    return 0


def sysinfo(call: Call) -> Result:
    """sysinfo(buffer): the sandbox's age and memory."""
    kernel = call.kernel
    age = int(time.monotonic() - kernel.started) + 1
    total = kernel.memory
    values = (age, 0, 0, 0, total, total // 2, 0, 0, 0, 0, 1, 0, 0, 1)
    call.write(call.args[0], SYSINFO.pack(*values))
    return 0
