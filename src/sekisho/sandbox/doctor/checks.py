"""The checks: from facts to findings, each with what to do. Pure."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sekisho.diag import Code, Diagnostic, Level
from sekisho.sandbox.doctor import codes
from sekisho.sandbox.doctor.facts import Facts

OLDEST: Final = (5, 14)
"""A descriptor is given and the call answered in one step (SECCOMP_ADDFD_FLAG_SEND)."""
ADVISED: Final = (6, 6)
"""Notified calls wake the Sentry on their own processor (SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)."""
LANDLOCK_ADVISED: Final = 6
"""Signals and abstract sockets are scoped too (6.12)."""

CONTROLLERS: Final = {"cpu": "--cpus", "memory": "--memory", "pids": "--pids", "freezer": "pause"}
"""What each controller enforces; version 2 freezes without one."""

Found = Iterator[Diagnostic]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One aspect of the machine: a title, what was found, and the findings if it is not as it should be."""

    name: str
    found: str
    findings: tuple[Diagnostic, ...]

    @property
    def state(self) -> str:
        """ok, warning (works, with less), or problem (cannot work)."""
        if any(finding.level is Level.ERROR for finding in self.findings):
            return "problem"
        return "warning" if self.findings else "ok"


def _problem(code: Code, message: str, help: str, **data: object) -> Diagnostic:
    return Diagnostic(code=code, message=message, help=help, data=data)


def _warning(code: Code, message: str, help: str, **data: object) -> Diagnostic:
    return Diagnostic(code=code, message=message, help=help, level=Level.WARNING, data=data)


def _named(number: int) -> str:
    return errno.errorcode.get(number, str(number))


def kernel(facts: Facts) -> Found:
    """Linux on x86-64, new enough."""
    if facts.system != "Linux" or facts.machine != "x86_64":
        yield _problem(
            codes.MACHINE,
            f"sandboxes need Linux on x86-64; this is {facts.system} on {facts.machine}",
            "run sekisho in a Linux virtual machine, or use the parts that need no sandbox",
        )
    elif facts.version() < OLDEST:
        yield _problem(
            codes.MACHINE,
            f"the kernel is {facts.release}; sandboxes need {OLDEST[0]}.{OLDEST[1]} or newer",
            "install a newer kernel of the distribution",
        )
    elif facts.version() < ADVISED:
        yield _warning(
            codes.OLD,
            f"the kernel is {facts.release}; before {ADVISED[0]}.{ADVISED[1]} each notified call costs more",
            "install a newer kernel, or give sandboxes one processor each (--cpus 1)",
        )


def notification(facts: Facts) -> Found:
    """Filters with a listener."""
    failed = facts.trials.get("listener", 0)
    if not facts.notify_actions or failed == errno.EINVAL:
        yield _problem(
            codes.NOTIFY,
            "the kernel was built without notifications of system calls (CONFIG_SECCOMP_FILTER)",
            "use a kernel of a distribution",
        )
    elif failed == errno.EBUSY:
        yield _problem(
            codes.NOTIFY,
            "this process runs under a filter with a listener already, and the kernel allows one",
            "start the sandbox outside the other supervisor",
        )
    elif failed:
        yield _problem(
            codes.NOTIFY,
            f"a filter with a listener cannot be installed: {_named(failed)}",
            "allow seccomp(2) to this process",
        )
    elif not facts.killable:
        yield _warning(
            codes.OLD,
            "before Linux 5.19 a signal can interrupt a call that the Sentry is working on",
            "install a newer kernel; programs that get many signals, such as Go's, may see EINTR",
        )


def namespaces(facts: Facts) -> Found:
    """User, mount and process-id namespaces."""
    for name, what in (
        ("user", "a user namespace"),
        ("tree", "a private mount tree"),
        ("proc", "a /proc of its own"),
    ):
        failed = facts.trials.get(name, 0)
        if failed:
            message = f"{what} cannot be made: {_named(failed)}"
            yield _problem(codes.NAMESPACES, message, _why_no_namespace(facts, name), trial=name)
            return


def _why_no_namespace(facts: Facts, trial: str) -> str:
    if facts.max_user_namespaces == 0:
        return "set the sysctl user.max_user_namespaces to 15000"
    if not facts.root and facts.unprivileged_userns_clone == 0:
        return "set the sysctl kernel.unprivileged_userns_clone to 1, or run as root"
    if not facts.root and facts.apparmor_restricts_userns:
        return (
            "AppArmor restricts user namespaces: run as root, allow them to sekisho in an AppArmor profile "
            "(userns,), or set kernel.apparmor_restrict_unprivileged_userns to 0"
        )
    if trial == "proc":
        return "parts of /proc are masked here, as in a container: start that with its /proc unmasked"
    if facts.filtered or _confined(facts):
        return "this process is itself confined, as in a container: start that with --privileged"
    return "run as root, or allow unprivileged user namespaces"


def _confined(facts: Facts) -> bool:
    return bool(facts.apparmor_profile) and not facts.apparmor_profile.startswith("unconfined")


def tracing(facts: Facts) -> Found:
    """Reading and writing the workload's memory."""
    if facts.yama == 3:
        yield _problem(
            codes.TRACING,
            "Yama forbids every process to look into another (kernel.yama.ptrace_scope is 3)",
            "set it to 2 or lower; that takes a reboot",
        )
    elif facts.yama == 2 and not facts.root:
        yield _problem(
            codes.TRACING,
            "Yama leaves looking into processes to root (kernel.yama.ptrace_scope is 2)",
            "run as root, or set kernel.yama.ptrace_scope to 1",
        )
    for parameter in facts.kernel_parameters.split():
        name, _, value = parameter.partition("=")
        if name == "proc_mem.force_override" and value == "never":
            yield _warning(
                codes.TRACING,
                "the kernel refuses writes to memory that is read-only (proc_mem.force_override=never)",
                "the strict profile needs proc_mem.force_override=ptrace; the default profile works",
            )


