"""Follows the system calls of a program and of all that it starts, by ptrace."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from sekisho.sandbox import ptrace_native

STARTS: Final = frozenset((1, 2, 3))
"""Events of fork, vfork and clone."""
EVENT_EXEC, EVENT_STOP = 4, 128
ALL: Final = 0x4000_0000
"""__WALL: threads, too."""
GROUP_STOPS: Final = frozenset((signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))


class Traced:
    """One system call: the thread, the number, six registers, the result (negative: an error number)."""

    __slots__ = ("args", "number", "result", "texts", "tid")

    def __init__(self, tid: int, number: int, args: tuple[int, ...]) -> None:
        self.tid = tid
        self.number = number
        self.args = args
        self.result: int | None = None
        self.texts: dict[int, str] = {}


class Listener:
    """Who is told of calls: nobody, unless its methods are overridden."""

    def begins(self, call: Traced) -> None:
        """A call begins."""

    def ends(self, call: Traced) -> None:
        """A call has returned, or, with no result, its thread has ended in it."""

    def executes(self, tid: int) -> None:
        """A thread runs another program now."""


class _Follower:
    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._open: dict[int, Traced] = {}
        self._threads: set[int] = set()
        self.statuses: dict[int, int] = {}

    def follow(self, first: int) -> int:
        """Until nobody is left; the wait status of the first process."""
        self._threads = threads = {first}
        while threads:
            try:
                tid, status = os.waitpid(-1, ALL)
            except ChildProcessError:
                break
            if os.WIFSTOPPED(status):
                threads.add(tid)
                self._stopped(tid, status)
                continue
            threads.discard(tid)
            self.statuses[tid] = status
            call = self._open.pop(tid, None)
            if call is not None:
                self._listener.ends(call)
        return self.statuses.get(first, 0)

    def _stopped(self, tid: int, status: int) -> None:
        number, event = os.WSTOPSIG(status), status >> 16
        if number == signal.SIGTRAP | 0x80:
            self._call(tid)
        elif event == EVENT_STOP and number in GROUP_STOPS:
            ptrace_native.listen(tid)
            return
        elif event:
            if event in STARTS:
                self._started(tid)
            elif event == EVENT_EXEC:
                self._listener.executes(tid)
        else:
            ptrace_native.resume(tid, number)  # a signal that is for the program
            return
        ptrace_native.resume(tid)

    def _started(self, tid: int) -> None:
        """Another thread was born, which may be heard of later than its parent's end."""
        try:
            self._threads.add(ptrace_native.event_message(tid))
        except OSError:
            return  # it was killed meanwhile

    def _call(self, tid: int) -> None:
        try:
            what, (first, *rest) = ptrace_native.call_info(tid)
        except OSError:
            return  # it was killed meanwhile
        if what == ptrace_native.ENTRY:
            call = Traced(tid, first, tuple(rest))
            self._open[tid] = call
            self._listener.begins(call)
        elif what == ptrace_native.EXIT:
            begun = self._open.pop(tid, None)
            if begun is not None:
                begun.result = first - (1 << 64) if first >> 63 else first
                self._listener.ends(begun)


def follow(pid: int, go: Callable[[], object], listener: Listener) -> int:
    """Follow a process that waits, and let it go; returns its wait status when all that it started has ended.

    OSError EPERM where this machine does not let it be traced.
    """
    ptrace_native.seize(pid)
    os.waitpid(pid, ALL)
    ptrace_native.resume(pid)
    go()
    return _Follower(listener).follow(pid)


def run(argv: Sequence[str], env: Mapping[str, str], listener: Listener) -> int:
    """Run a program natively and follow it; its wait status. What it writes is thrown away."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        _execute(argv, env, reading)
    os.close(reading)
    try:
        return follow(pid, lambda: os.write(writing, b"\0"), listener)
    finally:
        os.close(writing)


def _execute(argv: Sequence[str], env: Mapping[str, str], gate: int) -> NoReturn:
    try:
        os.read(gate, 1)
        os.close(gate)
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606  it is what we are for
    finally:
        os._exit(127)
