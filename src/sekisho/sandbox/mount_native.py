"""Mounts: mount(2), pivot_root(2), and attributes of whole trees."""

from __future__ import annotations

import os
from _struct import pack

from sekisho.sandbox.abi.flags import (
    MNT_DETACH,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
)
from sekisho.sandbox.c_native import addressof, c_char_p, c_int, c_ulong, create_string_buffer, get_errno
from sekisho.sandbox.libc_native import (
    NR_FSCONFIG,
    NR_FSMOUNT,
    NR_FSOPEN,
    NR_MOUNT_SETATTR,
    NR_MOVE_MOUNT,
    NR_OPEN_TREE,
    NR_PIVOT_ROOT,
    check,
    function,
    syscall,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

AT_FDCWD: Final = -100
FSOPEN_CLOEXEC: Final = 1
FSMOUNT_CLOEXEC: Final = 1
FSCONFIG_SET_STRING: Final = 1
FSCONFIG_CMD_CREATE: Final = 6
AT_RECURSIVE: Final = 0x8000
AT_EMPTY_PATH: Final = 0x1000
OPEN_TREE_CLONE: Final = 1
OPEN_TREE_CLOEXEC: Final = 0o2000000
MOVE_MOUNT_F_EMPTY_PATH: Final = 0x4
MOVE_MOUNT_T_SYMLINKS: Final = 0x10

_text, _ulong = c_char_p, c_ulong
_mount: Final = function("mount", _text, _text, _text, _ulong, _text)
_umount2: Final = function("umount2", _text, c_int)

ATTRIBUTES: Final = {
    MS_RDONLY: MOUNT_ATTR_RDONLY,
    MS_NOSUID: MOUNT_ATTR_NOSUID,
    MS_NODEV: MOUNT_ATTR_NODEV,
    MS_NOEXEC: MOUNT_ATTR_NOEXEC,
}


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount (mount(2)). OSError says which target it was."""
    result = _mount(
        os.fsencode(source), os.fsencode(target), kind.encode() or None, flags, os.fsencode(data) or None
    )
    if result == -1:
        number = get_errno()
        raise OSError(number, os.strerror(number), target)


def bind(source: str, target: str, flags: int = 0, *, recursive: bool = True) -> None:
    """Show ``source`` at ``target``, with MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC if asked for.

    It has them before it is anywhere: nobody can put something else in its place meanwhile. Links at the
    end of either path are followed, which is how both can be descriptors (/proc/self/fd/7).
    """
    if not flags:
        mount(source, target, "", MS_BIND | (MS_REC if recursive else 0))
        return
    depth = AT_RECURSIVE if recursive else 0
    one, two, empty = (create_string_buffer(os.fsencode(text)) for text in (source, target, ""))
    tree = syscall(NR_OPEN_TREE, AT_FDCWD, addressof(one), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | depth)
    try:
        _set_attributes(tree, b"", flags, AT_EMPTY_PATH | depth)
        how = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS
        syscall(NR_MOVE_MOUNT, tree, addressof(empty), AT_FDCWD, addressof(two), how)
    finally:
        os.close(tree)


def restrict(target: str, flags: int, *, recursive: bool = True) -> None:
    """Add MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC to a mount, and to those below it."""
    _set_attributes(AT_FDCWD, os.fsencode(target), flags, AT_RECURSIVE if recursive else 0)


def _set_attributes(base: int, path: bytes, flags: int, how: int) -> None:
    attributes = sum(attribute for flag, attribute in ATTRIBUTES.items() if flags & flag)
    request = create_string_buffer(pack("=4Q", attributes, 0, 0, 0), 32)
    name = create_string_buffer(path)
    syscall(NR_MOUNT_SETATTR, base, addressof(name), how, addressof(request), 32)


def make_private(target: str = "/") -> None:
    """Nothing that is mounted below here is seen elsewhere, nor the reverse."""
    mount("", target, "", MS_REC | MS_PRIVATE)


def pivot(new_root: str) -> None:
    """Make ``new_root``, a mount, the root of this namespace, and let go of the old one with all it has."""
    os.chdir(new_root)
    dot = create_string_buffer(b".")
    # The old root is stacked over the new one and is what "." then names to umount.
    syscall(NR_PIVOT_ROOT, addressof(dot), addressof(dot))
    check(_umount2(b".", MNT_DETACH))
    os.chdir("/")


def detached(kind: str, options: Mapping[str, str], attributes: int) -> int:
    """A descriptor of a new mount that has no place in any tree."""
    name = create_string_buffer(kind.encode())
    context = syscall(NR_FSOPEN, addressof(name), FSOPEN_CLOEXEC)
    try:
        for key, value in options.items():
            one, two = (
                create_string_buffer(key.encode()),
                create_string_buffer(value.encode()),
            )
            syscall(NR_FSCONFIG, context, FSCONFIG_SET_STRING, addressof(one), addressof(two))
        syscall(NR_FSCONFIG, context, FSCONFIG_CMD_CREATE)
        return syscall(NR_FSMOUNT, context, FSMOUNT_CLOEXEC, attributes)
    finally:
        os.close(context)
