"""A log of every call of a sandbox's program, in strace's form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from sekisho.sandbox import filters
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.trace import tracer
from sekisho.sandbox.trace.decode import Reader


class _Log(tracer.Listener):
    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._names = filters.load_names()
        self._reader = Reader()

    def begins(self, call: tracer.Traced) -> None:
        self._reader.begins(self._name(call), call)

    def ends(self, call: tracer.Traced) -> None:
        name = self._name(call)
        self._to.write(f"[{call.tid}] {self._reader.text(name, call)}\n")

    def _name(self, call: tracer.Traced) -> str:
        return self._names.get(call.number, f"call_{call.number}")


def follower(to: TextIO) -> Callable[[int, Callable[[], object]], None]:
    """What follows a sandbox's program and logs its calls. SandboxError SBX025 where it cannot be traced."""

    def follow(pid: int, go: Callable[[], object]) -> None:
        try:
            tracer.follow(pid, go, _Log(to))
        except OSError as error:
            raise SandboxError(
                "SBX025",
                f"programs cannot be traced here: {error.strerror}",
                "run as root, or see kernel.yama.ptrace_scope",
            ) from None

    return follow
