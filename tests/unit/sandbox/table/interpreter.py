"""A second, plain implementation of seccomp's BPF, to compare filters with the table."""

from __future__ import annotations

from collections.abc import Sequence


def run(program: Sequence[tuple[int, int, int, int]], arch: int, number: int, args: Sequence[int]) -> int:
    """What the filter returns for this call."""
    words = {0: number, 4: arch, 8: 0, 12: 0}
    for index, arg in enumerate(args):
        words[16 + 8 * index] = arg & 0xFFFFFFFF
        words[20 + 8 * index] = arg >> 32
    at, a = 0, 0
    while True:
        code, yes, no, k = program[at]
        at += 1
        match code:
            case 0x20:
                a = words[k]
            case 0x54:
                a &= k
            case 0x05:
                at += k
            case 0x15:
                at += yes if a == k else no
            case 0x25:
                at += yes if a > k else no
            case 0x35:
                at += yes if a >= k else no
            case 0x45:
                at += yes if a & k else no
            case 0x06:
                return k
            case _:
                raise AssertionError(f"instruction {code:#x}")
