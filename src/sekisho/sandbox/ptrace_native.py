"""ptrace(2), as a tracer of whole programs needs it."""

from __future__ import annotations

import errno
from _struct import Struct

from sekisho.sandbox import c_native
from sekisho.sandbox.libc_native import syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NR_PTRACE: Final = 101
TO_CALL, EVENT_MESSAGE, SEIZE, INTERRUPT, LISTEN, CALL_INFO = 24, 0x4201, 0x4206, 0x4207, 0x4208, 0x420E
SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL = 1, 2, 4, 8, 16, 1 << 20
INFO: Final = Struct("=B3xIQQ7Q")
"""struct ptrace_syscall_info: what, architecture, where; the call's number and arguments, or its result."""
ENTRY, EXIT = 1, 2


def seize(pid: int) -> None:
    """Stop a process and trace it, and all that it will start; they are ended when the tracer is."""
    syscall(NR_PTRACE, SEIZE, pid, 0, SYSGOOD | FORK | VFORK | CLONE | EXEC | EXITKILL)
    syscall(NR_PTRACE, INTERRUPT, pid)


def resume(tid: int, signal: int = 0) -> None:
    """Let a stopped thread go on, with a signal, to the next beginning or end of a call."""
    _try(TO_CALL, tid, signal)


def listen(tid: int) -> None:
    """Leave a thread that was stopped by a signal as it is, and hear what becomes of it."""
    _try(LISTEN, tid, 0)


def _try(request: int, tid: int, data: int) -> None:
    try:
        syscall(NR_PTRACE, request, tid, 0, data)
    except OSError as error:
        if error.errno != errno.ESRCH:  # it was killed meanwhile
            raise


def call_info(tid: int) -> tuple[int, tuple[int, ...]]:
    """What a thread stopped at: ``ENTRY`` with number and arguments, ``EXIT`` with the result first."""
    buffer = c_native.create_string_buffer(INFO.size)
    syscall(NR_PTRACE, CALL_INFO, tid, INFO.size, c_native.addressof(buffer))
    what, _arch, _ip, _sp, *rest = INFO.unpack(buffer.raw)
    return what, tuple(rest)


def event_message(tid: int) -> int:
    """Of a thread that has just started another: that one's id."""
    buffer = c_native.create_string_buffer(8)
    syscall(NR_PTRACE, EVENT_MESSAGE, tid, 0, c_native.addressof(buffer))
    return int.from_bytes(buffer.raw, "little")
