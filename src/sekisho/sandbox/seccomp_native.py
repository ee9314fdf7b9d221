"""Loading a filter. The notifications themselves need nothing but ``fcntl.ioctl``."""

from __future__ import annotations

import errno

from sekisho.sandbox import c_native
from sekisho.sandbox.abi.flags import (
    SECCOMP_FILTER_FLAG_NEW_LISTENER,
    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
    SECCOMP_SET_MODE_FILTER,
)
from sekisho.sandbox.libc_native import NR_SECCOMP, syscall

INSTRUCTION = 8
"""Bytes of one instruction of BPF."""


class _Program(c_native.Structure):
    _fields_ = (("count", c_native.c_ushort), ("at", c_native.c_void_p))


def _load(program: bytes, flags: int) -> int:
    code = c_native.create_string_buffer(program, len(program))
    head = _Program(len(program) // INSTRUCTION, c_native.addressof(code))
    return syscall(NR_SECCOMP, SECCOMP_SET_MODE_FILTER, flags, c_native.addressof(head))


def load(program: bytes) -> None:
    """Put a filter on this thread, and on what it starts from now on."""
    _load(program, 0)


def load_with_listener(program: bytes) -> int:
    """Put a filter on this thread whose notifications arrive at the descriptor that is returned.

    Signals that arrive while the supervisor works on a call wait until it is done, where the kernel can do
    that (5.19); a call is then done once, or not at all.
    """
    try:
        return _load(program, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return _load(program, SECCOMP_FILTER_FLAG_NEW_LISTENER)
