"""The decision log: lines that show when they are removed, changed or cut; and disks that fail."""

from __future__ import annotations

import errno
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.unit.admission.reviews import body, pod
from tests.unit.admission.test_service import DENYING

from sekisho.admission import HOOKS, Answer, Asking, Observed, Settings
from sekisho.admission.decisions import Chain, Fsync, Head, Writer, record_of, verify
from sekisho.admission.decode import decode
from sekisho.admission.judge import admit
from sekisho.diag import Deadline, Source


def lines(count: int = 6) -> tuple[list[bytes], Head]:
    chain = Chain()
    return [chain.line({"uid": str(number)}) for number in range(count)], chain.head


def checked(rows: list[bytes], head: Head | None = None) -> list[str]:
    found = verify([Source("log", b"".join(rows).decode())], head)
    return [f"{row.code.id} {row.message}" for row in found.problems]


def test_a_whole_log_is_whole() -> None:
    rows, head = lines()
    assert checked(rows, head) == []


def test_a_line_that_was_removed_shows() -> None:
    rows, head = lines()
    assert checked(rows[:2] + rows[3:], head) == ["ADM021 lines 2 to 2 were removed"]


def test_lines_that_were_cut_show_against_the_published_head() -> None:
    rows, head = lines()
    assert checked(rows[:4]) == []
    assert checked(rows[:4], head) == ["ADM021 the log was cut: 2 lines behind line 3 were published"]


def test_a_cut_beginning_shows() -> None:
    rows, _ = lines()
    assert checked(rows[2:]) == ["ADM021 the log begins with line 2: what came before is missing"]


def test_a_changed_line_shows() -> None:
    rows, _ = lines()
    rows[2] = rows[2].replace(b'"uid":"2"', b'"uid":"9"')
    assert checked(rows) == ["ADM020 line 2 was changed: its hash is not that of its content"]


def test_a_line_that_was_made_anew_shows_at_the_next_one() -> None:
    rows, _ = lines()
    chain = Chain()
    for number in range(2):
        chain.line({"uid": str(number)})
    rows[2] = chain.line({"uid": "9"})
    assert checked(rows)[0].startswith("ADM020 line 3 does not belong behind the line before it")


def test_a_chain_that_was_made_anew_shows_against_the_published_head() -> None:
    _, head = lines()
    chain = Chain()
    rows = [chain.line({"uid": f"x{number}"}) for number in range(6)]
    assert checked(rows, head) == ["ADM020 line 5 is another one than was published"]


def test_lines_in_another_order_show() -> None:
    rows, _ = lines()
    assert checked([rows[0], rows[2], rows[1], *rows[3:]])


@pytest.mark.parametrize(
    "junk", [b"{}\n", b"[]\n", b"text\n", b'{"n":"x","before":"","hash":"","record":{}}\n']
)
def test_what_is_no_line_shows(junk: bytes) -> None:
    rows, _ = lines()
    assert checked([*rows[:3], junk, *rows[3:]]) == ["ADM020 this is no line of a decision log"]


def observed(value: dict[str, Any]) -> Observed:
    now = datetime.now(UTC)
    request = decode(body(value)).request
    answer: Answer = admit(request, DENYING, Settings(), Asking(now=now, deadline=Deadline.after(10)))
    return Observed(HOOKS["/v1/admit"], request, answer, now, 0.001, DENYING.digest)


def test_a_record_says_what_was_answered_and_why() -> None:
    record = record_of(observed(pod()))
    assert (record["outcome"], record["user"], record["name"]) == ("deny", "ann", "web")
    assert record["findings"][0]["policy"] == "NeedsOwner/owner"
    assert record["findings"][0]["message"] == "it needs an owner"


def test_a_record_has_no_object_and_nothing_of_a_secret() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "shop"},
        "data": {"password": "aHVudGVyMg=="},
    }
    text = orjson.dumps(record_of(observed(secret)))
    assert b"aHVudGVyMg" not in text
    assert b"it needs an owner" not in text, "a policy may quote what it refuses"
    assert b"NeedsOwner/owner" in text


def written(folder: Path) -> list[Source]:
    return [Source(row.name, row.read_text()) for row in sorted(folder.glob("*.jsonl"))]


@pytest.mark.parametrize("fsync", Fsync)
def test_it_is_written_in_order_and_whole(tmp_path: Path, fsync: Fsync) -> None:
    writer = Writer(tmp_path / "log", "d", fsync=fsync)
    for number in range(500):
        writer.add({"uid": str(number)})
    writer.close()
    found = verify(written(tmp_path / "log"), writer.head)
    assert (found.lines, found.problems, found.lost) == (500, [], 0)
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0


def test_a_full_file_is_followed_by_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho.admission.decisions import writer as module
    from sekisho.diag import Limit

    monkeypatch.setattr(module, "FILE", Limit("a file", 2_000, "bytes", "for the test"))
    writer = Writer(tmp_path, "d")
    for number in range(50):
        writer.add({"uid": str(number), "name": "x" * 100})
        time.sleep(0.001)
    writer.close()
    assert len(written(tmp_path)) > 1
    assert verify(written(tmp_path), writer.head).problems == []


def test_a_full_disk_costs_records_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho.admission.decisions import writer as module

    now = [0.0]
    full = [False]
    real = os.write

    def write(file: int, content: bytes) -> int:
        if full[0]:
            real(file, content[: len(content) // 2])  # what fits is written, and has to be taken back
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, content)

    monkeypatch.setattr(module.os, "write", write)
    writer = Writer(tmp_path, "d", clock=lambda: now[0])
    writer.add({"uid": "0"})
    _until(lambda: writer.head.number == 0)
    full[0] = True
    started = time.monotonic()
    for number in range(1, 4):
        writer.add({"uid": str(number)})
    assert time.monotonic() - started < 0.1, "nobody waits for the disk"
    _until(lambda: writer.lost == 3)
    full[0], now[0] = False, 100.0
    writer.add({"uid": "4"})
    writer.close()
    found = verify(written(tmp_path), writer.head)
    assert (found.lines, found.lost, found.problems) == (2, 3, [])


def test_a_disk_that_hangs_costs_records_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from sekisho.admission.decisions import writer as module

    hangs = threading.Event()
    real = os.write

    def write(file: int, content: bytes) -> int:
        hangs.wait(30)
        return real(file, content)

    monkeypatch.setattr(module.os, "write", write)
    writer = Writer(tmp_path, "d")
    started = time.monotonic()
    for number in range(11_000):
        writer.add({"uid": str(number)})
    assert time.monotonic() - started < 2
    assert writer.lost > 0
    hangs.set()
    writer.close(10)
    assert verify(written(tmp_path), writer.head).problems == []


def _until(holds: Any) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and not holds():
        time.sleep(0.005)
    assert holds()
