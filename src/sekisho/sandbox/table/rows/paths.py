"""Calls that take a path, or change what one means."""

from __future__ import annotations

from errno import ENOSYS, EPERM
from typing import Final

from sekisho.sandbox.table.model import (
    RESOLVES,
    Row,
    Rule,
    all_of,
    any_of,
    call,
    checked,
    denied,
    has,
    notified,
    without,
)

_OPENS: Final = "the Sentry opens inside the root and injects the object that it checked"
_LISTS: Final = (
    "a directory that is only read, or a handle that reads nothing, inside the sandbox's private mount tree, "
    "as chdir and readlink are; whatever else is opened, the Sentry opens and injects"
)
_CHANGES: Final = "the Sentry changes the tree, with the workload's identity"
_READS: Final = "reads metadata inside the sandbox's private mount tree"
_ATTRIBUTES: Final = "extended attributes are the Sentry's to give"
_NEW: Final = "newer than the calls that libraries need; they fall back"


def _read(number: int, name: str, note: str = "") -> Row:
    return call(number, name, RESOLVES, _READS, strict=notified(f"paths.{name}"), note=note)


_WRITES: Final = {
    "O_WRONLY": 1,
    "O_RDWR": 2,
    "O_CREAT": 0o100,
    "O_TRUNC": 0o1000,
    "__O_TMPFILE": 0o20000000,
}


def _lists(flags: int) -> Rule:
    return any_of(
        all_of(has(flags, "flags", {"O_PATH": 0o10000000})),
        all_of(has(flags, "flags", {"O_DIRECTORY": 0o200000}), without(flags, "flags", _WRITES)),
    )


def _open(number: int, name: str, flags: int | None = None) -> Row:
    if flags is not None:
        return call(
            number,
            name,
            checked(_lists(flags), handler=f"paths.{name}", resolves=True),
            _LISTS,
            strict=notified(f"paths.{name}"),
        )
    return call(number, name, notified(f"paths.{name}"), _OPENS)


def _change(number: int, name: str) -> Row:
    return call(number, name, notified(f"paths.{name}"), _CHANGES)


def _attribute(number: int, name: str) -> Row:
    return call(number, name, notified(f"paths.{name}"), _ATTRIBUTES)


ROWS: Final[tuple[Row, ...]] = (
    _open(2, "open", flags=1),
    _read(4, "stat"),
    _read(6, "lstat"),
    _read(21, "access"),
    _change(76, "truncate"),
    _read(79, "getcwd", note="a deleted directory reads as the kernel writes it"),
    _read(80, "chdir", note="the kernel's own working directory is what execve resolves from"),
    _read(81, "fchdir", note="only to a directory that the Sentry injected; it was opened inside the tree"),
    _change(82, "rename"),
    _change(83, "mkdir"),
    _change(84, "rmdir"),
    _open(85, "creat"),
    _change(86, "link"),
    _change(87, "unlink"),
    _change(88, "symlink"),
    _read(89, "readlink"),
    _change(90, "chmod"),
    _change(92, "chown"),
    _change(94, "lchown"),
    _change(132, "utime"),
    _change(133, "mknod"),
    call(137, "statfs", notified("paths.statfs"), "the Sentry asks, and leaves out the disk's own id"),
    call(161, "chroot", denied(EPERM), "the root is the sandbox's; the kernel would ask for a capability"),
    _attribute(188, "setxattr"),
    _attribute(189, "lsetxattr"),
    _attribute(190, "fsetxattr"),
    _attribute(191, "getxattr"),
    _attribute(192, "lgetxattr"),
    _attribute(193, "fgetxattr"),
    _attribute(194, "listxattr"),
    _attribute(195, "llistxattr"),
    _attribute(196, "flistxattr"),
    _attribute(197, "removexattr"),
    _attribute(198, "lremovexattr"),
    _attribute(199, "fremovexattr"),
    _change(235, "utimes"),
    call(
        254,
        "inotify_add_watch",
        notified("paths.inotify_add_watch"),
        "the Sentry watches the object that it resolved",
    ),
    _open(257, "openat", flags=2),
    _change(258, "mkdirat"),
    _change(259, "mknodat"),
    _change(260, "fchownat"),
    _change(261, "futimesat"),
    _read(262, "newfstatat"),
    _change(263, "unlinkat"),
    _change(264, "renameat"),
    _change(265, "linkat"),
    _change(266, "symlinkat"),
    _read(267, "readlinkat"),
    _change(268, "fchmodat"),
    _read(269, "faccessat"),
    _change(280, "utimensat"),
    call(303, "name_to_handle_at", denied(EPERM), "file handles bypass paths and mounts"),
    call(304, "open_by_handle_at", denied(EPERM), "file handles bypass paths and mounts"),
    _change(316, "renameat2"),
    _read(332, "statx"),
    _open(437, "openat2"),
    _read(439, "faccessat2"),
    _change(452, "fchmodat2"),
    call(463, "setxattrat", denied(ENOSYS), _NEW),
    call(464, "getxattrat", denied(ENOSYS), _NEW),
    call(465, "listxattrat", denied(ENOSYS), _NEW),
    call(466, "removexattrat", denied(ENOSYS), _NEW),
    call(468, "file_getattr", denied(ENOSYS), _NEW),
    call(469, "file_setattr", denied(ENOSYS), _NEW),
)
