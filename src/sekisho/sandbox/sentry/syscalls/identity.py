"""Users, groups and capabilities: the kernel's own, in the sandbox's user namespace.

The Sentry only wants to know when a process becomes somebody else, for it reaches files in that process's
stead. Where the sandbox's processes may not (they hold neither CAP_SETUID nor CAP_SETGID), nothing changes
and it need not ask.
"""

from __future__ import annotations

from sekisho.sandbox.sentry.call import CONTINUE, Call, Result


def _asks(_call: Call) -> Result:
    return CONTINUE


def _becomes(call: Call) -> Result:
    call.kernel.identity_changes()
    return CONTINUE


getuid = geteuid = getresuid = getgid = getegid = getresgid = getgroups = capget = _asks
setuid = setreuid = setresuid = setfsuid = setgid = setregid = setresgid = setfsgid = setgroups = _becomes
capset = _becomes
