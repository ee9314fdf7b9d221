"""The Sentry's own filter: few calls, no code, no processes."""

from __future__ import annotations

import random
from errno import ENOSYS, EPERM

import pytest
from tests.unit.sandbox.table.interpreter import run

from sekisho.sandbox.table import Klass, by_name, table
from sekisho.sandbox.table.bpf import RET_ALLOW, RET_ERRNO, RET_KILL, decode
from sekisho.sandbox.table.build import X32, X86_64
from sekisho.sandbox.table.supervisor import ROWS, rule_of, supervisor_filter

PROGRAM = decode(supervisor_filter())
REFUSED = RET_ERRNO | EPERM


def test_it_is_small() -> None:
    assert len(ROWS) <= 110
    assert all(why for _, why in ROWS.values())


def test_filter_and_rows_agree() -> None:
    dice = random.Random(2)
    for number, row in table().items():
        treatment, _ = ROWS.get(row.name, (None, ""))
        for _ in range(50):
            args = [
                dice.choice((0, 1, 2, 3, 4, 7, 10, 0x10900, 0x3D0F00, dice.getrandbits(64))) for _ in range(6)
            ]
            allowed = treatment is not None and (treatment.rule is None or treatment.rule.holds(args))
            refused = RET_ERRNO | ENOSYS if row.name == "clone3" else REFUSED
            assert run(PROGRAM, X86_64, number, args) == (RET_ALLOW if allowed else refused)


@pytest.mark.parametrize(
    "name",
    ["execve", "execveat", "fork", "vfork", "ptrace", "mount", "open_tree", "fsopen", "setns",
     "bpf", "perf_event_open", "io_uring_setup", "keyctl", "init_module", "seccomp", "setuid", "chroot", "userfaultfd"],
)  # fmt: skip
def test_what_an_attacker_would_want_is_not_there(name: str) -> None:
    assert name not in ROWS
    assert run(PROGRAM, X86_64, by_name(name).number, [0] * 6) == REFUSED


@pytest.mark.parametrize(
    ("name", "args", "allowed"),
    [
        ("mmap", [0, 4096, 3, 0x22, 0, 0], True),
        ("mmap", [0, 4096, 7, 0x22, 0, 0], False),
        ("mprotect", [0, 4096, 1, 0, 0, 0], True),
        ("mprotect", [0, 4096, 5, 0, 0, 0], False),
        ("clone", [0x3D0F00, 0, 0, 0, 0, 0], True),
        ("clone", [17, 0, 0, 0, 0, 0], False),
        ("clone", [0x3D0F00 | 0x10000000, 0, 0, 0, 0, 0], False),
        ("socket", [2, 1, 0, 0, 0, 0], True),
        ("socket", [16, 3, 0, 0, 0, 0], False),
    ],
)
def test_argument_rules(name: str, args: list[int], *, allowed: bool) -> None:
    got = run(PROGRAM, X86_64, by_name(name).number, args)
    assert got == (RET_ALLOW if allowed else REFUSED)


def test_other_entries_are_killed() -> None:
    assert run(PROGRAM, 0x40000003, 1, [0] * 6) == RET_KILL
    assert run(PROGRAM, X86_64, X32 | 1, [0] * 6) == RET_KILL


def test_only_direct_treatments() -> None:
    assert {treatment.klass for treatment, _ in ROWS.values()} == {Klass.PLAIN, Klass.CHECKED}


@pytest.mark.parametrize("flags", [0x2_0000, 0x1000_0000, 0x4000_0000, 0x200 | 0x2_0000, 0x200 | 1 << 32, 0])
def test_a_thread_gets_a_directory_of_its_own_and_no_namespace(flags: int) -> None:
    rule = rule_of("unshare")
    assert rule is not None
    assert rule.holds([0x200, 0, 0, 0, 0, 0])
    assert not rule.holds([flags, 0, 0, 0, 0, 0])
