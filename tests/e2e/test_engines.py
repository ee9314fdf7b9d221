"""Containers of containerd and Podman on our runtime: run, exec, a terminal, kill, pause, figures, delete.

Opt-in (``make e2e``), as root. Each engine has its own state in a temporary folder and stops at the end.
"""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.sandbox.doctor import examine, gather, why_not
from tests.conformance.runtime_tools.__main__ import our_runtime

WHY = why_not(examine(gather()))
PROGRAMS = ("sh", "cat", "id", "sleep", "tty", "stty", "ls", "hostname", "ps")
TIME = 60

pytestmark = [
    pytest.mark.skipif(os.environ.get("SEKISHO_E2E") != "1", reason="make e2e runs these"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(bool(WHY), reason=WHY or "sandboxes can run"),
]


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small root: programs of this machine with the libraries that they name."""
    root = tmp_path_factory.mktemp("root")
    root.chmod(0o755)
    for name in ("bin", "etc", "proc", "dev", "sys", "tmp", "run"):
        (root / name).mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found is not None
        shutil.copy2(Path(found).resolve(), root / "bin" / name)
        listed = subprocess.run(["ldd", found], capture_output=True, text=True, check=False).stdout
        for word in listed.split():
            if word.startswith("/"):
                (root / word[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(Path(word).resolve(), root / word[1:])
    (root / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\n", encoding="utf-8")
    return root


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=TIME, stdin=subprocess.DEVNULL
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def on_a_terminal(*command: str) -> tuple[int, str]:
    """Run on a terminal of its own; the status and what it shows."""
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    shown = b""
    with contextlib.suppress(OSError):
        while data := os.read(master, 4096):
            shown += data
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


@pytest.fixture
def ctr(tmp_path: Path) -> Iterator[list[str]]:
    """A containerd of our own, and how to talk to it."""
    for program in ("containerd", "ctr", "containerd-shim-runc-v2"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    config = f'version = 2\nroot = "{tmp_path}/root"\nstate = "{tmp_path}/state"\n'
    config += 'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
    config += f'[grpc]\n  address = "{tmp_path}/sock"\n'
    (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(["containerd", "-c", str(tmp_path / "config.toml")], stdout=log, stderr=log)
    try:
        end = time.monotonic() + TIME
        while not (tmp_path / "sock").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        yield ["ctr", "-a", str(tmp_path / "sock")]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(TIME)


def test_containerd(ctr: list[str], rootfs: Path) -> None:
    with our_runtime() as runtime:
        on = ("--runtime", "io.containerd.runc.v2", "--runc-binary", runtime, "--rootfs", str(rootfs))
        done = run(*ctr, "run", "--rm", *on, "one", "/bin/sh", "-c", "echo hello; exit 5", check=False)
        assert (done.returncode, done.stdout) == (5, "hello\n")
        status, shown = on_a_terminal(*ctr, "run", "--rm", "-t", *on, "two", "/bin/sh", "-c", "tty; exit 4")
        assert (status, shown.strip()) == (4, "/dev/pts/0")
        run(*ctr, "run", "-d", *on, "three", "/bin/sleep", "100")
        task = [*ctr, "task"]
        done = run(*task, "exec", "--exec-id", "x", "three", "/bin/sh", "-c", "echo in; exit 3", check=False)
        assert (done.returncode, done.stdout) == (3, "in\n")
        assert "memory.usage_in_bytes" in run(*task, "metrics", "three").stdout
        run(*task, "pause", "three")
        assert "PAUSED" in run(*task, "ls").stdout
        run(*task, "resume", "three")
        run(*task, "kill", "-s", "SIGKILL", "three")
        end = time.monotonic() + TIME
        while "STOPPED" not in run(*task, "ls").stdout:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert "exit code 137" in run(*task, "delete", "three").stderr
        run(*ctr, "container", "delete", "three")
        assert run(*ctr, "container", "ls", "-q").stdout == ""


def test_podman(rootfs: Path, tmp_path: Path) -> None:
    if shutil.which("podman") is None or shutil.which("conmon") is None:
        pytest.skip("podman is not installed")
    with our_runtime() as runtime:
        podman = [
            "podman",
            "--root",
            f"{tmp_path}/root",
            "--runroot",
            f"{tmp_path}/run",
            "--runtime",
            runtime,
        ]
        podman += ["--cgroup-manager", "cgroupfs", "--events-backend", "file", "--storage-driver", "vfs"]
        on = ["--net", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"]
        script = "id -u; hostname; exit 6"
        done = run(
            *podman, "run", "--rm", *on, "--user", "1000", "--hostname", "box", "--rootfs", str(rootfs),
            "sh", "-c", script, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (6, "1000\nbox\n"), done.stderr
        run(*podman, "run", "-d", *on, "--name", "web", "--rootfs", str(rootfs), "sleep", "100")
        assert run(*podman, "exec", "web", "sh", "-c", "echo in; exit 3", check=False).returncode == 3
        assert "web" in run(*podman, "ps").stdout
        run(*podman, "kill", "web")
        run(*podman, "rm", "-f", "web")
        assert "web" not in run(*podman, "ps", "-a").stdout
