"""Users, groups and capabilities, as the Sentry gives them out."""

from __future__ import annotations

from typing import Final

from sekisho.sandbox.table.model import Row, call, notified

_GETS: Final = "the caller's own, in the sandbox's user namespace"
_SETS: Final = "the Sentry must know when a process becomes somebody else, whom it then acts as"
_NUMBERS: Final = "nothing: what is decided on stands in registers"
_OWN: Final = (
    "other numbers, which the kernel judges by what the caller holds in the sandbox's user namespace"
)

ROWS: Final[tuple[Row, ...]] = tuple(
    call(
        number,
        name,
        notified(f"identity.{name}", resumes=_OWN if name in ("setgroups", "capset") else _NUMBERS),
        _SETS if "set" in name else _GETS,
    )
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
