"""The machine, as the sandbox shows it."""

from __future__ import annotations

from _struct import Struct

from sekisho.sandbox.sentry.call import Call, Result

NAME = 65
SYSINFO = Struct("=q3Q6QH6xQQI4x")
"""struct sysinfo: uptime, loads, total, free, shared, buffer, swap, free swap, processes, high, free high,
unit.
"""


def uname(call: Call) -> Result:
    """uname(buffer): the sandbox's name, and a kernel that is ours."""
    world = call.kernel.world()
    texts = ("Linux", world.hostname, world.release, world.version, "x86_64", world.domainname or "(none)")
    fields = [text.encode()[: NAME - 1].ljust(NAME, b"\0") for text in texts]
    call.write(call.args[0], b"".join(fields))
    return 0


def sysinfo(call: Call) -> Result:
    """sysinfo(buffer): the sandbox's age and memory."""
    world = call.kernel.world()
    free = max(0, world.memory - world.used)
    values = (
        int(world.age) + 1,
        0,
        0,
        0,
        world.memory,
        free,
        0,
        0,
        world.swap,
        world.swap,
        world.tasks,
        0,
        0,
        1,
    )
    call.write(call.args[0], SYSINFO.pack(*values))
    return 0
