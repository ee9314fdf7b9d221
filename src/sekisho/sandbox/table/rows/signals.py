"""Signals, inside the sandbox's own process-id namespace."""

from __future__ import annotations

from errno import ENOSYS
from typing import Final

from sekisho.sandbox.table.model import PLAIN, Row, call, denied

_OWN: Final = "the caller's own handlers and masks"
_SENDS: Final = "numbers only; the process-id namespace holds nothing but the sandbox"

ROWS: Final[tuple[Row, ...]] = (
    call(13, "rt_sigaction", PLAIN, _OWN),
    call(14, "rt_sigprocmask", PLAIN, _OWN),
    call(15, "rt_sigreturn", PLAIN, "the end of a handler"),
    call(34, "pause", PLAIN, _OWN),
    call(62, "kill", PLAIN, _SENDS),
    call(127, "rt_sigpending", PLAIN, _OWN),
    call(128, "rt_sigtimedwait", PLAIN, _OWN),
    call(129, "rt_sigqueueinfo", denied(ENOSYS), "a value sent with a signal; few programs do"),
    call(130, "rt_sigsuspend", PLAIN, _OWN),
    call(131, "sigaltstack", PLAIN, _OWN),
    call(200, "tkill", PLAIN, _SENDS),
    call(219, "restart_syscall", PLAIN, "the kernel's own way to go on after a stop"),
    call(234, "tgkill", PLAIN, _SENDS),
    call(282, "signalfd", denied(ENOSYS), "superseded by signalfd4"),
    call(289, "signalfd4", PLAIN, "reads the caller's own signals, so only the caller can make it"),
    call(297, "rt_tgsigqueueinfo", denied(ENOSYS), "a value sent to one thread; libraries do without"),
)
