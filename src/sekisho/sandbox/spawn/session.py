"""Runs a sandbox from a shell: signals and the terminal pass through, time ends it, nothing is left."""

from __future__ import annotations

import fcntl
import os
import select
import sys

from sekisho.sandbox.spawn import launch
from sekisho.sandbox.spawn.cgroups import Cgroup
from sekisho.sandbox.spawn.changes import changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Any, Final, Protocol

    from sekisho.sandbox.spawn.launch import Running
    from sekisho.sandbox.spec import SandboxSpec

    Follow = Callable[[int, Callable[[], object]], None]

    class Attended(Protocol):
        """What is attended: a sandbox, or one more program in it. ``console`` is a terminal's master,
        or -1.
        """

        console: int
        workload: int

        def fileno(self) -> int:
            """What becomes readable when there is news."""

        def advance(self) -> bool:
            """Take in news; False when it has ended."""

        def follow(self) -> None:
            """Wait for its end."""

        def kill(self) -> None:
            """End it."""
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

FORWARDED: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
"""Signals that are meant for the program, whom the sandbox stands before."""

TIOCGWINSZ: Final = 0x5413
TIOCSWINSZ: Final = 0x5414
BLOCK: Final = 65_536


class Outcome:
    """How a sandbox ended: the workload's wait status, whether time or memory ended it, and what it wrote."""

    __slots__ = ("changed", "out_of_memory", "status", "timed_out")

    def __init__(
        self, status: int, *, timed_out: bool, out_of_memory: bool, changed: tuple[tuple[str, str], ...]
    ) -> None:
        self.status = status
        self.timed_out = timed_out
        self.out_of_memory = out_of_memory
        self.changed = changed

    def exit_status(self) -> int:
        """The status as shells give it: 124 when time was over, 128 and more for a signal."""
        if self.timed_out:
            return 124
        return 128 + (self.status & 0x7F) if self.status & 0x7F else self.status >> 8


def run(spec: SandboxSpec, *, diff: bool = False, events: int = -1, follow: Follow | None = None) -> Outcome:
    """Make a sandbox on our terminal and wait for its end. SandboxError if it could not be made.

    ``events`` is a descriptor that is told what happens. ``follow`` takes the workload's process before its
    program starts, and what lets it start, and returns when it has ended.
    """
    gate = os.pipe() if follow is not None else (-1, -1)
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # until there is someone to hand them to
    group = Cgroup.make(spec.cgroup, spec.limits) if spec.cgroup else None
    try:
        running = launch.start(spec, doors=group.doors() if group else (), events=events, gate=gate[0])
        timed_out = attend(running, spec.limits.seconds, _following(running, follow, gate[1]))
        return Outcome(
            running.wait(),
            timed_out=timed_out,
            out_of_memory=group.out_of_memory() if group else False,
            changed=tuple(changes(running.kept, spec)) if diff and running.kept >= 0 else (),
        )
    finally:
        if group is not None:
            group.remove()
            group.sweep()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        for fd in gate:
            if fd >= 0:
                os.close(fd)


def _following(running: Running, follow: Follow | None, gate: int) -> Callable[[], object] | None:
    if follow is None:
        return None
    return lambda: follow(running.workload, lambda: os.write(gate, b"\0"))


def attend(running: Attended, seconds: float | None = None, wait: Callable[[], object] | None = None) -> bool:
    """Pass signals and the terminal through until a sandbox ends; whether its time was over before.

    ``wait`` waits for that in another way, where there is no terminal.
    """
    session = _Session(running)
    try:
        session.wait(seconds, wait or running.follow)
    finally:
        session.close()
    return session.timed_out


class _Session:
    def __init__(self, running: Attended) -> None:
        self._running = running
        self.timed_out = False
        self._before: list[tuple[int, Any]] = []
        self._attributes: list[Any] | None = None

    def _on(self, number: int, handler: Any) -> None:
        self._before.append((number, signal.signal(number, handler)))

    def wait(self, seconds: float | None, wait: Callable[[], object]) -> None:
        for number in FORWARDED:
            self._on(number, self._forward)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        if seconds is not None:
            self._on(signal.SIGALRM, self._time_is_over)
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.000_001))
        if self._running.console >= 0:
            self._relay()
        else:
            wait()

    def close(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self._attributes is not None:
            import termios

            termios.tcsetattr(0, termios.TCSADRAIN, self._attributes)
        for number, handler in self._before:
            signal.signal(number, handler)

    def _forward(self, number: int, _frame: object) -> None:
        try:
            os.kill(self._running.workload, number)
        except ProcessLookupError:
            pass  # it has just ended

    def _time_is_over(self, _number: int, _frame: object) -> None:
        self.timed_out = True
        self._running.kill()

    # the terminal

    def _relay(self) -> None:
        """Copy between our terminal and the sandbox's until the sandbox ends."""
        import termios
        import tty

        self._resize()
        self._on(signal.SIGWINCH, lambda *_: self._resize())
        if os.isatty(0):
            self._attributes = termios.tcgetattr(0)
            tty.setraw(0, termios.TCSADRAIN)
        master = self._running.console
        poll = select.poll()
        for fd in (0, master, self._running.fileno()):
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _event in poll.poll():
                if fd == self._running.fileno():
                    if not self._running.advance():
                        self._drain(master)
                        return
                elif fd == 0:
                    data = os.read(0, BLOCK)
                    if data:
                        os.write(master, data)
                    else:
                        poll.unregister(0)
                        os.write(master, b"\x04")  # end of input, as the terminal's user types it
                elif not self._copy(master):
                    poll.unregister(master)

    def _copy(self, master: int) -> bool:
        try:
            data = os.read(master, BLOCK)
        except OSError:
            return False  # EIO: nobody has the other end open
        while data:
            data = data[os.write(1, data) :]
        return True

    def _drain(self, master: int) -> None:
        os.set_blocking(master, False)
        while self._copy(master):
            pass

    def _resize(self) -> None:
        try:
            size = fcntl.ioctl(0, TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self._running.console, TIOCSWINSZ, size)
        except OSError:
            pass  # our standard input is no terminal


def terminal_wanted() -> bool:
    """Whether we stand between a person's terminal and the program."""
    return os.isatty(0) and os.isatty(1) and sys.platform == "linux"
