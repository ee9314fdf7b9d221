"""Hooks: programs of the engine's that run at stages of a container's life, with its state on their input."""

from __future__ import annotations

import os
import time

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import text
from sekisho.sandbox.spec import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sekisho.sandbox.spec import Hook

PAUSE = 0.005
TAIL = 4096
"""How much of what a hook says on its standard error is shown when it fails."""


def run(stage: str, hooks: Iterable[Hook], state: Mapping[str, object]) -> None:
    """Run the hooks of a stage in order. SandboxError SBX115 for the first that fails."""
    for hook in hooks:
        status, said = _run(hook, text.write(dict(state)).encode())
        if status:
            words = f": {said}" if said else ""
            raise SandboxError("SBX115", f"{stage} hook {hook.path} {_ended(status)}{words}")


def run_inside(
    stage: str, hooks: Iterable[Hook], state: Mapping[str, object], enter: Callable[[Process], int]
) -> None:
    """Run the hooks of a stage as programs of the container: they are its own files. SBX115 for a failure.

    ``enter`` starts a program in it, with our standard input, and gives its process id.
    """
    for hook in hooks:
        with _Input(text.write(dict(state)).encode()):
            pid = enter(Process(argv=(hook.path, *hook.args[1:]), env=hook.env))
        status = _wait(pid, hook.timeout)
        if status:
            raise SandboxError("SBX115", f"{stage} hook {hook.path} {_ended(status)}")


class _Input:
    """A context in which our standard input is a file with this content."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __enter__(self) -> None:
        self._own = os.dup(0)
        fd = os.memfd_create("state")
        os.write(fd, self._content)
        os.lseek(fd, 0, os.SEEK_SET)
        os.dup2(fd, 0)
        os.close(fd)

    def __exit__(self, *_: object) -> None:
        os.dup2(self._own, 0)
        os.close(self._own)


def _ended(status: int | str) -> str:
    if isinstance(status, str):
        return status
    return f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"


def _run(hook: Hook, state: bytes) -> tuple[int | str, str]:
    """The exit code (negative: a signal; a text: why not), and the end of what it said."""
    input_end, input_start = os.pipe()
    said_end, said_start = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(input_end, 0)
            os.dup2(said_start, 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.closerange(3, 1024)
            env = dict(item.split("=", 1) for item in hook.env if "=" in item)
            os.execve(hook.path, hook.args or (hook.path,), env)  # noqa: S606  what the engine asks for
        except OSError as error:
            os.write(2, f"cannot be run: {error.strerror}".encode())
        finally:
            os._exit(126)
    for fd in (input_end, said_start):
        os.close(fd)
    try:
        os.set_blocking(input_start, False)
        try:
            os.write(input_start, state)
        except (BrokenPipeError, BlockingIOError):
            pass  # a hook need not read, and more than a pipe holds is no state of ours
        os.close(input_start)
        ended = _wait(pid, hook.timeout)
        os.set_blocking(said_end, False)
        try:
            said = os.read(said_end, TAIL)
        except BlockingIOError:
            said = b""
    finally:
        os.close(said_end)
    return ended, said.decode("utf-8", "replace").strip()


def _wait(pid: int, timeout: int | None) -> int | str:
    if timeout is None:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    end = time.monotonic() + timeout
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            return f"did not end within {timeout} s"
        time.sleep(PAUSE)
