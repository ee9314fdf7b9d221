"""Processes, threads, programs and what describes them."""

from __future__ import annotations

from errno import EINVAL, ENOSYS, EPERM
from typing import Final

from sekisho.sandbox.table.model import (
    PLAIN,
    Row,
    Support,
    call,
    checked,
    denied,
    notified,
    null,
    one_of,
    without,
)

_OWN: Final = "the caller, in the sandbox's own process-id namespace"
_EXEC: Final = (
    "the kernel reads the path again: a racing thread can start another program that is executable in the "
    "sandbox's own tree, never one outside it; a denial by the program's path can be raced"
)
_REGISTERS: Final = "nothing: what is decided on stands in registers"
_AFFINITY: Final = "another mask of processors for the sandbox's own threads, within those that it has"
_SCHEDULING: Final = "the host's scheduler is not the workload's to tune; the Sentry answers for one policy"

CLONE: Final = {
    "CLONE_PIDFD": 0x1000,
    "CLONE_PTRACE": 0x2000,
    "CLONE_PARENT": 0x8000,
    "CLONE_NEWNS": 0x2_0000,
    "CLONE_UNTRACED": 0x80_0000,
    "CLONE_NEWCGROUP": 0x200_0000,
    "CLONE_NEWUTS": 0x400_0000,
    "CLONE_NEWIPC": 0x800_0000,
    "CLONE_NEWUSER": 0x1000_0000,
    "CLONE_NEWPID": 0x2000_0000,
    "CLONE_NEWNET": 0x4000_0000,
}
"""What a clone may not ask for: namespaces, and what changes who watches or waits for whom."""

FUTEX: Final = {
    "WAIT": 0,
    "WAKE": 1,
    "REQUEUE": 3,
    "CMP_REQUEUE": 4,
    "WAKE_OP": 5,
    "WAIT_BITSET": 9,
    "WAKE_BITSET": 10,
}
"""Not the ones with priority inheritance: CVE-2014-3153, CVE-2021-3347 and their kin."""
FUTEX_OPTIONS: Final = {"PRIVATE": 128, "CLOCK_REALTIME": 256}

PRCTL: Final = {
    "GET_PDEATHSIG": 2,
    "GET_DUMPABLE": 3,
    "GET_KEEPCAPS": 7,
    "SET_NAME": 15,
    "GET_NAME": 16,
    "GET_SECCOMP": 21,
    "CAPBSET_READ": 23,
    "SET_TIMERSLACK": 29,
    "GET_TIMERSLACK": 30,
    "SET_CHILD_SUBREAPER": 36,
    "GET_CHILD_SUBREAPER": 37,
    "GET_TID_ADDRESS": 40,
    "SET_THP_DISABLE": 41,
    "GET_THP_DISABLE": 42,
    "SET_VMA": 0x53564D41,
}
"""Not SET_PDEATHSIG (process 1 must die with the Sentry), SET_SECCOMP, SET_MM, SET_PTRACER, SCHED_CORE."""

ARCH: Final = {
    "SET_FS": 0x1002,
    "GET_FS": 0x1003,
    "GET_GS": 0x1004,
    "GET_XCOMP_SUPP": 0x1021,
    "GET_XCOMP_PERM": 0x1022,
    "REQ_XCOMP_PERM": 0x1023,
}

