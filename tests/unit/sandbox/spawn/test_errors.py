"""Failures that this machine does not give by itself, and how failures travel."""

from __future__ import annotations

import errno

import pytest

from sekisho.diag import DiagnosticError
from sekisho.sandbox import mount_native
from sekisho.sandbox.codes import BY_ID
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.spawn import cgroups, tree
from sekisho.sandbox.spec import Limits


@pytest.mark.parametrize("code", sorted(BY_ID))
def test_every_code_travels_and_becomes_a_diagnostic(code: str) -> None:
    error = SandboxError.unpack(SandboxError(code, "message \udcff", "help").pack())
    assert (error.code, error.message, error.help) == (code, "message \udcff", "help")
    found = error.diagnostic()
    assert isinstance(found, DiagnosticError)
    assert found.diagnostics[0].code is BY_ID[code]
    assert found.diagnostics[0].help == "help"


def test_what_the_kernel_refuses() -> None:
    error = SandboxError.of(PermissionError(errno.EPERM, "Operation not permitted", "/x"), "pivoting")
    assert (error.code, error.message) == ("SBX001", "pivoting failed: Operation not permitted (/x)")
    assert "doctor" in error.help
    assert SandboxError.of(OSError(errno.EMFILE, "Too many open files"), "pivoting").code == "SBX019"


def test_a_bug_says_where() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 // 0
    error = SandboxError.of(caught.value, "making the sandbox")
    assert error.code == "SBX099"
    assert "test_errors.py:" in error.message


def test_a_controller_that_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "mounted", lambda: ({}, ""))
    with pytest.raises(SandboxError, match="SBX002: the controller memory is mounted nowhere"):
        cgroups.Cgroup.make("sekisho/test", Limits(memory=1 << 30))


def test_no_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "STAGES", ("/no/such",))
    with pytest.raises(SandboxError, match="SBX012"):
        tree._stage(["/"])


def test_overlay_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(mount_native, "mount", refuse)
    made = object.__new__(tree.Tree)
    with pytest.raises(SandboxError, match="SBX010: the kernel cannot lay an overlay over /"):
        made._overlay("/", f"{tmp_path}/upper", f"{tmp_path}/work", "/nowhere")


LIMITS = [
    (Limits(memory=1 << 20), {"memory": [("memory.limit_in_bytes", "1048576", "memory.max", "1048576")]}),
    (Limits(pids=-1), {"pids": [("pids.max", "max", "pids.max", "max")]}),
    (
        Limits(cpu_quota=150_000),
        {
            "cpu": [
                ("cpu.cfs_period_us", "100000", "", ""),
                ("cpu.cfs_quota_us", "150000", "cpu.max", "150000 100000"),
            ]
        },
    ),
    (Limits(cpu_shares=1024), {"cpu": [("cpu.shares", "1024", "cpu.weight", "39")]}),
    (
        Limits(memory=10, memory_swap=30),
        {
            "memory": [
                ("memory.limit_in_bytes", "10", "memory.max", "10"),
                ("memory.memsw.limit_in_bytes", "30", "memory.swap.max", "20"),
            ]
        },
    ),
]


@pytest.mark.parametrize(("limits", "rows"), LIMITS)
def test_limits_in_both_versions(limits: Limits, rows: object) -> None:
    assert cgroups.wanted(limits) == rows


@pytest.mark.parametrize(("shares", "weight"), [(2, 1), (1024, 39), (262_144, 10_000), (1, 1)])
def test_weight(shares: int, weight: int) -> None:
    assert cgroups.weight(shares) == weight
