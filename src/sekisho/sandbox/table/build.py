"""The filters: from rows to BPF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sekisho.sandbox.table.bpf import (
    ARCHITECTURE,
    AT_LEAST,
    EQUAL,
    NUMBER,
    RET_ALLOW,
    RET_ERRNO,
    RET_KILL,
    RET_NOTIFY,
    Assembler,
    Instruction,
    rule,
)
from sekisho.sandbox.table.model import Klass, Treatment

X86_64: Final = 0xC000_003E
"""AUDIT_ARCH_X86_64; 32-bit entry (int 0x80) has another."""
X32: Final = 0x4000_0000
"""Numbers from here on are the x32 ABI, which shares the architecture's value."""
NO_CALL: Final = 0xFFFF_FFFF
"""-1, which libraries and debuggers use for 'no call'; the kernel itself answers ENOSYS."""


def action(treatment: Treatment) -> int:
    """What a filter returns for a call without a rule, or whose rule does not hold."""
    if treatment.klass is Klass.PLAIN:
        return RET_ALLOW
    if treatment.handler:
        return RET_NOTIFY
    return RET_ERRNO | treatment.errno


def assemble(treatments: Mapping[int, Treatment], *, unknown: int) -> tuple[Instruction, ...]:
    """A filter for these calls, by number.

    Numbers without a treatment get the action ``unknown``; other architectures and x32 are killed.
    """
    ranges = _ranges(treatments, unknown)
    asm = Assembler()
    kill = asm.returns(RET_KILL)
    search = _search(asm, ranges)
    no_call = asm.branch(EQUAL, NO_CALL, asm.returns(unknown), kill)
    entry = asm.branch(AT_LEAST, X32, no_call, search)
    entry = asm.load(NUMBER, entry)
    entry = asm.branch(EQUAL, X86_64, entry, kill)
    asm.load(ARCHITECTURE, entry)
    return asm.program()


def _ranges(treatments: Mapping[int, Treatment], unknown: int) -> list[tuple[int, Treatment | int]]:
    """Where a new treatment begins; a plain action stands for itself, so that equal neighbours join."""
    starts: list[tuple[int, Treatment | int]] = []
    for number in range(max(treatments) + 2):
        treatment = treatments.get(number)
        what: Treatment | int
        if treatment is None:
            what = unknown
        else:
            what = treatment if treatment.rule is not None else action(treatment)
        if not starts or starts[-1][1] != what:
            starts.append((number, what))
    return starts


def _search(asm: Assembler, ranges: Sequence[tuple[int, Treatment | int]]) -> int:
    """A binary search over the beginnings of ranges; A holds the number."""
    if len(ranges) == 1:
        return _leaf(asm, ranges[0][1])
    middle = len(ranges) // 2
    right = _search(asm, ranges[middle:])
    left = _search(asm, ranges[:middle])
    return asm.branch(AT_LEAST, ranges[middle][0], right, left)


def _leaf(asm: Assembler, what: Treatment | int) -> int:
    if isinstance(what, int):
        return asm.returns(what)
    assert what.rule is not None
    no = asm.returns(action(what))
    yes = asm.returns(RET_ALLOW)
    return rule(asm, what.rule, yes, no)
