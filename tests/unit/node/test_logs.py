"""Logs of containers: lines, pieces, following, beginning anew."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sekisho.apiserver.runtime import Log
from sekisho.node import logs
from sekisho.node.logs import ContainerLog


def text(log: Log) -> bytes:
    return b"".join(line.text for line in log.lines)


def test_lines_are_put_together_channel_by_channel(tmp_path: Path) -> None:
    log = ContainerLog(tmp_path / "log")
    log.write(1, b"one\ntw")
    log.write(2, b"error")
    log.write(1, b"o\n")
    log.write(2, b"!\nrest")
    log.end()
    log.end()
    assert text(log.read(follow=True)) == b"one\ntwo\nerror!\nrest"
    assert log.read(follow=True).more is None


def test_long_lines_are_kept_in_pieces(tmp_path: Path) -> None:
    log = ContainerLog(tmp_path / "log")
    long = bytes(range(1, 10)) * 5_000 + b"x"
    log.write(1, long + b"\nnext\n")
    log.write(1, b"y" * 40_000)
    log.end()
    found = log.read(follow=False)
    assert text(found) == long + b"\nnext\n" + b"y" * 40_000
    assert max(len(line.text) for line in found.lines) <= logs.PIECE + 1


def test_a_log_is_followed_to_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        log = ContainerLog(tmp_path / "log")
        log.write(1, b"one\n")
        found = log.read(follow=True)
        assert text(found) == b"one\n"
        assert found.more is not None

        async def write() -> None:
            for word in (b"two\n", b"three\n", b"four"):
                await asyncio.sleep(0.01)
                log.write(1, word)
            log.end()

        writing = asyncio.ensure_future(write())
        assert [line.text async for line in found.more] == [b"two\n", b"three\n", b"four"]
        await writing

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_log_that_is_too_long_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST", 200)
    log = ContainerLog(tmp_path / "log")
    for number in range(20):
        log.write(1, f"line {number}\n".encode())
    log.end()
    found = text(log.read(follow=False))
    assert found.endswith(b"line 19\n")
    assert b"line 0\n" not in found
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 400


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    log = ContainerLog(tmp_path / "log")
    log.write(1, b"one\ntwo\nthree\n")
    assert log.tail(2, 100) == "two\nthree\n"
    assert log.tail(2, 3) == "ee\n"
    log.end()
