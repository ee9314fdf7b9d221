"""What the Sentry itself may ask of the host's kernel, once it has shed its start: the second filter.

The Sentry is the part that hostile input reaches. Whoever takes it over must not gain the rest of the kernel.
Everything it imports is loaded before the filter, so that no code can be mapped after it.
"""

from __future__ import annotations

from errno import ENOSYS, EPERM
from typing import Final

from sekisho.sandbox.table.bpf import RET_ERRNO, encode
from sekisho.sandbox.table.build import assemble
from sekisho.sandbox.table.model import (
    PLAIN,
    Klass,
    Rule,
    Treatment,
    all_of,
    checked,
    denied,
    has,
    one_of,
    within,
    without,
)
from sekisho.sandbox.table.rows.process import CLONE
from sekisho.sandbox.table.table import by_name

_DATA: Final = {"PROT_READ": 1, "PROT_WRITE": 2}
_THREAD: Final = {"CLONE_VM": 0x100, "CLONE_SIGHAND": 0x800, "CLONE_THREAD": 0x1_0000}
_FAMILIES: Final = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}

_RUNTIME: Final = "the interpreter"
_WORK: Final = "done in the workload's stead, on objects that the Sentry resolved"

ROWS: Final[dict[str, tuple[Treatment, str]]] = {
    **dict.fromkeys(
        (
            "read", "write", "close", "fstat", "lseek", "pread64", "munmap", "brk", "rt_sigaction",
            "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "futex", "getpid", "gettid",
            "exit", "exit_group", "set_robust_list", "rseq", "clock_gettime", "clock_nanosleep", "getrandom",
            "sched_yield", "mremap", "madvise", "poll", "ppoll", "writev",
        ),
        (PLAIN, _RUNTIME),
    ),
    "mmap": (checked(within(2, "prot", _DATA, width=64), errno=EPERM), "data, never code"),
    "mprotect": (checked(within(2, "prot", _DATA, width=64), errno=EPERM), "data, never code"),
    "clone": (
        checked(
            all_of(has(0, "flags", _THREAD), without(0, "flags", CLONE)), errno=EPERM
        ),
        "threads for calls that block; never a process",
    ),
    "unshare": (
        checked(one_of(0, "flags", {"CLONE_FS": 0x200}, width=64), errno=EPERM),
        "a working directory and umask for each thread",
    ),
    **dict.fromkeys(("fchdir", "wait4"), (PLAIN, "the thread's own directory; the end of process 1")),
    **dict.fromkeys(
        ("ioctl", "pidfd_open", "pidfd_getfd", "process_vm_readv", "process_vm_writev", "kill", "tgkill"),
        (PLAIN, "receives and answers notifications, copies memory and descriptors of the workload"),
    ),
    **dict.fromkeys(
        (
            "openat", "openat2", "newfstatat", "statx", "readlink", "readlinkat", "faccessat", "faccessat2",
            "getdents64", "getdents", "fstatfs", "mkdirat", "mknodat", "unlinkat", "renameat2",
            "linkat", "symlinkat", "fchmodat", "fchownat", "utimensat", "fchmod", "fchown", "ftruncate",
            "fallocate", "fsync", "fdatasync", "syncfs", "pwrite64", "getxattr", "listxattr",
            "setxattr", "removexattr", "inotify_init1",
            "inotify_add_watch", "inotify_rm_watch", "memfd_create", "umask", "capset", "setfsuid",
            "setfsgid", "setgroups",
        ),
        (PLAIN, _WORK),
    ),
    **dict.fromkeys(
        (
            "connect", "bind", "listen", "getsockname", "getsockopt", "setsockopt", "sendto",
            "sendmsg", "recvfrom", "recvmsg",
        ),
        (PLAIN, "sockets of the workload, and the Sentry's own channel"),
    ),
    "socket": (checked(one_of(0, "family", _FAMILIES), errno=EPERM), "the families of the workload"),
    "socketpair": (checked(one_of(0, "family", {"AF_UNIX": 1}), errno=EPERM), "netlink replies"),
    **dict.fromkeys(
        (
            "fcntl", "dup", "dup3", "pipe2", "eventfd2", "epoll_create1", "epoll_ctl", "epoll_wait",
            "prlimit64",
        ),
        (PLAIN, _WORK),
    ),
}  # fmt: skip
"""Treatment and reason by name; whatever is not here fails with EPERM."""


def supervisor_filter() -> bytes:
    """The Sentry's own filter: an array of ``struct sock_filter``. 32-bit and x32 entry kill the process."""
    treatments = {by_name(name).number: treatment for name, (treatment, _) in ROWS.items()}
    treatments[by_name("clone3").number] = denied(ENOSYS)  # so that the C library starts threads by clone
    return encode(assemble(treatments, unknown=RET_ERRNO | EPERM))


def rule_of(name: str) -> Rule | None:
    """The argument rule of one of the Sentry's calls."""
    treatment, _ = ROWS[name]
    assert treatment.klass in (Klass.PLAIN, Klass.CHECKED)
    return treatment.rule
