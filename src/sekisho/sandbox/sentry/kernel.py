"""What the Sentry of one sandbox knows: the state behind all its handlers."""

from __future__ import annotations

import os
import time

from sekisho.sandbox import process_native
from sekisho.sandbox.abi.flags import CAP_SYS_PTRACE
from sekisho.sandbox.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from sekisho.sandbox.probe import World
    from sekisho.sandbox.sentry.net import Network

    class Waiter(Protocol):
        """The caller of a call: its thread."""

        listener: int
        id: int
        tid: int
        surplus: bool

    class Waits(Protocol):
        """Who keeps an eye on handlers that wait: the server."""

        def wait_begins(self, call: Waiter) -> None:
            """This thread is about to wait in a system call for the caller's sake."""

        def wait_ends(self, call: Waiter) -> None:
            """The wait is over."""

        def writing(self) -> bool:
            """Whether a thread of ours still has a file open for writing that its caller has already got."""


class Kernel:
    """One a sandbox.

    ``uid``, ``gid`` and ``groups`` are the workload's, which the Sentry has too: what it does in the
    workload's stead is judged by them. ``init`` is process 1 of the sandbox as the Sentry numbers it.
    ``proc`` is a directory of the Sentry's own procfs (read-only, processes alone), which is also its
    working directory: there the thread ids of notifications mean what they say, and ``self/fd/7`` names
    what the Sentry has open. ``umask`` is what every process began with; ``umask_known`` says that none has
    changed it.
    """

    __slots__ = (
        "_world",
        "gid",
        "groups",
        "init",
        "network",
        "proc",
        "proc_device",
        "server",
        "started",
        "terminals",
        "uid",
        "umask",
        "umask_known",
    )

    server: Waits

    def __init__(
        self,
        *,
        proc: int,
        init: int,
        user: tuple[int, int, tuple[int, ...]],
        world: World,
        umask: int,
        network: Network,
    ) -> None:
        self.proc = proc
        self.init = init
        self.uid, self.gid, self.groups = user
        self._world = world
        self.umask = umask
        self.network = network
        self.umask_known = True
        self.started = time.monotonic()
        self.proc_device = _device("/proc")
        self.terminals = _device("/dev/pts")

    def world(self) -> World:
        """The machine, as the sandbox shows it now."""
        age = time.monotonic() - self.started
        return replace(self._world, age=age, fresh_id=_fresh_id())

    def is_emulated(self, device: int) -> bool:
        """Whether files of this device are /proc's: made up by a kernel, not kept by anyone."""
        return device == self.proc_device

    def plainly(self) -> Plainly:
        """A context in which this thread has the workload's rights and no capability of the Sentry's."""
        return Plainly()

    def waiting(self, call: Waiter) -> Waiting:
        """A context in which the handler may wait as long as the caller does.

        Another thread takes over its place. A signal for the caller, or its end, ends the wait with EINTR.
        """
        return Waiting(self.server, call)


class Plainly:
    """See ``Kernel.plainly``."""

    __slots__ = ()

    def __enter__(self) -> None:
        process_native.set_capabilities((), (CAP_SYS_PTRACE,))

    def __exit__(self, *_: object) -> None:
        process_native.set_capabilities((CAP_SYS_PTRACE,))


class Waiting:
    """See ``Kernel.waiting``."""

    __slots__ = ("_call", "_server")

    def __init__(self, server: Waits, call: Waiter) -> None:
        self._server = server
        self._call = call

    def __enter__(self) -> None:
        self._server.wait_begins(self._call)

    def __exit__(self, *_: object) -> None:
        self._server.wait_ends(self._call)


def _fresh_id() -> str:
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _device(path: str) -> int:
    """The device of a mount of the workload's tree; -1 where it has none."""
    try:
        return os.stat(path).st_dev
    except OSError:
        return -1
