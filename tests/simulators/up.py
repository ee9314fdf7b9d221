"""``sekisho up`` in a process of its own, which may be killed at any moment."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60.0
STOP_SECONDS = 20.0


SEKISHO_UP = ("sekisho", "up", "--data", "{folder}", "--port", "{port}", "-o", "json")
THE_API = (*SEKISHO_UP, "--no-guard")
PLAYED = ("tests.simulators.played", "{folder}")
"""Modules that serve a cluster: the command, the same for the API alone, and one whose Pods are played."""


@dataclass(slots=True, kw_only=True)
class Up:
    """A running server. ``seconds`` is how long it took from the start of the process to its first word.

    ``page`` is where its status page is, empty if it has none.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    port: int
    seconds: float
    page: str = ""

    @classmethod
    def start(cls, folder: Path, *, port: int = 0, module: Sequence[str] = THE_API) -> Up:
        """Start on a folder, and wait until it says where it answers; what it logs goes to ``<folder>.log``.

        ``module`` serves a cluster; ``port`` and ``folder`` in it are replaced.
        """
        # An installed package has its byte code beside it; so has the process that is measured.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPATH"] = str(ROOT / "src")
        words = (word.format(folder=folder, port=port) for word in module)
        command = [sys.executable, "-m", *words]
        begin = time.perf_counter()
        with folder.with_suffix(".log").open("ab") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, cwd=ROOT)
        said = _first_line(process)
        if not said:
            process.kill()
            process.wait()
            raise AssertionError(
                f"the server did not start: {folder.with_suffix('.log').read_text()[-2000:]}"
            )
        rows = json.loads(said)
        port, page = int(rows["server"].rpartition(":")[2]), str(rows.get("page") or "")
        seconds = time.perf_counter() - begin
        return cls(process=process, folder=folder, port=port, seconds=seconds, page=page)

    @property
    def kubeconfig(self) -> Path:
        """What its clients read."""
        return self.folder / "kubeconfig"

    @property
    def log(self) -> str:
        """What it has logged on this folder, in all its lives."""
        return self.folder.with_suffix(".log").read_text(encoding="utf-8", errors="replace")

    @property
    def megabytes(self) -> float:
        """Resident memory at the moment (/proc/<pid>/status, VmRSS)."""
        return resident(self.process.pid)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """End it as ctrl-C would; its exit status."""
        if self.running:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def __enter__(self) -> Up:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        self.stop()


def resident(pid: int) -> float:
    """Resident memory of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    return 0.0


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline() if selector.select(READY_SECONDS) else b""
