"""``sekisho up`` as a process: it says where it is, refuses a second one, and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = str(Path(__file__).parents[3] / "src")


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sekisho", "up", "--data", str(folder), "--port", "0", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": SRC, "NO_COLOR": "1"},
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    folder = tmp_path / "data"
    process = start(folder, "-o", "json")
    yield process, folder
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_says_where_it_is(cluster: tuple[subprocess.Popen[str], Path]) -> None:
    process, folder = cluster
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["kubeconfig"] == str(folder / "kubeconfig")
    assert said["server"] in (folder / "kubeconfig").read_text()
    assert said["server"].startswith("https://127.0.0.1:")
    second = start(folder)
    _, errors = second.communicate(timeout=30)
    assert second.returncode == 3
    assert "API001" in errors
    assert process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to(cluster: tuple[subprocess.Popen[str], Path], number: int) -> None:
    process, _ = cluster
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
