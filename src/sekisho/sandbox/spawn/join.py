"""Starts a further program in a sandbox that runs.

The program becomes a child of whoever starts it, in the sandbox's namespaces and behind the sandbox's
filter; its calls are answered by the Sentry that is there already, which is given the new listener.
"""

from __future__ import annotations

import fcntl
import os

from sekisho.sandbox import filters, process_native
from sekisho.sandbox.abi.flags import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    O_CLOEXEC,
)
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.spawn import channel, init
from sekisho.sandbox.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from _socket import socket
    from collections.abc import Callable, Sequence
    from typing import Final, NoReturn

    from sekisho.sandbox.spec import SandboxSpec
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

SPACES: Final = (
    ("net", CLONE_NEWNET),
    ("ipc", CLONE_NEWIPC),
    ("uts", CLONE_NEWUTS),
    ("cgroup", CLONE_NEWCGROUP),
    ("mnt", CLONE_NEWNS),
)
"""What is entered as the maker of the sandbox; its user namespace comes last and takes the right to the
others.
"""

NS_GET_USERNS: Final = 0xB701


class Joined:
    """A further program: its process id, a child of ours; its terminal's master, or -1."""

    __slots__ = ("console", "pid")

    def __init__(self, pid: int, console: int) -> None:
        self.pid = pid
        self.console = console


def enter(spec: SandboxSpec, *, init_pid: int, control: str, doors: Sequence[str] = ()) -> Joined:
    """Start ``spec.process`` in the sandbox whose process 1 is ``init_pid`` and whose Sentry listens at
    ``control``.

    Its standard input, output and error are ours. ``doors`` are files of the cgroups that it enters.
    SandboxError if it cannot be started.
    """
    program = filters.of(spec)
    spaces = _Spaces(init_pid)
    ours, theirs = channel.pair()
    if spaces.fork() == 0:
        ours.close()
        _join(spec, theirs, program, spaces, doors)
    theirs.close()
    spaces.close()
    try:
        return _admit(spec, ours, control)
    finally:
        ours.close()


def visit(spec: SandboxSpec, *, init_pid: int, doors: Sequence[str], work: Callable[[], int]) -> int:
    """Do something of ours inside a sandbox: a process calls ``work`` there, and ends with the status that it
    gives. The process's id; it is a child of ours.

    It is in the sandbox's namespaces, as the user of ``spec.process`` and with no capability, so it reaches
    what that user may, in the workload's tree. Nobody inside can look into it. It imports nothing any more.
    """
    spaces = _Spaces(init_pid)
    pid = spaces.fork()
    if pid:
        spaces.close()
        return pid
    status = 1
    try:
        os.setsid()
        init.enter_doors(doors)
        spaces.enter()
        os.chdir("/")
        spaces.enter_user()
        init.drop(replace(spec.process, capabilities=frozenset()))
        status = work()
    finally:
        os._exit(status)


def _admit(spec: SandboxSpec, sock: socket, control: str) -> Joined:
    console = _expect(sock, channel.MASTER).fd if spec.process.terminal else -1
    pid = _expect(sock, channel.WORKLOAD).pid
    try:
        (number,) = init.STATUS.unpack(_expect(sock, channel.LISTENER).body)
        pidfd = os.pidfd_open(pid)
        try:
            listener = process_native.getfd(pidfd, number)
        finally:
            os.close(pidfd)
        try:
            hand_over(control, listener)
        finally:
            os.close(listener)
        channel.send(sock, channel.GO)
        _executed(sock)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return Joined(pid, console)


def _executed(sock: socket) -> None:
    """Wait until the program is executed, which closes the other end; its failure if it cannot be."""
    failure = channel.receive(sock)
    if failure is not None:
        raise SandboxError.unpack(failure.body)


def _expect(sock: socket, kind: bytes) -> channel.Message:
    message = channel.receive(sock)
    if message is None:
        raise SandboxError("SBX019", "the process ended before it had entered the sandbox")
    if message.kind == channel.FAILED:
        raise SandboxError.unpack(message.body)
    assert message.kind == kind, message.kind
    return message


def hand_over(control: str, listener: int) -> None:
    """Give a listener to the Sentry behind a control socket, and wait until it answers there."""
    ready, done = os.pipe()
    try:
        channel.send_to(control, channel.LISTENER, (listener, done))
    except OSError as error:
        os.close(ready)
        raise SandboxError("SBX019", f"the sandbox's Sentry cannot be reached: {error.strerror}") from None
    finally:
        os.close(done)
    try:
        if not os.read(ready, 1):
            raise SandboxError("SBX019", "the sandbox's Sentry ended")
    finally:
        os.close(ready)


class _Spaces:
    """The namespaces of a running sandbox."""

    def __init__(self, init_pid: int) -> None:
        try:
            self._fds = {
                name: os.open(f"/proc/{init_pid}/ns/{name}", os.O_RDONLY | O_CLOEXEC)
                for name in (*(name for name, _ in SPACES), "pid", "user")
            }
        except (FileNotFoundError, ProcessLookupError):
            raise SandboxError("SBX019", "the sandbox has ended") from None

    def close(self) -> None:
        for fd in self._fds.values():
            os.close(fd)

    def fork(self) -> int:
        """Fork a process into the sandbox's process-id namespace; 0 in the child.

        Nobody there can look into it. It is, or becomes, our child.
        """
        if os.geteuid():
            return self._fork_as_owner()
        process_native.hide()
        home = os.open("/proc/self/ns/pid", os.O_RDONLY | O_CLOEXEC)
        process_native.setns(self._fds["pid"], CLONE_NEWPID)
        pid = os.fork()
        if pid:
            process_native.setns(home, CLONE_NEWPID)
        os.close(home)
        return pid

    def _fork_as_owner(self) -> int:
        """Without root: by a process that is everything in the user namespace which owns the others."""
        process_native.adopt_orphans()
        between = os.fork()
        if between:
            os.waitpid(between, 0)
            return between
        owner = fcntl.ioctl(self._fds["mnt"], NS_GET_USERNS)
        process_native.setns(owner, CLONE_NEWUSER)
        os.close(owner)
        process_native.setns(self._fds["pid"], CLONE_NEWPID)
        if os.fork():
            os._exit(0)
        return 0

    def enter(self) -> None:
        """All but the user namespace."""
        for name, kind in SPACES:
            process_native.setns(self._fds[name], kind)

    def enter_user(self) -> None:
        """The user namespace, and then let go of them all."""
        process_native.setns(self._fds["user"], CLONE_NEWUSER)
        self.close()


def _join(spec: SandboxSpec, sock: socket, program: bytes, spaces: _Spaces, doors: Sequence[str]) -> NoReturn:
    try:
        os.setsid()
        init.enter_doors(doors)
        spaces.enter()
        os.chdir("/")
        console = init.make_console(sock, spec.process) if spec.process.terminal else -1
        if not os.geteuid():
            init.raise_limits(spec.process)
        spaces.enter_user()
        init.drop(spec.process)
        init.workload(spec.process, sock, program, console)
    except Exception as error:  # noqa: BLE001  whatever it is, who asked for it is told
        channel.send(sock, channel.FAILED, SandboxError.of(error, "entering the sandbox").pack())
    finally:
        os._exit(init.NOT_FOUND)
