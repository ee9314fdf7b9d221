"""The table is whole and its rows make sense."""

from __future__ import annotations

import re

import pytest

from sekisho.sandbox.table import Klass, Option, Profile, Row, Support, by_name, handlers, table
from sekisho.sandbox.table.table import NEWEST

ROWS = list(table().values())


def test_every_number_of_the_architecture_has_a_row() -> None:
    assert set(table()) == {*range(337), *range(424, NEWEST + 1)}
    assert len({row.name for row in ROWS}) == len(ROWS) == 385


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row: Row) -> None:
    assert row.why
    assert row.family
    for treatment in (row.default, row.strict, *row.options.values()):
        assert (treatment.rule is not None) == (treatment.klass is Klass.CHECKED)
        assert (
            bool(treatment.handler) == (treatment.klass is Klass.NOTIFIED) or treatment.klass is Klass.CHECKED
        )
        assert not (treatment.handler and treatment.errno)
        assert not treatment.resolves or treatment.direct
        if treatment.handler:
            assert re.fullmatch(rf"{row.family}\.{row.name}", treatment.handler)


def test_the_strict_profile_resolves_nothing() -> None:
    assert not any(row.strict.resolves for row in ROWS)
    assert {row.name for row in ROWS if row.default.resolves} <= {
        row.name for row in ROWS if not row.strict.direct
    }


def test_strict_is_never_looser() -> None:
    assert all(row.default.direct for row in ROWS if row.strict.direct)


@pytest.mark.parametrize(
    "name", ["fork", "vfork", "clone", "close", "dup", "dup2", "dup3", "mmap", "futex", "wait4"]
)
def test_calls_that_must_not_be_interrupted_are_direct(name: str) -> None:
    """A signal before the notification is received gives EINTR, which these never give."""
    assert by_name(name).default.direct
    assert not by_name(name).default.handler


def test_only_execution_and_registers_are_continued() -> None:
    resumed = {row.name for row in ROWS if row.default.resumes}
    execution = {"execve", "execveat"}
    registers = {"getpriority", "personality", "prctl", "seccomp", "setpriority", "umask"}
    registers |= {row.name for row in ROWS if row.family == "identity"}
    assert resumed == execution | registers | {"sched_getaffinity", "sched_setaffinity"}


def test_handlers_follow_the_profile() -> None:
    default, strict = handlers(), handlers(Profile.STRICT)
    assert default[257] == "paths.openat"
    assert 4 not in default
    assert strict[4] == "paths.stat"
    sealed = handlers(options=frozenset({Option.SEALED_NETWORK}))
    assert default[46] == "network.sendmsg"
    assert 46 not in sealed


def test_denied_calls_are_not_supported() -> None:
    for row in ROWS:
        if row.default.klass is Klass.DENIED and row.default.errno:
            assert row.support is Support.NONE, row.name
