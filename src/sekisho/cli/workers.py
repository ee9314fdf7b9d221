"""Judging many objects in several processes (ADR 11).

Workers are forked after everything is read and compiled, so they share it and nothing is sent to them. What
they find comes back through a pipe as plain rows: a finding points into documents and sources that both
sides have, and those go by their numbers. A worker that fails in any way has its part done again here, so
that an error is told as if there had been no workers.
"""

from __future__ import annotations

import marshal
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Form(Protocol[R]):
    """How results travel: as plain values that marshal knows, and back."""

    def write(self, results: Sequence[R]) -> Any:
        """The results as plain values. Whatever it raises has the work done again by the caller."""

    def read(self, rows: Any) -> Iterable[R]:
        """The results that these values stand for."""


FEW: Final = 1_000
"""Objects that one process judges sooner than others can be started and heard."""

MOST: Final = 8
"""Workers: more than that wait for memory, not for processors."""


def spread(work: Callable[[Sequence[T]], list[R]], items: Sequence[T], form: Form[R]) -> list[R]:
    """What ``work`` makes of these items, in their order, by as many processes as there is use for."""
    count = min(MOST, _processors(), len(items) // FEW + 1)
    if count < 2:
        return work(items)
    size = -(-len(items) // count)
    parts = [items[at : at + size] for at in range(0, len(items), size)]
    sys.stdout.flush()
    sys.stderr.flush()
    workers = [_start(work, part, form) for part in parts[1:]]
    try:
        found = work(parts[0])
        for worker, part in zip(workers, parts[1:], strict=True):
            rows = _finish(*worker)
            found += work(part) if rows is None else form.read(rows)
    except BaseException:
        for pid, pipe in workers:
            _stop(pid, pipe)
        raise
    return found


def _processors() -> int:
    """Processors that this process may use; one where forking is not known to be safe."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def _start(work: Callable[[Sequence[T]], list[R]], part: Sequence[T], form: Form[R]) -> tuple[int, int]:
    """A worker's process number, and the pipe that its findings come through."""
    out, into = os.pipe()
    pid = os.fork()
    if pid:
        os.close(into)
        return pid, out
    status = 1
    try:
        os.close(out)
        rows = marshal.dumps(form.write(work(part)))
        with os.fdopen(into, "wb") as pipe:
            pipe.write(rows)
        status = 0
    finally:
        os._exit(status)


def _finish(pid: int, pipe: int) -> Any:
    """The rows of a worker; None if it failed."""
    with os.fdopen(pipe, "rb") as stream:
        rows = stream.read()
    _, status = os.waitpid(pid, 0)
    return marshal.loads(rows) if status == 0 else None  # noqa: S302 - from a process of our own


def _stop(pid: int, pipe: int) -> None:
    """End a worker that may have ended already."""
    try:
        os.close(pipe)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except OSError:
        pass
