"""/proc as the workload sees it: its own process ids' procfs, files of our own, and magic links looked at
singly.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from sekisho.sandbox.abi.flags import (
    AT_FDCWD,
    O_ACCMODE,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_PATH,
    O_TRUNC,
    RESOLVE_NO_MAGICLINKS,
)
from sekisho.sandbox.probe import FILTERED, proc_file, process_file
from sekisho.sandbox.sentry import task
from sekisho.sandbox.sentry.call import Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.sentry.call import Call

MAX_LINKS = 40
"""Symbolic links on the way: the kernel's own number."""

_MAGIC = frozenset((b"exe", b"cwd", b"root"))
_LINK = O_PATH | O_NOFOLLOW | O_CLOEXEC


def another_way(call: Call, base: int, path: bytes, flags: int) -> int | None:
    """Open what the kernel could not find from here, because /proc/self or a magic link stands on the way.

    None: there is none on the way, and the kernel's answer holds.
    """
    if flags & O_CREAT and flags & O_EXCL:
        return None
    if not _may_pass_proc(call, base, path):
        return None
    walk = _Walk(call, base)
    try:
        walk.along(path, follow=not flags & O_NOFOLLOW)
        if not walk.passed:
            return None
        return walk.open(flags)
    finally:
        walk.close()


def _may_pass_proc(call: Call, base: int, path: bytes) -> bool:
    """Whether /proc may be on the way: by its text, or because what it names is a link that leads nowhere."""
    if b"proc" in path or path.startswith(b"/dev/"):
        return True
    if base != AT_FDCWD and os.fstat(base).st_dev == call.kernel.proc_device:
        return True
    fd = call.opener.attempt(base, path, _LINK, 0, RESOLVE_NO_MAGICLINKS)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


class _Walk:
    """A path, walked one part at a time; ``at`` is a handle on where it stands."""

    def __init__(self, call: Call, base: int) -> None:
        self._call = call
        self._links = 0
        self.passed = False
        self._access = O_ACCMODE
        self._jumped = False
        self.at = os.dup(base) if base != AT_FDCWD else call.opener.open(AT_FDCWD, b"/", O_PATH | O_CLOEXEC)

    def close(self) -> None:
        os.close(self.at)

    def _move(self, fd: int) -> None:
        os.close(self.at)
        self.at = fd
        self._jumped = False

    def along(self, path: bytes, *, follow: bool) -> None:
        """Walk; the last part is followed if it is a link and ``follow`` says so."""
        if path.startswith(b"/"):
            self._move(self._call.opener.open(AT_FDCWD, b"/", O_PATH | O_CLOEXEC))
        parts = [part for part in path.split(b"/") if part not in (b"", b".")]
        for place, part in enumerate(parts):
            last = place == len(parts) - 1 and not path.endswith(b"/")
            self._step(part, follow=follow or not last)

    def _step(self, part: bytes, *, follow: bool) -> None:
        call = self._call
        in_proc = os.fstat(self.at).st_dev == call.kernel.proc_device
        fd = call.opener.open(self.at, part, _LINK)
        if not stat.S_ISLNK(os.fstat(fd).st_mode):
            self._move(fd)
            return
        if not follow:
            self._move(fd)
            return
        try:
            self._links += 1
            if self._links > MAX_LINKS:
                raise Errno(errno.ELOOP)
            if in_proc and part in (b"self", b"thread-self"):
                process, thread = task.inner_ids(call)
                self.passed = True
                text = b"%d" % process if part == b"self" else b"%d/task/%d" % (process, thread)
            elif in_proc and self._is_magic(part):
                self.passed = True
                self._jump(part)
                return
            else:
                text = os.readlink(b"", dir_fd=fd)
        finally:
            os.close(fd)
        self.along(text, follow=True)

    def _is_magic(self, part: bytes) -> bool:
        where = os.readlink(f"self/fd/{self.at}")
        return part in _MAGIC or where.endswith(("/fd", "/map_files", "/ns"))

    def _jump(self, part: bytes) -> None:
        """Follow a magic link as the workload may: without our right to look into every process."""
        call = self._call
        self._access = O_ACCMODE
        if part.isdigit():
            self._access = _access_of(call, self.at, part)
        with call.plainly():
            fd = call.opener.open(self.at, part, O_PATH | O_CLOEXEC, 0, 0)
        self._move(fd)
        self._jumped = True

    def open(self, flags: int) -> int:
        """Open where the walk ended."""
        call = self._call
        if self._jumped:
            wanted = flags & O_ACCMODE
            if self._access not in (os.O_RDWR, wanted, O_ACCMODE):
                raise Errno(errno.EACCES)
            mode = os.fstat(self.at).st_mode
            if stat.S_ISSOCK(mode):
                raise Errno(errno.ENXIO)
        if flags & O_PATH:
            if flags & O_DIRECTORY and not stat.S_ISDIR(os.fstat(self.at).st_mode):
                raise Errno(errno.ENOTDIR)
            return os.dup(self.at)
        if stat.S_ISLNK(os.fstat(self.at).st_mode):
            raise Errno(errno.ELOOP)
        clean = flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)
        with call.plainly():
            return os.open(f"self/fd/{self.at}", clean | O_CLOEXEC)


