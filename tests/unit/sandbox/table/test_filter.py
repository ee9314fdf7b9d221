"""The filter says what the table says, for each call and for arguments at the edges of its rule."""

from __future__ import annotations

import random
from collections.abc import Iterator
from errno import ENOSYS

import pytest
from tests.unit.sandbox.table.interpreter import run

from sekisho.sandbox.table import Klass, Option, Profile, Row, Treatment, filter, table
from sekisho.sandbox.table.bpf import RET_ALLOW, RET_ERRNO, RET_KILL, RET_NOTIFY, decode
from sekisho.sandbox.table.build import NO_CALL, X32, X86_64
from sekisho.sandbox.table.model import DOUBLE, AtMost

ALL = frozenset(Option)
VARIANTS = [(profile, options) for profile in Profile for options in (frozenset(), ALL)]


def arguments(treatment: Treatment, dice: random.Random) -> Iterator[list[int]]:
    """Registers that hold, and just miss, each condition of the rule."""
    interesting = [{0, 1, DOUBLE, 0xFFFFFFFF, 1 << 32, 1 << 63} for _ in range(6)]
    for tests in treatment.rule.alternatives if treatment.rule else ():
        for test in tests:
            values = {test.value, test.value + 1} if isinstance(test, AtMost) else set(test.values)
            if not isinstance(test, AtMost):
                values |= {(~test.mask & DOUBLE) | value for value in test.values}
            interesting[test.index] |= values | {value ^ 1 << dice.randrange(64) for value in values}
            interesting[test.index] |= {value | dice.getrandbits(32) << 32 for value in values}
    choices = [sorted(values) for values in interesting]
    for _ in range(300 if treatment.rule else 3):
        yield [dice.choice(values) if dice.random() < 0.8 else dice.getrandbits(64) for values in choices]


def promised(treatment: Treatment, args: list[int]) -> int:
    """What the table says, without the filter."""
    if treatment.klass is Klass.PLAIN:
        return RET_ALLOW
    if treatment.klass is Klass.CHECKED and treatment.rule and treatment.rule.holds(args):
        return RET_ALLOW
    if treatment.handler:
        return RET_NOTIFY
    return RET_ERRNO | treatment.errno


@pytest.mark.parametrize(("profile", "options"), VARIANTS)
def test_filter_and_table_agree(profile: Profile, options: frozenset[Option]) -> None:
    program = decode(filter(profile, options))
    dice = random.Random(1)
    seen = set()
    for row in table().values():
        treatment = row.treatment(profile, options)
        for args in arguments(treatment, dice):
            expected = promised(treatment, args)
            assert run(program, X86_64, row.number, args) == expected, (row.name, [hex(arg) for arg in args])
            if treatment.klass is Klass.CHECKED:
                seen.add((row.name, expected == RET_ALLOW))
    checked = {row.name for row in table().values() if row.treatment(profile, options).klass is Klass.CHECKED}
    assert seen == {(name, held) for name in checked for held in (True, False)}


@pytest.mark.parametrize(("profile", "options"), VARIANTS)
def test_other_architectures_and_x32_are_killed(profile: Profile, options: frozenset[Option]) -> None:
    program = decode(filter(profile, options))
    for number in (0, 1, 11, 59, 435):
        assert run(program, 0x40000003, number, [0] * 6) == RET_KILL
        assert run(program, X86_64, X32 | number, [0] * 6) == RET_KILL
    assert run(program, X86_64, X32 | 520, [0] * 6) == RET_KILL


def test_unknown_numbers_do_not_exist() -> None:
    program = decode(filter())
    for number in (337, 400, 423, max(table()) + 1, 547, 0x3FFFFFFF, NO_CALL):
        assert run(program, X86_64, number, [0] * 6) == RET_ERRNO | ENOSYS


def test_every_jump_is_forward_and_inside() -> None:
    for profile, options in VARIANTS:
        program = decode(filter(profile, options))
        assert len(program) < 700
        for at, (code, yes, no, k) in enumerate(program):
            if code & 7 == 5:
                targets = [k] if code == 5 else [yes, no]
                assert all(at + 1 + target < len(program) for target in targets)
        assert program[-1].code == 6


def test_calls_without_a_rule_never_load_an_argument() -> None:
    """Else the kernel could not keep them in its bitmap of calls that are always allowed."""
    program = decode(filter())

    class NoArguments(list[int]):
        def __iter__(self) -> Iterator[int]:
            return iter(())

    for row in table().values():
        if row.default.klass is not Klass.CHECKED:
            run(program, X86_64, row.number, NoArguments())


def test_pointers_beyond_32_bits_are_not_null() -> None:
    program = decode(filter())
    high = 1 << 32
    assert run(program, X86_64, 302, [0, 3, 0, 0, 0, 0]) == RET_ALLOW
    assert run(program, X86_64, 302, [0, 3, high, 0, 0, 0]) == RET_NOTIFY
    assert run(program, X86_64, 44, [3, 0, 1, 0, high, 16]) == RET_NOTIFY


def direct(rows: dict[int, Row]) -> list[Row]:
    return [row for row in rows.values() if row.default.direct]


def test_exposure_stays_small() -> None:
    assert len(direct(dict(table()))) <= 120
    assert sum(row.default.resolves for row in table().values()) <= 14
