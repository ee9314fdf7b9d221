"""Users, groups and capabilities, as the Sentry gives them out."""

from __future__ import annotations

from typing import Final

from sekisho.sandbox.table.model import Row, call, notified

_GETS: Final = "the identity that the Sentry keeps for the task; the real one holds no capability"
_SETS: Final = "the Sentry changes the identity that it acts with; the kernel's own never changes"

ROWS: Final[tuple[Row, ...]] = tuple(
    call(number, name, notified(f"identity.{name}"), _SETS if "set" in name else _GETS)
    for number, name in (
        (102, "getuid"),
        (104, "getgid"),
        (105, "setuid"),
        (106, "setgid"),
        (107, "geteuid"),
        (108, "getegid"),
        (113, "setreuid"),
        (114, "setregid"),
        (115, "getgroups"),
        (116, "setgroups"),
        (117, "setresuid"),
        (118, "getresuid"),
        (119, "setresgid"),
        (120, "getresgid"),
        (122, "setfsuid"),
        (123, "setfsgid"),
        (125, "capget"),
        (126, "capset"),
    )
)