def _access_of(call: Call, fd_directory: int, part: bytes) -> int:
    """The access mode of a descriptor that /proc/<pid>/fd shows: opening it again may not widen it."""
    info = call.opener.open(fd_directory, b"../fdinfo/" + part, O_CLOEXEC)
    try:
        text = os.read(info, 512)
    finally:
        os.close(info)
    for line in text.splitlines():
        if line.startswith(b"flags:"):
            flags = int(line.split()[1], 8)
            return O_ACCMODE if flags & O_PATH else flags & O_ACCMODE
    raise Errno(errno.EACCES)


WRITABLE = frozenset(("comm", "coredump_filter", "oom_score_adj", "timerslack_ns"))
"""Files of a process that may be written: they change that process alone."""

HIDDEN_OF_PROCESS = frozenset(
    ("clear_refs", "map_files", "mem", "pagemap", "personality", "seccomp_cache", "stack", "syscall")
)
"""Files of a process that show or change its memory past the calls that are denied for it."""

FOLDERS = frozenset(("", "net", "self", "sys", "thread-self"))
"""What may be opened at the top of /proc beside processes and the files that are ours."""


def open_checked(call: Call, fd: int, flags: int) -> int:
    """A descriptor for a file or directory of /proc that ``fd`` was opened on: the kernel's, or one of ours.

    EACCES for what shows or changes the host, or a process's memory past the calls that are denied for it.
    """
    path = os.readlink(f"self/fd/{fd}").removeprefix("/proc").strip("/")
    parts = path.split("/")
    writes = flags & O_ACCMODE != os.O_RDONLY
    if parts[0].isdigit():
        rest = parts[3:] if parts[1:2] == ["task"] else parts[1:]
        name = rest[0] if rest else ""
        if name in HIDDEN_OF_PROCESS or (writes and name not in WRITABLE):
            raise Errno(errno.EACCES)
        if name in FILTERED:
            return _filtered(call, fd, name)
        return _again(call, fd, flags)
    if writes:
        raise Errno(errno.EACCES)
    data = proc_file(path, call.kernel.world())
    if data is not None:
        return _made(parts[-1], data)
    if parts[0] not in FOLDERS or not stat.S_ISDIR(os.fstat(fd).st_mode):
        raise Errno(errno.EACCES)
    return _again(call, fd, flags)


def _again(call: Call, fd: int, flags: int) -> int:
    """Open the kernel's own file again, with the workload's rights: looking into a process takes them."""
    with call.plainly():
        return os.open(f"self/fd/{fd}", flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW | O_TRUNC) | O_CLOEXEC)


def _filtered(call: Call, fd: int, name: str) -> int:
    again = _again(call, fd, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(again, 65_536):
            parts.append(part)
    finally:
        os.close(again)
    data = process_file(name, b"".join(parts), call.kernel.world())
    assert data is not None
    return _made(name, data)


def _made(name: str, data: bytes) -> int:
    """A file of our own, which nobody can change."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.write(fd, data)
        fcntl.fcntl(fd, F_ADD_SEALS, ALL_SEALS)
        return os.open(f"self/fd/{fd}", os.O_RDONLY | O_CLOEXEC)
    finally:
        os.close(fd)


F_ADD_SEALS, ALL_SEALS = 1033, 0xF
