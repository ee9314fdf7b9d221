"""Calls on open files: data, descriptors, and what copies between them."""

from __future__ import annotations

from errno import EINVAL, ENOSYS
from typing import Final

from sekisho.sandbox.table.model import (
    PLAIN,
    Row,
    Rule,
    Support,
    all_of,
    any_of,
    call,
    checked,
    denied,
    notified,
    one_of,
    within,
    without,
)

_INJECTED: Final = "acts on descriptors that the Sentry injected or the workload derived from them"

CLOEXEC: Final = {"O_CLOEXEC": 0o2000000}

FCNTL: Final = {
    "F_DUPFD": 0,
    "F_GETFD": 1,
    "F_SETFD": 2,
    "F_GETFL": 3,
    "F_GETLK": 5,
    "F_SETLK": 6,
    "F_SETLKW": 7,
    "F_OFD_GETLK": 36,
    "F_OFD_SETLK": 37,
    "F_OFD_SETLKW": 38,
    "F_DUPFD_QUERY": 1027,
    "F_DUPFD_CLOEXEC": 1030,
    "F_GETPIPE_SZ": 1032,
    "F_ADD_SEALS": 1033,
    "F_GET_SEALS": 1034,
}
"""Not F_SETOWN, F_SETSIG, F_SETLEASE, F_NOTIFY: they make the kernel signal on behalf of a file."""

IOCTL: Final = {
    "TCGETS": 0x5401,
    "TCSETS": 0x5402,
    "TCSETSW": 0x5403,
    "TCSETSF": 0x5404,
    "TCSBRK": 0x5409,
    "TCXONC": 0x540A,
    "TCFLSH": 0x540B,
    "TIOCSCTTY": 0x540E,
    "TIOCGPGRP": 0x540F,
    "TIOCSPGRP": 0x5410,
    "TIOCOUTQ": 0x5411,
    "TIOCGWINSZ": 0x5413,
    "TIOCSWINSZ": 0x5414,
    "FIONREAD": 0x541B,
    "FIONBIO": 0x5421,
    "TIOCNOTTY": 0x5422,
    "TCSBRKP": 0x5425,
    "TIOCGSID": 0x5429,
    "TCGETS2": 0x802C542A,
    "TCSETS2": 0x402C542B,
    "TCSETSW2": 0x402C542C,
    "TCSETSF2": 0x402C542D,
    "TIOCGPTN": 0x80045430,
    "TIOCSPTLCK": 0x40045431,
    "FIONCLEX": 0x5450,
    "FIOCLEX": 0x5451,
}
"""Terminals and descriptors. Not TIOCSTI and TIOCLINUX (they type into a terminal), FIOASYNC, a device's."""

SETFL: Final[Rule] = all_of(
    one_of(1, "cmd", {"F_SETFL": 4}), without(2, "flags", {"O_ASYNC": 0o20000, "O_DIRECT": 0o40000}, width=64)
)

