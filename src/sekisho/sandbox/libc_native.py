"""The C library: the one place that declares its functions, and raw system calls.

Every wrapper raises OSError with the call's errno. Calls release the interpreter's lock, since any of them
may wait.
"""

from __future__ import annotations

import os

from sekisho.sandbox import c_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

# Numbers of x86-64 for calls that the C library of 2022 does not wrap, or wraps with changes of its own.
NR_GETDENTS: Final = 78
NR_PIVOT_ROOT: Final = 155
NR_TGKILL: Final = 234
NR_FALLOCATE: Final = 285
NR_EPOLL_CREATE1: Final = 291
NR_INOTIFY_INIT1: Final = 294
NR_PRLIMIT64: Final = 302
NR_SECCOMP: Final = 317
NR_RENAMEAT2: Final = 316
NR_SETGROUPS: Final = 116
NR_SETFSUID: Final = 122
NR_SETFSGID: Final = 123
NR_CAPSET: Final = 126
NR_MOVE_MOUNT: Final = 429
NR_OPEN_TREE: Final = 428
NR_FSOPEN: Final = 430
NR_FSCONFIG: Final = 431
NR_FSMOUNT: Final = 432
NR_PIDFD_OPEN: Final = 434
NR_CLOSE_RANGE: Final = 436
NR_OPENAT2: Final = 437
NR_PIDFD_GETFD: Final = 438
NR_MOUNT_SETATTR: Final = 442
NR_LANDLOCK_CREATE_RULESET: Final = 444
NR_LANDLOCK_ADD_RULE: Final = 445
NR_LANDLOCK_RESTRICT_SELF: Final = 446

_long: Final = c_native.c_long

_syscall: Final = c_native.function("syscall")
_syscall.argtypes = (_long,) * 7
_syscall.restype = _long

get_errno: Final = c_native.get_errno


def fail() -> OSError:
    """The error of the call that has just failed, to be raised."""
    number = c_native.get_errno()
    return OSError(number, os.strerror(number))


def syscall(  # noqa: PLR0917  what the kernel takes
    number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0
) -> int:
    """Make a system call with six integer arguments (pointers as addresses)."""
    result: int = _syscall(number, a, b, c, d, e, f)
    if result == -1:
        raise fail()
    return result


def function(name: str, *arguments: type[Any]) -> c_native.Function:
    """A function of the C library that returns an int, with the types of its arguments."""
    found = c_native.function(name)
    found.argtypes = arguments
    return found


def unconverted(name: str) -> c_native.Function:
    """A function that returns a long and takes its arguments as they are given.

    Integers must fit in 32 bits, and everything wider is given as an object of ctypes: that is what makes
    it fast.
    """
    found = c_native.function(name)
    found.restype = _long
    return found


def check(result: int) -> int:
    """The result of a call, or its error."""
    if result == -1:
        raise fail()
    return result
