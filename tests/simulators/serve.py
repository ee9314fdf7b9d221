"""``sekisho serve`` as a process that tests start and stop."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


@dataclass(frozen=True)
class Serve:
    """A running one; ``ports`` by what they are for."""

    process: subprocess.Popen[str]
    ports: dict[str, int]

    def ask(self, body: bytes, path: str = "/v1/admit?timeout=10s") -> tuple[int, dict[str, Any]]:
        """One request, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["port"], timeout=30)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, orjson.loads(answer.read())
        finally:
            connection.close()

    def get(self, what: str, path: str) -> tuple[int, str]:
        """A probe or a scrape."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[what], timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The process numbers of its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]


def until(holds: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Wait until something holds, and give it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came to hold")


@contextmanager
def serve(*arguments: str, workers: int = 2, port: int = 0) -> Iterator[Serve]:
    """Start one on free ports of the loopback, and stop it at the end."""
    ports = ("--host", "127.0.0.1", "--port", str(port), "--health-port", "0", "--prometheus-port", "0")
    process = subprocess.Popen(
        [sys.executable, "-m", "sekisho", "serve", *ports, "--workers", str(workers), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield Serve(process, json.loads(line)["serving"])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
