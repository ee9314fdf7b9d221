"""What the process that makes connections may ask of the host's kernel: sockets, and no file."""

from __future__ import annotations

from errno import EPERM
from typing import Final

from sekisho.sandbox.table.bpf import RET_ERRNO, encode
from sekisho.sandbox.table.build import assemble
from sekisho.sandbox.table.model import PLAIN, Treatment, checked, one_of, within
from sekisho.sandbox.table.table import by_name

_DATA: Final = {"PROT_READ": 1, "PROT_WRITE": 2}
_RUNTIME: Final = "the interpreter"

ROWS: Final[dict[str, tuple[Treatment, str]]] = {
    **dict.fromkeys(
        (
            "close", "munmap", "brk", "mremap", "madvise", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
            "restart_syscall", "futex", "getpid", "exit", "exit_group", "clock_gettime", "getrandom", "poll",
        ),
        (PLAIN, _RUNTIME),
    ),
    "write": (PLAIN, "events"),
    "mmap": (checked(within(2, "prot", _DATA, width=64), errno=EPERM), "data, never code"),
    "mprotect": (checked(within(2, "prot", _DATA, width=64), errno=EPERM), "data, never code"),
    "socket": (
        checked(one_of(0, "family", {"AF_INET": 2, "AF_INET6": 10}), errno=EPERM),
        "what the workload is connected with",
    ),
    "ioctl": (checked(one_of(1, "cmd", {"FIONBIO": 0x5421}), errno=EPERM), "sockets that do not wait"),
    **dict.fromkeys(
        (
            "connect", "bind", "getsockname", "getsockopt", "setsockopt", "sendto", "sendmsg", "recvfrom",
            "recvmsg",
        ),
        (PLAIN, "connections, the name servers, the link to the Sentry"),
    ),
}  # fmt: skip
"""Treatment and reason by name; whatever is not here fails with EPERM."""


def connector_filter() -> bytes:
    """The filter: an array of ``struct sock_filter``. 32-bit and x32 entry kill the process."""
    treatments = {by_name(name).number: treatment for name, (treatment, _) in ROWS.items()}
    return encode(assemble(treatments, unknown=RET_ERRNO | EPERM))
