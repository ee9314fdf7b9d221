"""Programs, limits, scheduling, and what a process may set about itself."""

from __future__ import annotations

import errno
from _struct import Struct

from sekisho.sandbox import process_native
from sekisho.sandbox.sentry import task
from sekisho.sandbox.sentry.call import CONTINUE, Call, Errno, Result

LIMITS = Struct("=QQ")
PARAMETER = Struct("=i")
TIMESPEC = Struct("=qq")
ATTRIBUTES = Struct("=IIQiIQQQII")


def execve(call: Call) -> Result:
    """execve(path, argv, envp): the kernel's own, inside the workload's tree."""
    return _executes(call)


def execveat(call: Call) -> Result:
    """execveat(dirfd, path, argv, envp, flags): likewise."""
    return _executes(call)


def _executes(call: Call) -> Result:
    call.kernel.server.settle(call)  # a file that is open for writing cannot be executed
    return CONTINUE


def umask(call: Call) -> Result:
    """umask(mask): the kernel keeps it; from the first change on the Sentry asks for it."""
    if call.args[0] & 0o777 != call.kernel.umask:
        call.kernel.umask_known = False
    return CONTINUE


# limits


def getrlimit(call: Call) -> Result:
    """getrlimit(resource, limits)."""
    call.write(call.args[1], LIMITS.pack(*process_native.limits(call.tid, call.signed(0))))
    return 0


def setrlimit(call: Call) -> Result:
    """setrlimit(resource, limits)."""
    _set_limits(call, call.tid, call.signed(0), call.args[1])
    return 0


def prlimit64(call: Call) -> Result:
    """prlimit64(pid, resource, new, old)."""
    who = task.outer(call, call.signed(0))
    old = process_native.limits(who, call.signed(1))
    if call.args[2]:
        _set_limits(call, who, call.signed(1), call.args[2])
    if call.args[3]:
        call.write(call.args[3], LIMITS.pack(*old))
    return 0


def _set_limits(call: Call, who: int, resource: int, address: int) -> None:
    soft, hard = LIMITS.unpack(call.read(address, LIMITS.size))
    if soft > hard:
        raise Errno(errno.EINVAL)
    call.valid()
    if resource == RLIMIT_CORE:
        return  # there are no core files, whatever the limit is said to be
    process_native.set_limits(who, resource, soft, hard)


RLIMIT_CORE = 4

# scheduling: one policy


def getpriority(_call: Call) -> Result:
    """getpriority(which, who): decided by the kernel, from registers."""
    return CONTINUE


def setpriority(call: Call) -> Result:
    """setpriority(which, who, nice): never above the others."""
    return CONTINUE if call.signed(2) >= 0 else _refuse()


def _refuse() -> Result:
    raise Errno(errno.EACCES)


OTHER, FIFO, ROUND_ROBIN, BATCH, IDLE = 0, 1, 2, 3, 5
FAIR = frozenset((OTHER, BATCH, IDLE))
REAL_TIME = frozenset((FIFO, ROUND_ROBIN))


def sched_setparam(call: Call) -> Result:
    """sched_setparam(pid, parameter)."""
    return _fair(call, OTHER, call.args[1])


def sched_setscheduler(call: Call) -> Result:
    """sched_setscheduler(pid, policy, parameter)."""
    return _fair(call, call.signed(1) & 0xFFFF, call.args[2])


def _fair(call: Call, policy: int, address: int) -> Result:
    (priority,) = PARAMETER.unpack(call.read(address, PARAMETER.size))
    if policy in REAL_TIME:
        raise Errno(errno.EPERM)
    if policy not in FAIR or priority:
        raise Errno(errno.EINVAL)
    return 0


def sched_getparam(call: Call) -> Result:
    """sched_getparam(pid, parameter)."""
    call.write(call.args[1], PARAMETER.pack(0))
    return 0


def sched_getscheduler(call: Call) -> Result:
    """sched_getscheduler(pid)."""
    if call.signed(0) < 0:
        raise Errno(errno.EINVAL)
    return OTHER


def sched_get_priority_max(call: Call) -> Result:
    """sched_get_priority_max(policy)."""
    return _priority(call.signed(0), 99)


def sched_get_priority_min(call: Call) -> Result:
    """sched_get_priority_min(policy)."""
    return _priority(call.signed(0), 1)


