"""The machine as a whole: names, figures, mounts, modules, keys, tracing."""

from __future__ import annotations

from errno import ENOSYS, EPERM
from typing import Final

from sekisho.sandbox.table.model import PLAIN, Row, call, denied, notified

_MOUNTS: Final = "the mount tree is the sandbox's; CVE-2021-4154, CVE-2022-0185 and many others"
_SPACES: Final = "namespaces open most of the kernel's privileged code to the workload"
_MACHINE: Final = "belongs to whoever owns the machine"
_GONE: Final = "not implemented by any kernel that the sandbox runs on"
_KEYS: Final = "keyrings are not namespaced; CVE-2016-0728"
_NEW: Final = "newer than the calls that libraries need"

_DENIED: Final = (
    (103, "syslog", EPERM, "the host's log"),
    (134, "uselib", ENOSYS, _GONE),
    (136, "ustat", ENOSYS, "superseded by statfs"),
    (139, "sysfs", ENOSYS, "lists the host's file systems; superseded by /proc/filesystems"),
    (153, "vhangup", EPERM, _MACHINE),
    (155, "pivot_root", EPERM, _MOUNTS),
    (156, "_sysctl", ENOSYS, _GONE),
    (163, "acct", EPERM, _MACHINE),
    (165, "mount", EPERM, _MOUNTS),
    (166, "umount2", EPERM, _MOUNTS),
    (167, "swapon", EPERM, _MACHINE),
    (168, "swapoff", EPERM, _MACHINE),
    (169, "reboot", EPERM, _MACHINE),
    (170, "sethostname", EPERM, _MACHINE),
    (171, "setdomainname", EPERM, _MACHINE),
    (172, "iopl", EPERM, "the machine's ports"),
    (173, "ioperm", EPERM, "the machine's ports"),
    (174, "create_module", ENOSYS, _GONE),
    (175, "init_module", EPERM, "code for the host's kernel"),
    (176, "delete_module", EPERM, "code for the host's kernel"),
    (177, "get_kernel_syms", ENOSYS, _GONE),
    (178, "query_module", ENOSYS, _GONE),
    (179, "quotactl", EPERM, _MACHINE),
    (180, "nfsservctl", ENOSYS, _GONE),
    (181, "getpmsg", ENOSYS, _GONE),
    (182, "putpmsg", ENOSYS, _GONE),
    (183, "afs_syscall", ENOSYS, _GONE),
    (184, "tuxcall", ENOSYS, _GONE),
    (185, "security", ENOSYS, _GONE),
    (212, "lookup_dcookie", ENOSYS, _GONE),
    (236, "vserver", ENOSYS, _GONE),
    (246, "kexec_load", ENOSYS, "a new kernel for the host"),
    (248, "add_key", EPERM, _KEYS),
    (249, "request_key", EPERM, _KEYS),
    (250, "keyctl", EPERM, _KEYS),
    (272, "unshare", EPERM, _SPACES),
    (298, "perf_event_open", EPERM, "measures the host; a long record of exploits"),
    (300, "fanotify_init", EPERM, "watches whole mounts"),
    (301, "fanotify_mark", EPERM, "watches whole mounts"),
    (308, "setns", EPERM, _SPACES),
    (313, "finit_module", EPERM, "code for the host's kernel"),
    (320, "kexec_file_load", ENOSYS, "a new kernel for the host"),
    (321, "bpf", EPERM, "programs for the host's kernel; CVE-2020-8835, CVE-2021-3490, CVE-2022-23222"),
    (428, "open_tree", EPERM, _MOUNTS),
    (429, "move_mount", EPERM, _MOUNTS),
    (430, "fsopen", EPERM, _MOUNTS),
    (431, "fsconfig", EPERM, _MOUNTS),
    (432, "fsmount", EPERM, _MOUNTS),
    (433, "fspick", EPERM, _MOUNTS),
    (442, "mount_setattr", EPERM, _MOUNTS),
    (443, "quotactl_fd", EPERM, _MACHINE),
    (457, "statmount", ENOSYS, _NEW),
    (458, "listmount", ENOSYS, _NEW),
    (459, "lsm_get_self_attr", ENOSYS, _NEW),
    (460, "lsm_set_self_attr", ENOSYS, _NEW),
    (461, "lsm_list_modules", ENOSYS, _NEW),
    (467, "open_tree_attr", EPERM, _MOUNTS),
    (470, "listns", ENOSYS, _NEW),
)

ROWS: Final[tuple[Row, ...]] = (
    call(63, "uname", notified("system.uname"), "the host's kernel and name are not shown"),
    call(99, "sysinfo", notified("system.sysinfo"), "the host's memory and load are not shown"),
    call(318, "getrandom", PLAIN, "random bytes for the caller"),
    *(call(number, name, denied(errno), why) for number, name, errno, why in _DENIED),
)
