"""What the machine says about itself."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CALLS: Final = {
    "openat2": 437,
    "pidfd_open": 434,
    "pidfd_getfd": 438,
    "process_vm_readv": 310,
    "execveat": 322,
    "seccomp": 317,
    "memfd_create": 319,
}
"""Calls without which the Sentry cannot work, by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The machine, as far as sandboxes care; error numbers are 0 where the trial worked.

    ``trials`` are what was tried in a child: ``listener`` (a filter with a listener), ``user`` (a user
    namespace), ``tree`` (a mount namespace, its mounts made private), ``proc`` (a procfs of its own),
    ``overlay``. ``calls`` are error numbers of ``CALLS`` made with senseless arguments.
    """

    system: str = "Linux"
    machine: str = "x86_64"
    release: str = "6.6.0"
    root: bool = False
    notify_actions: bool = True
    killable: bool = True
    trials: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    max_user_namespaces: int | None = None
    unprivileged_userns_clone: int | None = None
    apparmor_restricts_userns: int | None = None
    apparmor_profile: str = ""
    selinux_enforcing: bool = False
    filtered: bool = False
    yama: int | None = None
    kernel_parameters: str = ""
    landlock_abi: int = 0
    cgroup_version: str = "none"
    cgroup_controllers: tuple[str, ...] = ()
    cgroup_writable: bool = False

    def version(self) -> tuple[int, int]:
        """The release's first two numbers; (0, 0) if it has none."""
        parts = self.release.split(".")
        digits = ["".join(char for char in part if char.isdigit()) for part in parts[:2]]
        return (int(digits[0]), int(digits[1])) if len(digits) == 2 and all(digits) else (0, 0)


def gather() -> Facts:
    """Ask this machine. Nothing is left behind: trials run in a child of their own namespaces."""
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine != "x86_64":
        return Facts(system=system, machine=machine, release=platform.release())
    from sekisho.sandbox.doctor import trials_native

    version, controllers, writable = _cgroups()
    return Facts(
        system=system,
        machine=machine,
        release=platform.release(),
        root=os.geteuid() == 0,
        notify_actions="user_notif" in _text("/proc/sys/kernel/seccomp/actions_avail").split(),
        killable=trials_native.supports_killable(),
        trials=trials_native.trials(),
        calls={name: trials_native.error_of(number) for name, number in CALLS.items()},
        max_user_namespaces=_number("/proc/sys/user/max_user_namespaces"),
        unprivileged_userns_clone=_number("/proc/sys/kernel/unprivileged_userns_clone"),
        apparmor_restricts_userns=_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
        apparmor_profile=_text("/proc/self/attr/apparmor/current") or _text("/proc/self/attr/current"),
        selinux_enforcing=_number("/sys/fs/selinux/enforce") == 1,
        filtered="Seccomp:\t2" in _text("/proc/self/status"),
        yama=_number("/proc/sys/kernel/yama/ptrace_scope"),
        kernel_parameters=_text("/proc/cmdline"),
        landlock_abi=trials_native.landlock_abi(),
        cgroup_version=version,
        cgroup_controllers=controllers,
        cgroup_writable=writable,
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""


def _number(path: str) -> int | None:
    text = _text(path)
    return int(text) if text.lstrip("-").isdigit() else None


def _cgroups() -> tuple[str, tuple[str, ...], bool]:
    """The version (v1, v2, hybrid, none), the controllers that there are, and whether we may make groups."""
    root = Path("/sys/fs/cgroup")
    wanted = ("cpu", "memory", "pids", "freezer")
    if (root / "cgroup.controllers").is_file():
        own = next(
            (line[3:] for line in _text("/proc/self/cgroup").splitlines() if line.startswith("0::")), "/"
        )
        group = root / own.lstrip("/")
        found = _text(str(group / "cgroup.controllers")).split()
        return "v2", tuple(name for name in wanted if name in found), os.access(group, os.W_OK)
    mounted = tuple(name for name in wanted if (root / name / "cgroup.procs").is_file())
    if not mounted:
        return "none", (), False
    kind = "hybrid" if (root / "unified" / "cgroup.procs").is_file() else "v1"
    return kind, mounted, all(os.access(root / name, os.W_OK) for name in mounted)
