"""Runs programs in real sandboxes; skipped, with the doctor's reason, where the machine cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.sandbox.doctor import examine, gather, why_not

SRC = Path(__file__).parents[3] / "src"
PYTHON = str(Path(sys.executable).resolve())
"""The interpreter itself: inside, a script that looks for one would cost more than the test."""

REASON = why_not(examine(gather()))
needs_sandbox = pytest.mark.skipif(bool(REASON), reason=REASON or "this machine can run sandboxes")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: cgroups and mounts of its own")

TIME = 30
"""Seconds that any program here may take."""


def do(*command: str, options: tuple[str, ...] = (), **more: object) -> subprocess.CompletedProcess[str]:
    """``sekisho sandbox do``."""
    line = [sys.executable, "-m", "sekisho", "sandbox", "do", *options, "--", *command]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    more = {"stdin": subprocess.DEVNULL, "cwd": "/", "env": environment, "timeout": TIME, **more}
    return subprocess.run(line, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]


def sh(script: str, *options: str, **more: object) -> str:
    """What a shell script prints inside; it must end well and complain of nothing."""
    run = do("/bin/sh", "-c", script, options=options, **more)
    assert run.stderr == ""
    assert run.returncode == 0
    return run.stdout


def python(script: str, *options: str) -> str:
    """What a Python script prints inside."""
    run = do(PYTHON, "-I", "-S", "-c", script, options=options)
    assert run.stderr == ""
    assert run.returncode == 0
    return run.stdout


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
