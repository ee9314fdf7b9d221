"""``sekisho up`` as a process: it says where it is, refuses a second one, and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
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


def make_a_file(folder: Path) -> None:
    folder.write_text("")


def make_a_folder_of_the_kubeconfig(folder: Path) -> None:
    (folder / "kubeconfig" / "in the way").mkdir(parents=True)


def spoil_the_keys(folder: Path) -> None:
    (folder / "pki").mkdir(parents=True)
    for name in ("ca.crt", "ca.key"):
        (folder / "pki" / name).write_text("nothing of the kind")


@pytest.mark.parametrize(
    ("prepare", "more", "wanted"),
    [
        (make_a_file, (), "API003: {folder} cannot be used: there is a file where a folder is needed"),
        (make_a_folder_of_the_kubeconfig, (), "API003: {folder}/kubeconfig cannot be used: Is a directory"),
        (spoil_the_keys, (), "API011: the keys in {folder}/pki cannot be used"),
        (None, ("--host", "192.0.2.1"), "API010: the server cannot listen on 192.0.2.1:0: cannot assign"),
        (None, ("--host", "no such host"), "API010: the server cannot listen on no such host:0: "),
    ],
)
def test_what_keeps_it_from_starting_is_told(
    tmp_path: Path, prepare: Callable[[Path], None] | None, more: tuple[str, ...], wanted: str
) -> None:
    folder = tmp_path / "data"
    if prepare is not None:
        prepare(folder)
    process = start(folder, *more)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 3
    assert wanted.format(folder=folder) in errors
    assert "help: " in errors


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path / "data", "--port", str(port))
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 3
    assert f"API010: the server cannot listen on 127.0.0.1:{port}: address already in use" in errors


def test_a_second_signal_ends_it_at_once(cluster: tuple[subprocess.Popen[str], Path]) -> None:
    process, _ = cluster
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode in (0, 128 + signal.SIGINT, -signal.SIGINT)
    assert "Traceback" not in errors


def test_without_guard_it_is_the_api_alone(tmp_path: Path) -> None:
    process = start(tmp_path / "data", "--no-guard", "-o", "json")
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["kubeconfig"] == str(tmp_path / "data" / "kubeconfig")
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