def _priority(policy: int, value: int) -> int:
    if policy in REAL_TIME:
        return value
    if policy in FAIR:
        return 0
    raise Errno(errno.EINVAL)


def sched_rr_get_interval(call: Call) -> Result:
    """sched_rr_get_interval(pid, interval)."""
    call.write(call.args[1], TIMESPEC.pack(0, 4_000_000))
    return 0


def sched_setaffinity(_call: Call) -> Result:
    """sched_setaffinity(pid, size, mask): within the sandbox's processors, by the kernel."""
    return CONTINUE


def sched_getaffinity(_call: Call) -> Result:
    """sched_getaffinity(pid, size, mask)."""
    return CONTINUE


def sched_setattr(call: Call) -> Result:
    """sched_setattr(pid, attributes, flags)."""
    _size, policy, *_rest = ATTRIBUTES.unpack(call.read(call.args[1], ATTRIBUTES.size))
    if policy not in FAIR:
        raise Errno(errno.EPERM)
    return 0


def sched_getattr(call: Call) -> Result:
    """sched_getattr(pid, attributes, size, flags)."""
    size = call.args[2] & 0xFFFF_FFFF
    if size < 48 or size > 4096:
        raise Errno(errno.EINVAL)
    data = ATTRIBUTES.pack(min(size, ATTRIBUTES.size), OTHER, 0, 0, 0, 0, 0, 0, 0, 1024)
    call.write(call.args[1], data[:size])
    return 0


# what a process sets about itself


def personality(call: Call) -> Result:
    """personality(persona): none that lets more be executed, or mapped at lower places."""
    persona = call.args[0] & 0xFFFF_FFFF
    if persona != ASK and persona & ~HARMLESS not in PERSONALITIES:
        raise Errno(errno.EINVAL)
    return CONTINUE


ASK = 0xFFFF_FFFF
PERSONALITIES = frozenset((0, 6))
"""PER_LINUX, PER_BSD."""
HARMLESS = 0x0706_0000
"""UNAME26, SHORT_INODE, WHOLE_SECONDS, STICKY_TIMEOUTS, and ADDR_NO_RANDOMIZE, the caller's own risk."""


def prctl(call: Call) -> Result:
    """prctl(option, ...): the options that the filter does not let through."""
    option = call.signed(0)
    if option == PR_SET_PDEATHSIG:
        # Process 1 dies with the Sentry, whatever it says.
        return 0 if task.process_of(call) == call.kernel.init else CONTINUE
    if option == PR_GET_NO_NEW_PRIVS:
        return int(call.kernel.shows_no_new_privileges())
    if option == PR_SET_NO_NEW_PRIVS:
        call.kernel.no_new_privileges()
        return CONTINUE
    if option == PR_SET_DUMPABLE and call.args[1] in (0, 1):
        return CONTINUE
    if option == PR_SET_SECCOMP and call.args[1] == SECCOMP_MODE_FILTER:
        return CONTINUE
    if option in OF_CAPABILITIES:
        return CONTINUE
    if option in _ANSWERS:
        answer = _ANSWERS[option]
        if answer < 0:
            raise Errno(-answer)
        return answer
    raise Errno(errno.EINVAL)


PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP = 1, 4, 22
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39
SECCOMP_MODE_FILTER = 2
OF_CAPABILITIES = frozenset((8, 24, 27, 28, 47))
"""SET_KEEPCAPS, CAPBSET_DROP, GET_SECUREBITS, SET_SECUREBITS, CAP_AMBIENT: numbers, and what is held
decides.
"""

_ANSWERS = {
    33: 0,  # MCE_KILL
    35: -errno.EPERM,  # SET_MM
    0x59616D61: 0,  # SET_PTRACER: nobody traces
}


def seccomp(call: Call) -> Result:
    """seccomp(operation, flags, arguments): a filter on top of ours can only deny more."""
    operation, flags = call.args[0] & 0xFFFF_FFFF, call.args[1]
    if operation == SET_MODE_FILTER:
        if flags & NEW_LISTENER:
            raise Errno(errno.EBUSY)
        return CONTINUE
    if operation == GET_ACTION_AVAIL:
        return CONTINUE
    raise Errno(errno.EINVAL)


SET_MODE_FILTER, GET_ACTION_AVAIL = 1, 2
NEW_LISTENER = 1 << 3
