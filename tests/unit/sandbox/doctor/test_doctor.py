"""Findings follow from facts; facts can be gathered anywhere."""

from __future__ import annotations

import errno
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sekisho.diag import Level
from sekisho.sandbox.doctor import CHECKS, Facts, examine, gather, why_not

GOOD = Facts(
    landlock_abi=7,
    cgroup_version="v2",
    cgroup_controllers=("cpu", "memory", "pids"),
    cgroup_writable=True,
)


def test_a_good_machine() -> None:
    checks = examine(GOOD)
    assert [check.state for check in checks] == ["ok"] * len(CHECKS)
    assert why_not(checks) == ""


CASES = [
    ({"system": "Darwin", "machine": "arm64"}, "SBX100", "problem", "Linux on x86-64"),
    ({"release": "5.10.0-28-amd64"}, "SBX100", "problem", "5.14 or newer"),
    ({"release": "garbage"}, "SBX100", "problem", "garbage"),
    ({"release": "6.1.0-32-amd64"}, "SBX108", "warning", "before 6.6"),
    ({"notify_actions": False}, "SBX101", "problem", "built without"),
    ({"trials": {"listener": errno.EBUSY}}, "SBX101", "problem", "the kernel allows one"),
    ({"trials": {"listener": errno.EPERM}}, "SBX101", "problem", "EPERM"),
    ({"killable": False}, "SBX108", "warning", "5.19"),
    ({"trials": {"user": errno.ENOSPC}, "max_user_namespaces": 0}, "SBX102", "problem", "user.max_user_namespaces"),
    ({"trials": {"user": errno.EPERM}, "unprivileged_userns_clone": 0}, "SBX102", "problem", "userns_clone to 1"),
    ({"trials": {"tree": errno.EACCES}, "apparmor_restricts_userns": 1}, "SBX102", "problem", "AppArmor restricts"),
    ({"trials": {"proc": errno.EPERM}, "root": True}, "SBX102", "problem", "masked"),
    ({"trials": {"tree": errno.EPERM}, "root": True, "filtered": True}, "SBX102", "problem", "--privileged"),
    ({"trials": {"user": errno.EPERM}}, "SBX102", "problem", "run as root"),
    ({"yama": 3, "root": True}, "SBX103", "problem", "reboot"),
    ({"yama": 2}, "SBX103", "problem", "as root"),
    ({"kernel_parameters": "quiet proc_mem.force_override=never"}, "SBX103", "warning", "strict profile"),
    ({"calls": {"openat2": errno.ENOSYS, "seccomp": errno.EPERM}, "filtered": True}, "SBX107", "problem", "openat2"),
    ({"landlock_abi": 0}, "SBX104", "warning", "lsm="),
    ({"landlock_abi": 3}, "SBX104", "warning", "6.12"),
    ({"cgroup_version": "none"}, "SBX105", "warning", "mount cgroup2"),
    ({"cgroup_controllers": ("pids",)}, "SBX105", "warning", "--cpus, --memory"),
    ({"cgroup_version": "v1", "cgroup_controllers": ("cpu", "memory", "pids")}, "SBX105", "warning", "pause"),
    ({"cgroup_writable": False}, "SBX105", "warning", "Delegate=yes"),
    ({"trials": {"overlay": errno.ENODEV}}, "SBX106", "warning", "ENODEV"),
    ({"selinux_enforcing": True}, "SBX107", "warning", "SELinux"),
    ({"apparmor_profile": "docker-default (enforce)"}, "SBX107", "warning", "docker-default"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "state", "says"), CASES)
def test_findings(changes: dict[str, object], code: str, state: str, says: str) -> None:
    checks = examine(replace(GOOD, **changes))  # type: ignore[arg-type]
    found = [finding for check in checks for finding in check.findings]
    assert [finding.code.id for finding in found] == [code]
    assert [check.state for check in checks if check.findings] == [state]
    assert says in f"{found[0].message} {found[0].help}"
    assert found[0].help
    assert (found[0].level is Level.ERROR) == bool(why_not(checks))


@pytest.mark.parametrize(
    "changes",
    [
        {"yama": 2, "root": True},
        {"yama": 1},
        {"apparmor_restricts_userns": 1},
        {"apparmor_profile": "unconfined"},
    ],
)
def test_what_does_no_harm(changes: dict[str, object]) -> None:
    assert all(check.state == "ok" for check in examine(replace(GOOD, **changes)))  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform != "linux", reason="sandboxes need Linux")
def test_gathering_leaves_nothing_behind() -> None:
    mounts = Path("/proc/self/mountinfo")
    before = mounts.read_text(encoding="utf-8")
    facts = gather()
    assert facts.system == "Linux"
    assert set(facts.trials) == {"listener", "user", "tree", "proc", "overlay"}
    assert mounts.read_text(encoding="utf-8") == before
    examine(facts)
