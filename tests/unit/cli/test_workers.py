"""Workers: the same findings as without them, whatever becomes of a worker."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from sekisho import manifest
from sekisho.cli import workers
from sekisho.cli.wire import Findings
from sekisho.diag import Diagnostic, Level, Source, Span
from sekisho.kube.object import Object
from sekisho.policy import codes

SOURCE = Source("p.rego", "package a\n")
TEXT = "".join(f"---\nkind: Pod\nmetadata:\n  name: p{number}\n" for number in range(20))
OBJECTS = [Object(row.value, row) for row in manifest.load(Source("pods.yaml", TEXT))]
PARENT = os.getpid()


def work(part: Sequence[Object]) -> list[Diagnostic]:
    found = []
    for object in part:
        row = Diagnostic(
            code=codes.VIOLATION,
            message=f"about {object.name}",
            level=Level.WARNING,
            at=object.at("metadata", "name"),
            policy="K/x",
            help="mend it",
            data={"details": {"a": [1, None, 2.5, True]}},
        )
        found.append(row.with_note("here", Span(SOURCE, 0, 7)).with_note("nowhere"))
    return found


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "FEW", 5)
    monkeypatch.setattr(workers, "_processors", lambda: 3)


def spread(job: Callable[[Sequence[Object]], list[Diagnostic]]) -> list[Diagnostic]:
    return workers.spread(job, OBJECTS, Findings([row.origin for row in OBJECTS], [SOURCE]))


def test_findings_and_their_order_are_those_of_one_process() -> None:
    assert spread(work) == work(OBJECTS)


def test_a_worker_that_fails_has_its_part_done_again() -> None:
    def job(part: Sequence[Object]) -> list[Diagnostic]:
        if os.getpid() != PARENT:
            raise MemoryError
        return work(part)

    assert spread(job) == work(OBJECTS)


def test_a_worker_that_is_killed_has_its_part_done_again() -> None:
    def job(part: Sequence[Object]) -> list[Diagnostic]:
        if os.getpid() != PARENT:
            os.kill(os.getpid(), 9)
        return work(part)

    assert spread(job) == work(OBJECTS)


def test_a_finding_in_a_source_that_is_not_known_is_found_here() -> None:
    unknown = Source("other", "x")

    def job(part: Sequence[Object]) -> list[Diagnostic]:
        return [replace(row, at=Span(unknown, 0, 1)) for row in work(part)]

    assert [row.message for row in spread(job)] == [row.message for row in work(OBJECTS)]


def test_an_error_here_leaves_no_worker_behind() -> None:
    def job(part: Sequence[Object]) -> list[Diagnostic]:
        if os.getpid() == PARENT:
            raise KeyboardInterrupt
        while True:
            pass

    with pytest.raises(KeyboardInterrupt):
        spread(job)
    children = subprocess.run(
        ["ps", "--ppid", str(PARENT), "-o", "comm="], capture_output=True, text=True, check=False
    )
    assert "python" not in children.stdout


def test_few_objects_need_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "FEW", 1_000)
    monkeypatch.setattr(os, "fork", None)
    assert spread(work) == work(OBJECTS)
