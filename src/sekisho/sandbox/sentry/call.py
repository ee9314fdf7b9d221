"""One system call of the workload, as its handler sees it.

A handler reads what it needs (each read is a copy), asks ``valid`` before it acts on anything that outlives
the call, acts on the copies, and returns the call's value; errors are raised, as ``Errno`` or as the
OSError of the call that the handler made in the workload's stead.
"""

from __future__ import annotations

import errno
import fcntl
import os

from sekisho.sandbox import process_native
from sekisho.sandbox.abi.capabilities import ON_IDS, SYS_PTRACE
from sekisho.sandbox.abi.flags import (
    O_CLOEXEC,
    SECCOMP_ADDFD_FLAG_SEND,
    SECCOMP_ADDFD_FLAG_SETFD,
    SECCOMP_IOCTL_NOTIF_ADDFD,
    SECCOMP_IOCTL_NOTIF_ID_VALID,
    SECCOMP_IOCTL_NOTIF_SEND,
    SECCOMP_USER_NOTIF_FLAG_CONTINUE,
)
from sekisho.sandbox.abi.notify import ADD, ID, RESPONSE
from sekisho.sandbox.files_native import Opener
from sekisho.sandbox.process_native import PAGE, Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from sekisho.sandbox.sentry.kernel import Identity, Kernel

ANSWERED: Final = "answered"
"""What a handler returns when the call has had its answer."""

CONTINUE: Final = "continue"
"""What a handler returns to let the host's kernel run the call as it stands. The kernel reads all pointers
again, so this is never the result of a decision on what they point to; the row of the call says what a race
can gain.
"""

Result = int | str


class Errno(Exception):
    """The call fails with this error number."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        return errno.errorcode.get(self.number, str(self.number))


class Gone(Exception):
    """The caller was killed, or a signal ended its call: nobody waits for an answer."""


class Call:
    """A pending call. One object a thread of the Sentry, used again for each call.

    ``tid`` is the calling thread in the Sentry's pid namespace; ``args`` are the six registers, unsigned.
    ``surplus`` says that our thread has lost its place to another while its handler waited. ``identity`` is
    whom our thread acts as.
    """

    __slots__ = (
        "args",
        "closing",
        "id",
        "identity",
        "kernel",
        "listener",
        "memory",
        "nr",
        "opener",
        "surplus",
        "tid",
    )

    def __init__(self, kernel: Kernel, listener: int) -> None:
        self.kernel = kernel
        self.listener = listener
        self.memory = Memory()
        self.opener = Opener()
        self.surplus = self.closing = False
        self.identity = kernel.identity
        self.id = self.tid = self.nr = 0
        self.args: tuple[int, ...] = (0,) * 6

    # What the caller passed.

    def path(self, index: int) -> bytes:
        """The path that an argument points to: EFAULT, ENAMETOOLONG."""
        text = self.memory.string(self.tid, self.args[index], PAGE)
        if text is None:
            raise Errno(errno.ENAMETOOLONG)
        return text

    def read(self, address: int, length: int) -> bytes:
        """Exactly this much of the caller's memory, or EFAULT."""
        data = self.memory.read(self.tid, address, length)
        if len(data) != length:
            raise Errno(errno.EFAULT)
        return data

    def write(self, address: int, data: bytes) -> None:
        """Write to the caller's memory, if it still waits; EFAULT."""
        self.valid()
        self.memory.write(self.tid, address, data)

    def signed(self, index: int) -> int:
        """An argument as the kernel's int: its low 32 bits, signed."""
        value = self.args[index] & 0xFFFF_FFFF
        return value - 0x1_0000_0000 if value & 0x8000_0000 else value

    def id_number(self, index: int) -> int:
        """An argument as a user or group id; -1 leaves it as it is."""
        value = self.args[index] & 0xFFFF_FFFF
        return -1 if value == 0xFFFF_FFFF else value

    # As whom we act.

    def act_as(self, identity: Identity) -> None:
        """Let this thread reach files as the caller may."""
        if identity == self.identity:
            return
        kernel = self.kernel
        process_native.set_capabilities(ON_IDS | {SYS_PTRACE}, kernel.permitted)
        process_native.act_as(identity.uid, identity.gid, identity.groups)
        process_native.set_capabilities(identity.rights | {SYS_PTRACE}, kernel.permitted)
        self.identity = identity

    def plainly(self) -> Plainly:
        """A context in which this thread has the caller's rights over files, and none of its own."""
        return Plainly(self)

    # What the caller gets.

    def valid(self) -> None:
        """Raise Gone unless the caller still waits.

        Between this and the end of the call the caller can only be killed: what was read is its own, for its
        thread id cannot have become another's.
        """
        try:
            fcntl.ioctl(self.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, ID.pack(self.id))
        except OSError:
            raise Gone from None

    def answer(self, value: int, error: int = 0) -> None:
        """Let the call return ``value``, or fail with ``error``."""
        self._send(RESPONSE.pack(self.id, value, -error, 0))

    def resume(self) -> None:
        """Let the host's kernel run the call."""
        self._send(RESPONSE.pack(self.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE))

    def _send(self, response: bytes) -> None:
        try:
            fcntl.ioctl(self.listener, SECCOMP_IOCTL_NOTIF_SEND, response)
        except OSError as error:
            # The caller went away, or the freezer made it ask again: it is not waiting for this answer.
            if error.errno != errno.ENOENT:
                raise

    def give(self, fd: int, flags: int) -> Result:
        """Install a descriptor (O_CLOEXEC is looked at in ``flags``), answer its number, and close our copy.

        The caller has it a moment before our copy is closed; ``closing`` says so meanwhile, for whom it
        matters that nobody else has the file open (``Server.settle``).
        """
        self.closing = True
        try:
            self._add(fd, SECCOMP_ADDFD_FLAG_SEND, 0, flags)
        finally:
            os.close(fd)
            self.closing = False
        return ANSWERED

    def hand_over(self, fd: int, flags: int) -> Result:
        """The same in two steps, so that nobody but the caller has the file open when the call returns.

        It takes longer; a FIFO's other end must not see a reader that is none.
        """
        try:
            number = self._add(fd, 0, 0, flags)
        finally:
            os.close(fd)
        return number

    def replace(self, fd: int, number: int, flags: int) -> None:
        """Install a descriptor in the place of one that the caller has; our copy is closed."""
        try:
            self._add(fd, SECCOMP_ADDFD_FLAG_SETFD, number, flags)
        finally:
            os.close(fd)

    def _add(self, fd: int, how: int, number: int, flags: int) -> int:
        request = bytearray(ADD.pack(self.id, how, fd, number, flags & O_CLOEXEC))
        try:
            given: int = fcntl.ioctl(self.listener, SECCOMP_IOCTL_NOTIF_ADDFD, request)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINPROGRESS):
                raise Gone from None
            raise
        return given


class Plainly:
    """See ``Call.plainly``."""

    __slots__ = ("_call",)

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        process_native.set_capabilities(self._call.identity.rights, self._call.kernel.permitted)

    def __exit__(self, *_: object) -> None:
        rights = self._call.identity.rights | {SYS_PTRACE}
        process_native.set_capabilities(rights, self._call.kernel.permitted)
