"""Messages between the processes that make up one sandbox: a kind and a body, over a pair of sockets."""

from __future__ import annotations

import os
from _socket import (
    AF_UNIX,
    SCM_RIGHTS,
    SO_PASSCRED,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    socket,
    socketpair,
)
from _struct import Struct

from sekisho.sandbox.abi.flags import O_CLOEXEC, O_DIRECTORY, O_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

MOST: Final = 8192
LONGEST: Final = 107
"""Bytes of a Unix socket's path: sun_path, less its NUL."""
SCM_CREDENTIALS: Final = 2
CREDENTIALS: Final = Struct("=iII")
FD: Final = Struct("=i")

# What the first byte of a message says.
TREE: Final = b"T"
"""Init: the tree stands, the namespaces are made."""
MAPPED: Final = b"M"
"""Sentry: the user namespace has its maps."""
MASTER: Final = b"C"
"""Init, then Sentry: the console's master, as a descriptor."""
WORKLOAD: Final = b"P"
"""The workload before its filter: this is who I am (by the credentials of the message)."""
LISTENER: Final = b"L"
"""The workload: the number of its listener."""
GO: Final = b"G"
"""Sentry: run."""
RUNNING: Final = b"R"
"""Sentry: calls are being answered; the process ids of init and of the workload."""
EXITED: Final = b"S"
"""Init, then Sentry: the workload's wait status."""
FAILED: Final = b"E"
"""Anybody: it cannot be done; a SandboxError."""


def pair() -> tuple[socket, socket]:
    """Two connected ends. The first one is told who sends."""
    one, two = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)
    one.setsockopt(SOL_SOCKET, SO_PASSCRED, 1)
    return one, two


class Message:
    """A message received: its kind, its body, the sender's process id as the receiver numbers it, a
    descriptor.
    """

    __slots__ = ("body", "fd", "kind", "pid")

    def __init__(self, kind: bytes, body: bytes, pid: int, fd: int) -> None:
        self.kind = kind
        self.body = body
        self.pid = pid
        self.fd = fd


def send(sock: socket, kind: bytes, body: bytes = b"", fd: int = -1) -> None:
    """Send a message, and a descriptor with it."""
    if fd < 0:
        sock.send(kind + body)
    else:
        sock.sendmsg((kind + body,), ((SOL_SOCKET, SCM_RIGHTS, FD.pack(fd)),))


def send_to(path: str, kind: bytes, fds: Sequence[int]) -> None:
    """Send a message with descriptors to whoever is bound to a path."""
    sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC)
    try:
        rights = b"".join(map(FD.pack, fds))
        with _Near(path) as near:
            sock.sendmsg((kind,), ((SOL_SOCKET, SCM_RIGHTS, rights),), 0, near)
    finally:
        sock.close()


def receive_fds(sock: socket) -> list[int]:
    """The descriptors of the next message."""
    _data, ancillary, _flags, _address = sock.recvmsg(MOST, 256)
    found = []
    for level, kind, value in ancillary:
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            found += [fd for (fd,) in FD.iter_unpack(value[: len(value) & ~3])]
    return found


def bind(path: str) -> socket:
    """A socket that takes such messages at a path."""
    sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    with _Near(path) as near:
        sock.bind(near)
    return sock


class _Near:
    """A context in which a path of any length has a name that fits into a socket's address."""

    __slots__ = ("_fd", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= LONGEST:
            return self._path
        folder, _, name = self._path.rpartition("/")
        self._fd = os.open(folder or "/", O_PATH | O_DIRECTORY | O_CLOEXEC)
        return f"/proc/self/fd/{self._fd}/{name}"

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def receive(sock: socket) -> Message | None:
    """The next message; None when the other end is gone."""
    data, ancillary, _flags, _address = sock.recvmsg(MOST, 64)
    if not data:
        return None
    pid, fd = 0, -1
    for level, kind, value in ancillary:
        if level == SOL_SOCKET and kind == SCM_CREDENTIALS:
            pid = CREDENTIALS.unpack(value)[0]
        elif level == SOL_SOCKET and kind == SCM_RIGHTS:
            (fd,) = FD.unpack(value[: FD.size])
            os.set_inheritable(fd, False)
    return Message(data[:1], data[1:], pid, fd)
