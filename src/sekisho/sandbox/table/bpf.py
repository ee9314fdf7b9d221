"""Assembles classic BPF for seccomp: one compact program that searches the number and checks arguments.

Programs are built from the end, since they only jump forward: a block is laid before the blocks that it jumps
to, whose distances are then known. A conditional jump reaches 255 instructions; farther targets get a ``ja``.

``struct seccomp_data``: number at 0, architecture at 4, six 64-bit arguments from 16, low half first.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sekisho.diag import Limit
from sekisho.sandbox.table.model import WORD, AtMost, Condition, Rule

NUMBER: Final = 0
ARCHITECTURE: Final = 4
ARGUMENTS: Final = 16

LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
JUMP: Final = 0x05  # BPF_JMP | BPF_JA
EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
GREATER: Final = 0x25  # BPF_JMP | BPF_JGT | BPF_K
AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
AND: Final = 0x54  # BPF_ALU | BPF_AND | BPF_K
RETURN: Final = 0x06  # BPF_RET | BPF_K

RET_KILL: Final = 0x8000_0000
RET_ERRNO: Final = 0x0005_0000
RET_NOTIFY: Final = 0x7FC0_0000
RET_LOG: Final = 0x7FFC_0000
RET_ALLOW: Final = 0x7FFF_0000

REACH: Final = 255

MAX_INSTRUCTIONS: Final = Limit(
    "a filter", 4_096, "instructions", "the kernel's BPF_MAXINSNS; longer programs are refused"
)

_ENCODED: Final = struct.Struct("=HBBI")


class Instruction(NamedTuple):
    """``struct sock_filter``: code, jumps if true and if false, constant."""

    code: int
    yes: int
    no: int
    k: int


@dataclass(slots=True)
class Assembler:
    """Grows a program towards its beginning. A label is the length of the program behind it."""

    _code: list[Instruction]
    _returns: dict[int, int]

    def __init__(self) -> None:
        self._code = []
        self._returns = {}

    @property
    def here(self) -> int:
        """The label of what was laid last."""
        return len(self._code)

    def _lay(self, code: int, yes: int, no: int, k: int) -> int:
        self._code.append(Instruction(code, yes, no, k))
        return len(self._code)

    def returns(self, action: int) -> int:
        """A label that ends with this action; one that is near is used again."""
        label = self._returns.get(action)
        if label is None or self.here - label > REACH // 2:
            label = self._returns[action] = self._lay(RETURN, 0, 0, action)
        return label

    def goto(self, target: int) -> int:
        """Go on at ``target``; nothing is laid if that is next."""
        return target if target == self.here else self._lay(JUMP, 0, 0, self.here - target)

    def _near(self, target: int, spare: int) -> int:
        return target if self.here + spare - target <= REACH else self._lay(JUMP, 0, 0, self.here - target)

    def branch(self, code: int, k: int, yes: int, no: int) -> int:
        """Compare A with ``k`` and go on at one of two labels."""
        if yes == no:
            return self.goto(yes)
        no = self._near(no, 1)  # the other may need a jump in between
        yes = self._near(yes, 0)
        return self._lay(code, self.here - yes, self.here - no, k)

    def load(self, offset: int, target: int) -> int:
        """Load a word of seccomp_data into A and go on at ``target``."""
        self.goto(target)
        return self._lay(LOAD, 0, 0, offset)

    def mask(self, bits: int, target: int) -> int:
        """Keep these bits of A and go on at ``target``."""
        self.goto(target)
        return self._lay(AND, 0, 0, bits)

    def program(self) -> tuple[Instruction, ...]:
        """The program, from its beginning."""
        assert not MAX_INSTRUCTIONS.exceeded_by(len(self._code)), len(self._code)
        return tuple(reversed(self._code))


def _half(asm: Assembler, offset: int, mask: int, values: Sequence[int], *, yes: int, no: int) -> int:
    """Whether one 32-bit half, masked, is among ``values``."""
    if mask == 0:
        return asm.goto(yes if 0 in values else no)
    if tuple(values) == (0,) and mask != WORD:
        entry = asm.branch(ANY_BIT, mask, no, yes)
        return asm.load(offset, entry)
    entry = no
    for value in reversed(values):
        entry = asm.branch(EQUAL, value, yes, entry)
    if mask != WORD:
        entry = asm.mask(mask, entry)
    return asm.load(offset, entry)


def _at_most(asm: Assembler, condition: AtMost, yes: int, no: int) -> int:
    offset = ARGUMENTS + 8 * condition.index
    low = asm.load(offset, asm.branch(GREATER, condition.value & WORD, no, yes))
    if condition.width == 32:
        return low
    high = condition.value >> 32
    entry = asm.branch(EQUAL, high, low, yes)
    return asm.load(offset + 4, asm.branch(GREATER, high, no, entry))


def condition(asm: Assembler, test: Condition, yes: int, no: int) -> int:
    """Lay one condition: go on at ``yes`` if it holds, else at ``no``."""
    if isinstance(test, AtMost):
        return _at_most(asm, test, yes, no)
    offset = ARGUMENTS + 8 * test.index
    if test.width == 32:
        return _half(asm, offset, test.mask & WORD, sorted(test.values), yes=yes, no=no)
    by_high: dict[int, list[int]] = {}
    for value in sorted(test.values):
        by_high.setdefault(value >> 32, []).append(value & WORD)
    entry = no
    for high, lows in by_high.items():
        low = _half(asm, offset, test.mask & WORD, lows, yes=yes, no=no)
        entry = _half(asm, offset + 4, test.mask >> 32, (high,), yes=low, no=entry)
    return entry


def rule(asm: Assembler, rule: Rule, yes: int, no: int) -> int:
    """Lay a whole rule: any alternative whose conditions all hold leads to ``yes``."""
    entry = no
    for tests in reversed(rule.alternatives):
        refused, entry = entry, yes
        for test in reversed(tests):
            entry = condition(asm, test, entry, refused)
    return entry


def encode(program: Sequence[Instruction]) -> bytes:
    """The program as the kernel takes it: an array of ``struct sock_filter``."""
    return b"".join(_ENCODED.pack(*instruction) for instruction in program)


def decode(data: bytes) -> tuple[Instruction, ...]:
    """The instructions of an encoded program."""
    return tuple(Instruction(*fields) for fields in _ENCODED.iter_unpack(data))


def disassemble(program: Sequence[Instruction]) -> str:
    """The program as people read it, a line an instruction."""
    names = {
        LOAD: "ld", JUMP: "ja", EQUAL: "jeq", GREATER: "jgt", AT_LEAST: "jge", ANY_BIT: "jset", AND: "and",
        RETURN: "ret",
    }  # fmt: skip
    lines = []
    for at, (code, yes, no, k) in enumerate(program):
        name = names[code]
        if code == JUMP:
            lines.append(f"{at:4} {name} {at + 1 + k}")
        elif name.startswith("j"):
            lines.append(f"{at:4} {name} {k:#x} ? {at + 1 + yes} : {at + 1 + no}")
        else:
            lines.append(f"{at:4} {name} {k:#x}")
    return "\n".join(lines)
