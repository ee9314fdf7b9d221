"""Users, groups and capabilities: the kernel's own, in the sandbox's user namespace.

The Sentry only wants to know when a process becomes somebody else, for it reaches files in that process's
stead. Where the sandbox's processes may not (they hold neither CAP_SETUID nor CAP_SETGID), nothing changes
and it need not ask.
"""

from __future__ import annotations

from _struct import Struct

from sekisho.sandbox.probe.filtered import capabilities
from sekisho.sandbox.sentry import task
from sekisho.sandbox.sentry.call import CONTINUE, Call, Result

HEADER = Struct("=Ii")
DATA = Struct("=III")
WORDS = {0x1998_0330: 1, 0x2007_1026: 2, 0x2008_0522: 2}
"""By the version of the interface: how many words of 32 bits each set has."""


def _asks(_call: Call) -> Result:
    return CONTINUE


def _becomes(call: Call) -> Result:
    call.kernel.identity_changes()
    return CONTINUE


getuid = geteuid = getresuid = getgid = getegid = getresgid = getgroups = _asks
setuid = setreuid = setresuid = setfsuid = setgid = setregid = setresgid = setfsgid = setgroups = _becomes
capset = _becomes


def capget(call: Call) -> Result:
    """capget(header, data): the kernel's own, or what the configuration says to one that changed nothing."""
    world = call.kernel.world()
    version, process = HEADER.unpack(call.read(call.args[0], HEADER.size))
    if not any(world.capabilities) or process or version not in WORDS or not call.args[1]:
        return CONTINUE
    if capabilities(task.status(call.tid))[1] != world.held:
        return CONTINUE
    inheritable, permitted, effective, *_ = world.capabilities
    for word in range(WORDS[version]):
        bits = (part >> 32 * word & 0xFFFF_FFFF for part in (effective, permitted, inheritable))
        call.write(call.args[1] + word * DATA.size, DATA.pack(*bits))
    return 0
