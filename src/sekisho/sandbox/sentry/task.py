"""What the Sentry asks the host's kernel about a calling thread.

Nothing is kept between calls that the workload can change without being notified: a thread's working
directory, descriptors and umask are its own, and are asked for when they matter.
"""

from __future__ import annotations

import errno
import os

from sekisho.sandbox import process_native
from sekisho.sandbox.abi.capabilities import ON_FILES
from sekisho.sandbox.abi.flags import AT_FDCWD, O_CLOEXEC, O_PATH, PIDFD_THREAD
from sekisho.sandbox.sentry.call import Errno, Gone
from sekisho.sandbox.sentry.kernel import Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from sekisho.sandbox.sentry.call import Call
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

_HANDLE = O_PATH | O_CLOEXEC


def directory(call: Call, dirfd: int) -> int:
    """A handle (O_PATH) on what relative paths start from: a descriptor of the caller's, or AT_FDCWD."""
    name = f"{call.tid}/cwd" if dirfd == AT_FDCWD else f"{call.tid}/fd/{dirfd}"
    try:
        return os.open(name, _HANDLE)
    except FileNotFoundError:
        call.valid()
        raise Errno(errno.EBADF if dirfd != AT_FDCWD else errno.ENOENT) from None


def descriptor(call: Call, number: int) -> int:
    """A handle (O_PATH) on what a descriptor of the caller's is open on; EBADF."""
    if number < 0:
        raise Errno(errno.EBADF)
    return directory(call, number)


def status(tid: int) -> bytes:
    """/proc/<tid>/status."""
    try:
        fd = os.open(f"{tid}/status", os.O_RDONLY | O_CLOEXEC)
    except OSError:
        raise Gone from None
    try:
        text = os.read(fd, STATUS_MOST)
    except OSError:
        raise Gone from None
    finally:
        os.close(fd)
    return text


STATUS_MOST = 1 << 20
"""Bytes of a status: a process may have 65,536 groups."""


def _status_field(tid: int, name: bytes) -> bytes:
    text = status(tid)
    start = text.find(name)
    return text[start + len(name) : text.index(b"\n", start + len(name))]


def umask(call: Call) -> int:
    """The caller's umask."""
    if call.kernel.umask_known:
        return call.kernel.umask
    return int(_status_field(call.tid, b"\nUmask:\t"), 8)


def identity(call: Call) -> Identity:
    """Whom the caller reaches files as."""
    text = status(call.tid)
    rows = dict(line.split(b":\t", 1) for line in text.splitlines() if b":\t" in line)
    effective = int(rows[b"CapEff"], 16)
    return Identity(
        int(rows[b"Uid"].split()[3]),
        int(rows[b"Gid"].split()[3]),
        tuple(int(group) for group in rows[b"Groups"].split()),
        frozenset(number for number in ON_FILES if effective >> number & 1),
    )


def process_of(call: Call) -> int:
    """The caller's process (thread group), as the Sentry numbers it."""
    return int(_status_field(call.tid, b"\nTgid:\t"))


def inner_ids(call: Call) -> tuple[int, int]:
    """The caller's process and thread, as the workload numbers them."""
    process = _status_field(call.tid, b"\nNStgid:\t").split()[-1]
    thread = _status_field(call.tid, b"\nNSpid:\t").split()[-1]
    return int(process), int(thread)


def terminal(call: Call) -> int:
    """The device number of the caller's controlling terminal; 0 if it has none."""
    try:
        fd = os.open(f"{call.tid}/stat", os.O_RDONLY | O_CLOEXEC)
    except OSError:
        raise Gone from None
    try:
        text = os.read(fd, 4096)
    finally:
        os.close(fd)
    # pid (comm) state ppid pgrp session tty_nr ...; the name may hold anything, so count from its end.
    encoded = int(text[text.rindex(b")") + 2 :].split()[4])
    return os.makedev(encoded >> 8 & 0xFFF, encoded & 0xFF | encoded >> 12 & 0xFFF00)


def name(tid: int) -> bytes:
    """The name of a thread, as ``ps`` shows it; empty if it is gone."""
    try:
        fd = os.open(f"{tid}/comm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, 64).rstrip(b"\n")
    except OSError:
        return b""
    finally:
        os.close(fd)


def descriptor_flags(call: Call, number: int) -> int:
    """The flags of a descriptor of the caller's: those of its open file, and O_CLOEXEC; EBADF."""
    try:
        fd = os.open(f"{call.tid}/fdinfo/{number}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise Errno(errno.EBADF) from None
    try:
        text = os.read(fd, 4096)
    finally:
        os.close(fd)
    rows = dict(line.split(b":\t", 1) for line in text.splitlines() if b":\t" in line)
    return int(rows[b"flags"], 8)


def take(call: Call, number: int) -> int:
    """A duplicate of a descriptor of the caller's, to be closed; EBADF.

    It is the same open file: its offset and flags are the caller's too.
    """
    if number < 0:
        raise Errno(errno.EBADF)
    pidfd = _pidfd(call)
    try:
        return process_native.getfd(pidfd, number)
    except OSError as error:
        if error.errno == errno.ESRCH:
            raise Gone from None
        raise
    finally:
        os.close(pidfd)


def _pidfd(call: Call) -> int:
    try:
        return os.pidfd_open(call.tid, PIDFD_THREAD)
    except ProcessLookupError:
        raise Gone from None
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return os.pidfd_open(process_of(call))  # Linux before 6.9 knows processes only


RLIMIT_FSIZE = 1


def bounded(call: Call, size: int) -> None:
    """Raise EFBIG, and signal it, if the caller may not make a file this large: the Sentry itself may."""
    if size > process_native.limits(call.tid, RLIMIT_FSIZE)[0]:
        call.valid()
        os.kill(call.tid, signal.SIGXFSZ)
        raise Errno(errno.EFBIG)


def outer(call: Call, pid: int) -> int:
    """A process or thread id of the workload's, as the Sentry numbers it; 0 is the caller. ESRCH."""
    if pid == 0:
        return call.tid
    process, thread = inner_ids(call)
    if pid == thread:
        return call.tid
    if pid == process:
        return process_of(call)
    raise Errno(errno.ESRCH)