ROWS: Final[tuple[Row, ...]] = (
    call(0, "read", PLAIN, _INJECTED),
    call(1, "write", PLAIN, _INJECTED),
    call(
        3, "close", PLAIN, "a spurious EINTR here would leak or double-close; only the workload's own table"
    ),
    call(5, "fstat", PLAIN, "metadata of an injected object"),
    call(8, "lseek", PLAIN, _INJECTED),
    call(
        16,
        "ioctl",
        checked(one_of(1, "cmd", IOCTL), handler="files.ioctl"),
        "terminals and descriptors only; no device's commands",
        note="FIOASYNC and FIOSETOWN are taken, but no SIGIO is sent",
        support=Support.PARTIAL,
    ),
    call(17, "pread64", PLAIN, _INJECTED),
    call(18, "pwrite64", PLAIN, _INJECTED),
    call(19, "readv", PLAIN, _INJECTED),
    call(20, "writev", PLAIN, _INJECTED),
    call(32, "dup", PLAIN, "the workload's own descriptor table"),
    call(33, "dup2", PLAIN, "the workload's own descriptor table"),
    call(
        40,
        "sendfile",
        notified("files.sendfile"),
        "spliced pages are where pipe bugs live: the Sentry copies",
    ),
    call(
        72,
        "fcntl",
        checked(any_of(all_of(one_of(1, "cmd", FCNTL)), SETFL), handler="files.fcntl"),
        "duplicates, flags, record locks and seals; nothing that makes the kernel signal or lease",
        note="F_SETOWN and O_ASYNC are taken, but no SIGIO is sent; F_SETSIG, F_SETLEASE and F_NOTIFY fail "
        "with EINVAL",
        support=Support.PARTIAL,
    ),
    call(
        73,
        "flock",
        PLAIN,
        "may block, so the Sentry cannot do it; a lock needs only an injected descriptor",
        note="a lock on a file shared with the host is seen by the host",
    ),
    call(74, "fsync", PLAIN, _INJECTED),
    call(75, "fdatasync", PLAIN, _INJECTED),
    call(77, "ftruncate", PLAIN, "needs a descriptor injected for writing"),
    call(
        78,
        "getdents",
        notified("files.getdents"),
        "superseded by getdents64; the Sentry translates",
    ),
    call(
        91,
        "fchmod",
        notified("files.fchmod"),
        "no set-user-id bits may be left on a host's disk",
    ),
    call(93, "fchown", notified("files.fchown"), "ownership is the Sentry's to give"),
    call(138, "fstatfs", PLAIN, "metadata of an injected object", strict=notified("files.fstatfs")),
    call(162, "sync", notified("files.sync"), "flushing the whole host is denial of service"),
    call(
        187,
        "readahead",
        denied(0),
        "a hint; it does nothing",
        support=Support.PARTIAL,
    ),
    call(
        217,
        "getdents64",
        PLAIN,
        "lists a directory that the Sentry injected",
        strict=notified("files.getdents64"),
    ),
    call(
        221,
        "fadvise64",
        denied(0),
        "a hint; dropping the page cache that is shared with the host is a side channel",
        support=Support.PARTIAL,
    ),
    call(
        275,
        "splice",
        denied(EINVAL),
        "moved pages are where pipe bugs live; programs fall back to copying on EINVAL",
    ),
    call(276, "tee", denied(EINVAL), "shares pages between pipes; programs fall back to copying on EINVAL"),
    call(277, "sync_file_range", denied(ENOSYS), "a hint about write-back that programs do without"),
    call(278, "vmsplice", denied(ENOSYS), "gives user pages to a pipe"),
    call(285, "fallocate", notified("files.fallocate"), "room on a disk is the Sentry's to give"),
    call(
        292, "dup3", checked(within(2, "flags", CLOEXEC), errno=EINVAL), "the workload's own descriptor table"
    ),
    call(295, "preadv", PLAIN, _INJECTED),
    call(296, "pwritev", PLAIN, _INJECTED),
    call(306, "syncfs", notified("files.syncfs"), "flushing a disk of the host is denial of service"),
    call(
        319,
        "memfd_create",
        notified("files.memfd_create"),
        "counted; never with huge pages",
    ),
    call(
        326,
        "copy_file_range",
        notified("files.copy_file_range"),
        "the Sentry copies, so that no file system's own offload is reached",
    ),
    call(327, "preadv2", denied(ENOSYS), "libraries fall back to preadv"),
    call(328, "pwritev2", denied(ENOSYS), "libraries fall back to pwritev; its flags override O_APPEND"),
    call(
        436,
        "close_range",
        checked(within(2, "flags", {"CLOSE_RANGE_UNSHARE": 2, "CLOSE_RANGE_CLOEXEC": 4}), errno=EINVAL),
        "the workload's own descriptor table",
    ),
)