def calls(facts: Facts) -> Found:
    """Calls that the Sentry itself needs."""
    missing = [name for name, failed in facts.calls.items() if failed == errno.ENOSYS]
    blocked = [name for name, failed in facts.calls.items() if failed == errno.EPERM]
    if missing or blocked:
        where = "this process runs under another filter" if facts.filtered else "the kernel lacks them"
        yield _problem(
            codes.BLOCKED,
            f"the Sentry cannot call {', '.join(sorted([*missing, *blocked]))}: {where}",
            "in a container, start that with --security-opt seccomp=unconfined; else install a newer kernel",
            missing=missing,
            blocked=blocked,
        )


def landlock(facts: Facts) -> Found:
    """The second wall behind the mount tree."""
    if facts.landlock_abi == 0:
        yield _warning(
            codes.LANDLOCK,
            "the kernel has no Landlock, or it is not in the list of security modules",
            "add landlock to the kernel parameter lsm=; sandboxes run without it, with one wall less",
        )
    elif facts.landlock_abi < LANDLOCK_ADVISED:
        yield _warning(
            codes.LANDLOCK,
            f"Landlock's version is {facts.landlock_abi}; signals and abstract sockets are scoped from "
            f"version {LANDLOCK_ADVISED}",
            "Linux 6.12 or newer; namespaces scope both as well",
        )


def cgroups(facts: Facts) -> Found:
    """Limits on memory, processors and processes."""
    if facts.cgroup_version == "none":
        yield _warning(
            codes.CGROUPS,
            "no cgroups are mounted",
            "mount cgroup2 on /sys/fs/cgroup; limits are not enforced",
        )
        return
    missing = [name for name in CONTROLLERS if name not in facts.cgroup_controllers]
    if facts.cgroup_version == "v2":
        missing = [name for name in missing if name != "freezer"]
    if missing:
        yield _warning(
            codes.CGROUPS,
            f"there is no cgroup controller for {', '.join(missing)}",
            f"without it these do nothing: {', '.join(CONTROLLERS[name] for name in missing)}",
            missing=missing,
        )
    if not facts.cgroup_writable:
        yield _warning(
            codes.CGROUPS,
            "this user may not make cgroups",
            "run as root, or delegate a group (systemd-run --user --scope -p Delegate=yes); limits that "
            "rlimits can express are kept",
        )


def overlay(facts: Facts) -> Found:
    """Writes that are kept apart."""
    failed = facts.trials.get("overlay", 0)
    if failed and not facts.trials.get("tree"):
        yield _warning(
            codes.OVERLAY,
            f"an overlay cannot be mounted: {_named(failed)}",
            "load the module overlay; sandboxes with a root of their own run without it",
        )


def security_modules(facts: Facts) -> Found:
    """Profiles that bind this process."""
    if facts.selinux_enforcing:
        yield _warning(
            codes.BLOCKED,
            "SELinux is enforcing; labels of a sandbox's files are not set",
            "allow sekisho's domain to mount and to make namespaces if a start fails",
        )
    if _confined(facts):
        yield _warning(
            codes.BLOCKED,
            f"an AppArmor profile confines this process: {facts.apparmor_profile}",
            "if mounts fail, start with --security-opt apparmor=unconfined",
        )


CHECKS: Final[dict[str, tuple[Callable[[Facts], Found], Callable[[Facts], str]]]] = {
    "kernel": (kernel, lambda facts: f"{facts.system} {facts.release} {facts.machine}"),
    "notification": (notification, lambda facts: "killable" if facts.killable else "interruptible"),
    "namespaces": (namespaces, lambda facts: "as root" if facts.root else "without root"),
    "tracing": (tracing, lambda facts: "no Yama" if facts.yama is None else f"Yama {facts.yama}"),
    "calls": (calls, lambda facts: f"{len(facts.calls)} tried"),
    "landlock": (landlock, lambda facts: f"version {facts.landlock_abi}"),
    "cgroups": (
        cgroups,
        lambda facts: f"{facts.cgroup_version}: {' '.join(facts.cgroup_controllers) or 'no controllers'}",
    ),
    "overlay": (
        overlay,
        lambda facts: _named(facts.trials["overlay"]) if facts.trials.get("overlay") else "works",
    ),
    "security modules": (
        security_modules,
        lambda facts: facts.apparmor_profile or ("SELinux" if facts.selinux_enforcing else "none"),
    ),
}
"""By name: the check, and what was found in a few words."""


def examine(facts: Facts) -> tuple[Check, ...]:
    """Every check. On a machine that is no Linux, only the first."""
    names = list(CHECKS) if facts.system == "Linux" and facts.machine == "x86_64" else ["kernel"]
    return tuple(
        Check(name=name, found=CHECKS[name][1](facts), findings=tuple(CHECKS[name][0](facts)))
        for name in names
    )


def why_not(checks: tuple[Check, ...]) -> str:
    """Why this machine cannot run a sandbox; empty if it can."""
    return "; ".join(
        finding.message for check in checks for finding in check.findings if finding.level is Level.ERROR
    )
