"""Starts a sandbox and hands its maker a grip on it."""

from __future__ import annotations

import os

from sekisho.sandbox import process_native
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.spawn import boot, channel, init
from sekisho.sandbox.spawn.init import Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from _socket import socket
    from collections.abc import Sequence

    from sekisho.sandbox.spec import SandboxSpec
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start


class Running:
    """A sandbox that runs, or is made and waits at its gate.

    ``sentry``, ``init`` and ``workload`` are process ids; the Sentry is the caller's child, and its exit
    status is the workload's (128 and the signal's number, if a signal ended it). ``console`` is a
    terminal's master or -1; ``kept`` the directory that holds what was written (``tree.Tree``), or -1.
    """

    __slots__ = ("_sock", "console", "failure", "init", "kept", "sentry", "status", "workload")

    def __init__(self, sentry: int, sock: socket) -> None:
        self.sentry = sentry
        self._sock = sock
        self.init = self.workload = 0
        self.console = self.kept = -1
        self.status: int | None = None
        self.failure: SandboxError | None = None

    def _next(self) -> bool:
        """Take in one message; False when there will be no more."""
        message = channel.receive(self._sock)
        if message is None:
            return False
        if message.kind == channel.RUNNING:
            self.init, self.workload = map(int, message.body.split())
        elif message.kind == channel.MASTER:
            self.console = message.fd
        elif message.kind == channel.TREE:
            self.kept = message.fd
        elif message.kind == channel.EXITED:
            (self.status,) = init.STATUS.unpack(message.body)
        elif message.kind == channel.FAILED:
            self.failure = SandboxError.unpack(message.body)
        return True

    def ready(self) -> None:
        """Wait until its calls are answered; SandboxError if it could not be made."""
        while not self.workload:
            if not self._next():
                self._reap()
                self.close()
                raise self.failure or SandboxError("SBX019", "the Sentry ended before the sandbox was ready")

    def advance(self) -> bool:
        """Take in a piece of news; False when the sandbox has ended."""
        return self.status is None and self._next() and self.status is None

    def follow(self) -> None:
        """Wait for its end."""
        while self.advance():
            pass

    def wait(self) -> int:
        """Wait for its end: the workload's wait status. SandboxError if the program could not be run."""
        self.follow()
        self._reap()
        if self.failure is not None:
            raise self.failure
        return signal.SIGKILL if self.status is None else self.status

    def close(self) -> None:
        """Close the descriptors that came with it; else they stay open as long as its maker."""
        self._sock.close()
        for fd in (self.console, self.kept):
            if fd >= 0:
                os.close(fd)
        self.console = self.kept = -1

    def _reap(self) -> None:
        try:
            os.waitpid(self.sentry, 0)
        except ChildProcessError:
            pass

    def kill(self) -> None:
        """End the sandbox and all that runs in it."""
        try:
            os.kill(self.init or self.sentry, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended by itself

    def fileno(self) -> int:
        """What becomes readable when there is news for ``wait``."""
        return self._sock.fileno()


def start(
    spec: SandboxSpec,
    *,
    own_process: bool = False,
    gate: int = -1,
    detached: bool = False,
    doors: Sequence[str] = (),
    control: str = "",
    events: int = -1,
) -> Running:
    """Make a sandbox with this process's standard input, output and error.

    ``doors`` are files of the cgroups that it is to enter. ``own_process`` makes the workload process 1, as
    containers have it; else a process of ours is, which buries orphans. With ``gate`` the workload starts
    when there is a byte to read there. ``events`` is a descriptor that is told what happens. A sandbox that
    is not ``detached`` ends with the thread that made it.
    """
    ours, theirs = channel.pair()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            if not detached:
                process_native.die_with_parent(signal.SIGKILL)
                if os.getppid() != parent:
                    os._exit(1)
            way = Way(own_process=own_process, gate=gate, doors=doors, control=control, events=events)
            boot.run(spec, theirs, way)
        finally:
            os._exit(70)
    theirs.close()
    running = Running(pid, ours)
    running.ready()
    return running
