"""Landlock: a process's promise to the kernel about what it will reach."""

from __future__ import annotations

import errno
import os
from _struct import pack

from sekisho.sandbox import c_native
from sekisho.sandbox.abi.flags import LANDLOCK_CREATE_RULESET_VERSION, LANDLOCK_RULE_PATH_BENEATH
from sekisho.sandbox.libc_native import (
    NR_LANDLOCK_ADD_RULE,
    NR_LANDLOCK_CREATE_RULESET,
    NR_LANDLOCK_RESTRICT_SELF,
    syscall,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

ACCESS_OF_VERSION: Final = (0, 13, 14, 15, 15, 16, 16, 16)
"""How many rights on files each version of the interface knows; later versions are treated as the last."""

SCOPES: Final = 0b11
"""Abstract unix sockets and signals stay inside (version 6)."""

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8


def version() -> int:
    """The version of the kernel's interface; 0 where there is none."""
    try:
        return syscall(NR_LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_CREATE_RULESET_VERSION)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP):
            return 0
        raise


def restrict(rules: Iterable[tuple[int, int]], *, handled: int = -1, scopes: bool = True) -> int:
    """Deny this thread every handled right on files but those that ``rules`` give.

    A rule is a descriptor of a directory or file (O_PATH will do) and the rights below it; -1 is all of them.
    Returns the version of the interface; with 0 nothing was done. The process must have no-new-privileges.
    """
    level = version()
    if not level:
        return 0
    known = (1 << ACCESS_OF_VERSION[min(level, len(ACCESS_OF_VERSION) - 1)]) - 1
    handled &= known
    fields = [handled, 0, SCOPES if scopes and level >= 6 else 0]
    size = 8 if level < 4 else 16 if level < 6 else 24
    buffer = c_native.create_string_buffer(pack("=3Q", *fields)[:size], size)
    ruleset = syscall(NR_LANDLOCK_CREATE_RULESET, c_native.addressof(buffer), size)
    try:
        for fd, rights in rules:
            rule = c_native.create_string_buffer(pack("=Qi", rights & handled, fd), 12)
            syscall(NR_LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, c_native.addressof(rule))
        syscall(NR_LANDLOCK_RESTRICT_SELF, ruleset)
    finally:
        os.close(ruleset)
    return level
