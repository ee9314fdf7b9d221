"""The table: every system call of x86-64, and the filters made from it."""

from __future__ import annotations

from errno import ENOSYS
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sekisho.sandbox.table.bpf import RET_ERRNO, encode
from sekisho.sandbox.table.build import assemble
from sekisho.sandbox.table.model import Klass, Option, Profile, Row
from sekisho.sandbox.table.rows import (
    clocks,
    events,
    files,
    identity,
    ipc,
    memory,
    network,
    paths,
    process,
    signals,
    system,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_OPTIONS: Final[frozenset[Option]] = frozenset()

NEWEST: Final = 471
"""The highest number that has a row; numbers above it, and gaps, are answered ENOSYS."""


@cache
def table() -> Mapping[int, Row]:
    """Every row, by number."""
    families = {
        "files": files,
        "paths": paths,
        "memory": memory,
        "process": process,
        "identity": identity,
        "signals": signals,
        "clocks": clocks,
        "events": events,
        "network": network,
        "ipc": ipc,
        "system": system,
    }
    rows: dict[int, Row] = {}
    for family, module in families.items():
        for row in module.ROWS:
            assert row.number not in rows, f"{row.name} has the number of {rows[row.number].name}"
            rows[row.number] = row.of(family)
    return MappingProxyType(dict(sorted(rows.items())))


def filter(profile: Profile = Profile.DEFAULT, options: frozenset[Option] = NO_OPTIONS) -> bytes:
    """The workload's filter: an array of ``struct sock_filter`` for seccomp(SECCOMP_SET_MODE_FILTER).

    Numbers without a row are answered ENOSYS; 32-bit and x32 entry kill the process.
    """
    treatments = {number: row.treatment(profile, options) for number, row in table().items()}
    return encode(assemble(treatments, unknown=RET_ERRNO | ENOSYS))


def handlers(profile: Profile = Profile.DEFAULT, options: frozenset[Option] = NO_OPTIONS) -> dict[int, str]:
    """Which handler of the Sentry (``family.function``) answers which number, for this filter."""
    found = {}
    for number, row in table().items():
        treatment = row.treatment(profile, options)
        if treatment.handler and treatment.klass is not Klass.DENIED:
            found[number] = treatment.handler
    return found


def by_name(name: str) -> Row:
    """The row of a call. Raises KeyError for a name that is no system call."""
    for row in table().values():
        if row.name == name:
            return row
    raise KeyError(name)
