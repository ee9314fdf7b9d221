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
from typing import Any, Final

from sekisho.diag import Diagnostic, Level, Note, ObjectPath, ObjectRef, Origin, Source, Span, lookup
from sekisho.kube.object import Object

Work = Callable[[Sequence[Object]], list[Diagnostic]]

FEW: Final = 1_000
"""Objects that one process judges sooner than others can be started and heard."""

MOST: Final = 8
"""Workers: more than that wait for memory, not for processors."""


def spread(
    work: Work, objects: Sequence[Object], *, origins: Iterable[Any], sources: Iterable[Source]
) -> list[Diagnostic]:
    """What ``work`` finds of these objects, in their order, done by as many processes as there is use for.

    ``origins`` and ``sources`` are those that findings may point into.
    """
    count = min(MOST, _processors(), len(objects) // FEW + 1)
    if count < 2:
        return work(objects)
    form = _Form(tuple(origins), tuple(sources))
    size = -(-len(objects) // count)
    parts = [objects[at : at + size] for at in range(0, len(objects), size)]
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


def _start(work: Work, part: Sequence[Object], form: _Form) -> tuple[int, int]:
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


class _Form:
    """Findings as rows of plain values, and back."""

    def __init__(self, origins: Sequence[Origin], sources: Sequence[Source]) -> None:
        self._origins = origins
        self._sources = sources
        self._numbers = {id(row): number for number, row in enumerate((*origins, *sources))}

    def write(self, findings: Iterable[Diagnostic]) -> list[Any]:
        """The rows of these findings. KeyError for one that points into something unknown."""
        return [
            (
                row.code.id,
                row.message,
                row.level.value,
                self._place(row.at),
                [(note.message, self._place(note.at)) for note in row.notes],
                row.help,
                row.policy,
                dict(row.data),
            )
            for row in findings
        ]

    def _place(self, at: Span | ObjectPath | None) -> Any:
        if at is None:
            return None
        if isinstance(at, Span):
            return self._numbers[id(at.source)] - len(self._origins), at.start, at.end
        origin = -1 if at.origin is None else self._numbers[id(at.origin)]
        ref = at.ref
        return origin, ref.group_version, ref.kind, ref.namespace, ref.name, at.path, at.key

    def read(self, rows: Iterable[Any]) -> list[Diagnostic]:
        """The findings of these rows."""
        return [
            Diagnostic(
                code=_code(code),
                message=message,
                level=Level(level),
                at=self._at(at),
                notes=tuple(Note(text, self._at(place)) for text, place in notes),
                help=help,
                policy=policy,
                data=data,
            )
            for code, message, level, at, notes, help, policy, data in rows
        ]

    def _at(self, place: Any) -> Span | ObjectPath | None:
        if place is None:
            return None
        if len(place) == 3:
            number, start, end = place
            return Span(self._sources[number], start, end)
        origin, group_version, kind, namespace, name, path, key = place
        ref = ObjectRef(group_version=group_version, kind=kind, namespace=namespace, name=name)
        return ObjectPath(ref=ref, path=path, origin=None if origin < 0 else self._origins[origin], key=key)


def _code(id: str) -> Any:
    found = lookup(id)
    if not found:
        # A worker imported a module that registers codes, and this process has not.
        from sekisho.cli.codes import load_codes

        load_codes()
        found = lookup(id)
    return found[0]
