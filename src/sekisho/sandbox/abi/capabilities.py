"""Capabilities by number (linux/capability.h), and which of them a workload may hold."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

NAMES: Final = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip

CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, SYS_PTRACE = 0, 1, 3, 4, 5, 6, 7, 8, 19
NET_BIND_SERVICE: Final = 10

ON_FILES: Final = frozenset((CHOWN, DAC_OVERRIDE, FOWNER, FSETID))
ON_IDS: Final = frozenset((SETGID, SETUID))

HELD: Final = ON_FILES | ON_IDS | {KILL}
"""What a workload may hold, in its own user namespace: rights over files of its own tree, over its own ids,
and over its own processes. Everything else opens code of the kernel that a sandbox keeps shut.
"""


def held(names: Iterable[str]) -> frozenset[int]:
    """The numbers of those of these (``CAP_CHOWN``) that a workload may hold."""
    numbers = {f"CAP_{name}": number for number, name in enumerate(NAMES)}
    return frozenset(numbers[name] for name in names if name in numbers) & HELD