ROWS: Final[tuple[Row, ...]] = (
    call(24, "sched_yield", PLAIN, "the caller"),
    call(39, "getpid", PLAIN, _OWN),
    call(
        56,
        "clone",
        checked(without(0, "flags", CLONE), errno=EPERM),
        "must be the kernel's own: a fork that fails with EINTR hangs shells; no namespaces",
        support=Support.PARTIAL,
    ),
    call(57, "fork", PLAIN, "must be the kernel's own: a fork that fails with EINTR hangs shells"),
    call(58, "vfork", PLAIN, "must be the kernel's own: a fork that fails with EINTR hangs shells"),
    call(
        59,
        "execve",
        notified("process.execve", resumes=_EXEC),
        "the Sentry resolves the program and its interpreter, then lets the kernel do it",
    ),
    call(60, "exit", PLAIN, "the caller"),
    call(61, "wait4", PLAIN, "own children"),
    call(
        95,
        "umask",
        notified("process.umask", resumes=_REGISTERS),
        "own state, which the Sentry asks for where a file is made; until one is changed it need not ask",
    ),
    call(97, "getrlimit", notified("process.getrlimit"), "superseded by prlimit64"),
    call(98, "getrusage", PLAIN, "the caller's own figures"),
    call(100, "times", PLAIN, "the caller's own figures"),
    call(101, "ptrace", denied(EPERM), "one process that steers another's registers; CVE-2019-13272"),
    call(109, "setpgid", PLAIN, _OWN),
    call(110, "getppid", PLAIN, _OWN),
    call(111, "getpgrp", PLAIN, _OWN),
    call(112, "setsid", PLAIN, _OWN),
    call(121, "getpgid", PLAIN, _OWN),
    call(124, "getsid", PLAIN, _OWN),
    call(
        135,
        "personality",
        notified("process.personality", resumes=_REGISTERS),
        "old personalities weaken address randomisation and mappings",
        support=Support.PARTIAL,
    ),
    call(140, "getpriority", notified("process.getpriority", resumes=_REGISTERS), _SCHEDULING),
    call(141, "setpriority", notified("process.setpriority", resumes=_REGISTERS), _SCHEDULING),
    call(142, "sched_setparam", notified("process.sched_setparam"), _SCHEDULING, support=Support.PARTIAL),
    call(143, "sched_getparam", notified("process.sched_getparam"), _SCHEDULING),
    call(
        144,
        "sched_setscheduler",
        notified("process.sched_setscheduler"),
        _SCHEDULING,
        support=Support.PARTIAL,
    ),
    call(145, "sched_getscheduler", notified("process.sched_getscheduler"), _SCHEDULING),
    call(146, "sched_get_priority_max", notified("process.sched_get_priority_max"), _SCHEDULING),
    call(147, "sched_get_priority_min", notified("process.sched_get_priority_min"), _SCHEDULING),
    call(148, "sched_rr_get_interval", notified("process.sched_rr_get_interval"), _SCHEDULING),
    call(154, "modify_ldt", denied(EPERM), "segments of one's own making; a source of kernel bugs"),
    call(
        157,
        "prctl",
        checked(one_of(0, "option", PRCTL), handler="process.prctl", resumes=_REGISTERS),
        "the caller's own names and limits",
        note="PR_SET_PDEATHSIG works except in process 1, which dies with the Sentry; PR_GET_NO_NEW_PRIVS "
        "says what the configuration says, though no program ever gains a privilege",
        support=Support.PARTIAL,
    ),
    call(
        158,
        "arch_prctl",
        checked(one_of(0, "option", ARCH), errno=EINVAL),
        "the thread pointer, and permission for wide registers",
    ),
    call(160, "setrlimit", notified("process.setrlimit"), "limits are the Sentry's to lower"),
    call(186, "gettid", PLAIN, _OWN),
    call(
        202,
        "futex",
        checked(one_of(1, "op", FUTEX, ignoring=FUTEX_OPTIONS), errno=ENOSYS),
        "waits on own memory; no priority inheritance",
        note="mutexes with priority inheritance fail with ENOSYS",
        support=Support.PARTIAL,
    ),
    call(203, "sched_setaffinity", notified("process.sched_setaffinity", resumes=_AFFINITY), _SCHEDULING),
    call(
        204,
        "sched_getaffinity",
        notified("process.sched_getaffinity", resumes=_AFFINITY),
        "shows the processors of the limits",
    ),
    call(205, "set_thread_area", denied(ENOSYS), "32-bit programs only"),
    call(211, "get_thread_area", denied(ENOSYS), "32-bit programs only"),
    call(218, "set_tid_address", PLAIN, "the caller"),
    call(231, "exit_group", PLAIN, "the caller"),
    call(
        247,
        "waitid",
        checked(one_of(0, "idtype", {"P_ALL": 0, "P_PID": 1, "P_PGID": 2}), errno=EINVAL),
        "own children; may block, so the Sentry cannot do it",
        note="CVE-2017-5123 needs a kernel older than any that the sandbox runs on",
    ),
    call(251, "ioprio_set", denied(EPERM), "the host's scheduler is not the workload's to tune"),
    call(252, "ioprio_get", denied(ENOSYS), "the host's scheduler is not the workload's to tune"),
    call(273, "set_robust_list", PLAIN, "the caller"),
    call(274, "get_robust_list", denied(EPERM), "tells addresses of other processes"),
    call(
        302,
        "prlimit64",
        checked(null(2, "new_limit"), handler="process.prlimit64"),
        "reading is harmless; limits are the Sentry's to lower",
    ),
    call(309, "getcpu", denied(ENOSYS), "the vDSO answers it; programs do not make the call"),
    call(310, "process_vm_readv", denied(EPERM), "reads another process's memory"),
    call(311, "process_vm_writev", denied(EPERM), "writes another process's memory"),
    call(312, "kcmp", denied(EPERM), "compares kernel objects; debuggers only"),
    call(314, "sched_setattr", notified("process.sched_setattr"), _SCHEDULING, support=Support.PARTIAL),
    call(315, "sched_getattr", notified("process.sched_getattr"), _SCHEDULING),
    call(
        317,
        "seccomp",
        notified("process.seccomp", resumes="nothing: a filter of the workload's can only deny more"),
        "filters of the workload's own may be stacked; a listener may not",
        note="SECCOMP_FILTER_FLAG_NEW_LISTENER fails with EBUSY",
        support=Support.PARTIAL,
    ),
    call(
        322,
        "execveat",
        notified("process.execveat", resumes=_EXEC),
        "the Sentry resolves the program and its interpreter, then lets the kernel do it",
    ),
    call(334, "rseq", PLAIN, "the caller's own memory"),
    call(
        335,
        "uretprobe",
        denied(ENOSYS),
        "the kernel's own trampoline",
        note="newer kernels run it whatever a filter says; outside a probe it ends in SIGILL",
    ),
    call(
        336,
        "uprobe",
        denied(ENOSYS),
        "the kernel's own trampoline",
        note="newer kernels run it whatever a filter says; outside a probe it fails with ENXIO",
    ),
    call(424, "pidfd_send_signal", denied(ENOSYS), "needs a pidfd; programs fall back to kill"),
    call(434, "pidfd_open", denied(ENOSYS), "programs fall back to process ids"),
    call(
        435,
        "clone3",
        denied(ENOSYS),
        "its flags lie in memory, where no filter reads; libraries fall back to clone",
    ),
    call(438, "pidfd_getfd", denied(EPERM), "takes a descriptor from another process"),
    call(444, "landlock_create_ruleset", denied(ENOSYS), "the workload's own Landlock; programs do without"),
    call(445, "landlock_add_rule", denied(ENOSYS), "the workload's own Landlock; programs do without"),
    call(446, "landlock_restrict_self", denied(ENOSYS), "the workload's own Landlock; programs do without"),
    call(449, "futex_waitv", denied(ENOSYS), "newer than the calls that libraries need; they fall back"),
    call(454, "futex_wake", denied(ENOSYS), "newer than the calls that libraries need; they fall back"),
    call(455, "futex_wait", denied(ENOSYS), "newer than the calls that libraries need; they fall back"),
    call(456, "futex_requeue", denied(ENOSYS), "newer than the calls that libraries need; they fall back"),
    call(471, "rseq_slice_yield", denied(ENOSYS), "newer than the calls that libraries need; they fall back"),
)
