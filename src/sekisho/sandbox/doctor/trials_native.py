"""Trials: ask the kernel by doing, in a child that ends at once."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

NR_SECCOMP: Final = 317
NR_LANDLOCK_CREATE_RULESET: Final = 444
SECCOMP_SET_MODE_FILTER: Final = 1
NEW_LISTENER: Final = 1 << 3
WAIT_KILLABLE_RECV: Final = 1 << 5
PR_SET_NO_NEW_PRIVS: Final = 38
CLONE_NEWNS: Final = 0x0002_0000
CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWPID: Final = 0x2000_0000
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18

_ALLOW_ALL: Final = struct.pack("=HBBI", 6, 0, 0, 0x7FFF_0000)
_PROGRAM: Final = struct.Struct("HxxxxxxP")


def _error(result: int) -> int:
    return 0 if result >= 0 else ctypes.get_errno()


def error_of(number: int) -> int:
    """The error of a call made with arguments that mean nothing: ENOSYS if it is missing or hidden."""
    nowhere = ctypes.c_long(-1)
    return _error(_libc.syscall(ctypes.c_long(number), nowhere, nowhere, nowhere, nowhere, nowhere, nowhere))


def supports_killable() -> bool:
    """Whether a notified call can be made deaf to signals (5.19): a filter at address 0 with that flag is a
    bad address where the flag is known, and a bad flag where it is not.
    """
    flags = NEW_LISTENER | WAIT_KILLABLE_RECV
    return _error(_libc.syscall(NR_SECCOMP, SECCOMP_SET_MODE_FILTER, flags, None)) == errno.EFAULT


def landlock_abi() -> int:
    """The version of Landlock, 0 without it."""
    return max(0, int(_libc.syscall(NR_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def trials() -> dict[str, int]:
    """Error numbers of what the making of a sandbox does; see ``Facts``."""
    tries = {"listener": _listener, "user": _user, "tree": _tree, "proc": _proc, "overlay": _overlay}
    return {name: _in_child(trial) for name, trial in tries.items()}


def _in_child(trial: Callable[[], int]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(min(trial(), 255))
        finally:
            os._exit(errno.EIO)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else errno.EIO


def _listener() -> int:
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    code = ctypes.create_string_buffer(_ALLOW_ALL)
    head = ctypes.create_string_buffer(_PROGRAM.pack(1, ctypes.addressof(code)))
    return _error(_libc.syscall(NR_SECCOMP, SECCOMP_SET_MODE_FILTER, NEW_LISTENER, head))


def _user() -> int:
    return _error(_libc.unshare(CLONE_NEWUSER))


def _tree() -> int:
    flags = CLONE_NEWNS if os.geteuid() == 0 else CLONE_NEWNS | CLONE_NEWUSER
    failed = _error(_libc.unshare(flags))
    return failed or _error(_libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None))


def _proc() -> int:
    failed = _tree()
    if failed:
        return failed
    failed = _error(_libc.unshare(CLONE_NEWPID))
    return failed or _in_child(
        lambda: _error(_libc.mount(b"proc", b"/proc", b"proc", ctypes.c_ulong(0), None))
    )


def _overlay() -> int:
    failed = _tree()
    if failed:
        return failed
    stage = tempfile.gettempdir().encode()
    failed = _error(_libc.mount(b"tmpfs", stage, b"tmpfs", ctypes.c_ulong(0), None))
    if failed:
        return failed
    for name in ("lower", "upper", "work", "root"):
        Path(os.fsdecode(stage), name).mkdir()
    options = b"lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work" % (stage, stage, stage)
    options += b"" if os.geteuid() == 0 else b",userxattr"
    return _error(_libc.mount(b"overlay", stage + b"/root", b"overlay", ctypes.c_ulong(0), options))
