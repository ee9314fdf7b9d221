"""What the Sentry and the connector say to each other: one request and one reply at a time."""

from __future__ import annotations

import _thread
import errno
import os
from _socket import MSG_CMSG_CLOEXEC, SCM_RIGHTS, SOL_SOCKET, socket
from _struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

CONNECT: Final = 1
"""Make a socket and connect it: the reply has it, connected or about to be."""
VERDICT: Final = 2
"""Only say whether."""
BIND: Final = 3
"""Make a socket that listens on the machine for a port of the sandbox; ``LOCAL`` if that is not published."""
INWARD: Final = 4
"""Connect to a port of the sandbox that is published."""

REQUEST: Final = Struct("=BBHHxxI16s")
"""What, the family, the type, the protocol; who asks, by process id inside and name. An address follows."""
REPLY: Final = Struct("=ii")
"""An error number, or 0; a note. A descriptor may come along."""
FD: Final = Struct("=i")
LOCAL: Final = 1
REQUEST_MOST: Final = 256


class Asked:
    """A request that was read."""

    __slots__ = ("address", "family", "kind", "op", "pid", "program", "protocol")

    def __init__(self, data: bytes) -> None:
        self.op, self.family, self.kind, self.protocol, self.pid, raw = REQUEST.unpack_from(data)
        self.program = raw.rstrip(b"\0").decode("utf-8", "replace")
        self.address = data[REQUEST.size :]


class Answer:
    """A reply: the error number, the note, a descriptor or -1."""

    __slots__ = ("error", "fd", "note")

    def __init__(self, error: int, note: int, fd: int) -> None:
        self.error = error
        self.note = note
        self.fd = fd


class Link:
    """The Sentry's end. Any thread may ask; whoever asks, waits for others to have had their answer."""

    __slots__ = ("_lock", "_sock")

    def __init__(self, sock: socket) -> None:
        self._sock = sock
        self._lock = _thread.allocate_lock()

    def ask(self, op: int, what: tuple[int, int, int], address: bytes, who: tuple[int, bytes]) -> Answer:
        """Ask about a socket of (family, type, protocol). Without a connector the answer is no."""
        family, kind, protocol = what
        pid, program = who
        request = REQUEST.pack(op, family, kind, protocol, pid, program[:16]) + address
        with self._lock:
            try:
                self._sock.send(request)
                data, ancillary, _flags, _from = self._sock.recvmsg(REPLY.size, 64, MSG_CMSG_CLOEXEC)
            except OSError:
                return Answer(errno.ENETDOWN, 0, -1)
        if len(data) != REPLY.size:
            return Answer(errno.ENETDOWN, 0, -1)
        error, note = REPLY.unpack(data)
        fd = -1
        for level, type, value in ancillary:
            if level == SOL_SOCKET and type == SCM_RIGHTS:
                (fd,) = FD.unpack(value[: FD.size])
        return Answer(error, note, fd)

    def give(self, fd: int) -> None:
        """Hand a descriptor over, before the first request."""
        self._sock.sendmsg((b"\0",), ((SOL_SOCKET, SCM_RIGHTS, FD.pack(fd)),))

    def fileno(self) -> int:
        """The socket."""
        return self._sock.fileno()


def reply(sock: socket, error: int, note: int = 0, fd: int = -1) -> None:
    """The connector's answer; its own copy of the descriptor is closed."""
    rights = () if fd < 0 else ((SOL_SOCKET, SCM_RIGHTS, FD.pack(fd)),)
    try:
        sock.sendmsg((REPLY.pack(error, note),), rights)
    finally:
        if fd >= 0:
            os.close(fd)
