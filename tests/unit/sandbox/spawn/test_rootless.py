"""Sandboxes that somebody without root makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.sandbox.inside import SRC, needs_root, needs_sandbox

NOBODY = 65_534
SYSTEMS = Path("/usr/bin/python3")


def usable() -> bool:
    """Whether the system's own interpreter, which everybody may run, is new enough."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return SYSTEMS.exists() and subprocess.run([SYSTEMS, "-I", "-c", check], check=False).returncode == 0


pytestmark = [
    needs_sandbox,
    needs_root,
    pytest.mark.skipif(not usable(), reason="needs a Python 3.11 at /usr/bin/python3 that others may run"),
]


@pytest.fixture(scope="module")
def source() -> Iterator[Path]:
    """The package where others may read it; directories of pytest are its user's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("__init__.py", "__main__.py", "sandbox", "cli", "diag"):
            origin, target = SRC / "sekisho" / part, folder / "sekisho" / part
            target.parent.mkdir(exist_ok=True)
            (shutil.copytree if origin.is_dir() else shutil.copy)(origin, target)
        yield folder


def do(source: Path, *command: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    def become() -> None:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)

    return subprocess.run(
        [SYSTEMS, "-m", "sekisho", "sandbox", "do", *options, "--", *command],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60, preexec_fn=become,
    )  # fmt: skip


def test_it_is_the_same_user_inside(source: Path) -> None:
    run = do(source, "/bin/sh", "-c", "id -u; id -g; grep CapEff /proc/self/status | cut -f2")
    assert (run.stdout, run.stderr) == (f"{NOBODY}\n{NOBODY}\n0000000000000000\n", "")


def test_what_it_may_write_goes_to_the_overlay(source: Path) -> None:
    script = "echo made > /tmp/rootless-made; cat /tmp/rootless-made; echo x > /etc/passwd"
    run = do(source, "/bin/sh", "-c", script)
    assert run.stdout == "made\n"
    assert "Permission denied" in run.stderr
    assert not Path("/tmp/rootless-made").exists()


def test_programs_and_loopback(source: Path) -> None:
    script = """
import socket, subprocess
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
print(subprocess.run(["echo", "run"], capture_output=True, text=True).stdout, end="")
"""
    run = do(source, str(SYSTEMS), "-I", "-c", script)
    assert (run.stdout, run.stderr) == ("run\n", "")


def test_limits_need_a_group(source: Path) -> None:
    run = do(source, "/bin/true", options=("--memory", "64M"))
    assert run.returncode == 3
    assert "SBX002" in run.stderr


def test_python_says_that_it_takes_root(source: Path) -> None:
    script = "from sekisho.sandbox import Sandbox; Sandbox().start()"
    line = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(SYSTEMS), "-c", script]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(source)}
    run = subprocess.run(
        line, capture_output=True, text=True, env=environment, cwd="/", check=False, timeout=60
    )
    assert "SBX001: without root a sandbox cannot be entered from Python" in run.stderr


def test_rules_on_the_network(source: Path) -> None:
    script = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    run = do(source, str(SYSTEMS), "-I", "-c", script, options=("--allow", "203.0.113.7"))
    assert "PermissionError: [Errno 13] Permission denied" in run.stderr
