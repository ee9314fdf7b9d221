"""``sekisho sandbox do``: what a command sees, how it ends, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.unit.sandbox.inside import PYTHON, SRC, alive, do, needs_root, needs_sandbox, python, sh

from sekisho.sandbox import mount_native, process_native

pytestmark = needs_sandbox


def test_true() -> None:
    run = do("/bin/true")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("script", "status"), [("exit 3", 3), ("kill -TERM $$", 128 + 15), ("kill -SEGV $$", 128 + 11)]
)
def test_status(script: str, status: int) -> None:
    assert do("/bin/sh", "-c", script).returncode == status


def test_program_that_is_not_there() -> None:
    run = do("no-such-program")
    assert run.returncode == 127
    assert "SBX014: cannot run no-such-program" in run.stderr


def test_program_that_cannot_be_executed() -> None:
    run = do("/etc/passwd")
    assert run.returncode == 126
    assert "SBX015" in run.stderr


def test_directory_that_is_not_there() -> None:
    run = do("/bin/true", options=("--cwd", "/no/such"))
    assert run.returncode == 2
    assert "SBX013: the working directory /no/such cannot be entered" in run.stderr


def test_standard_streams() -> None:
    run = do("/bin/sh", "-c", "cat; echo oops >&2", stdin=None, input="through")
    assert (run.stdout, run.stderr) == ("through", "oops\n")


def test_pipes() -> None:
    assert sh("seq 100 | grep 7 | wc -l") == "19\n"


def test_its_own_processes() -> None:
    assert sh("echo $$; ls /proc | grep -c '^[0-9]'").split()[0] == "2"


def test_no_capability() -> None:
    rows = dict(line.split() for line in sh("grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status").splitlines())
    assert set(rows.values()) == {"0000000000000000", "1", "2"}
    assert rows["NoNewPrivs:"] == "1"


def test_writes_stay_in_the_overlay() -> None:
    run = do("/bin/sh", "-c", "echo x > /etc/sekisho-made; cat /etc/sekisho-made", options=("--diff",))
    assert run.stdout == "x\n"
    assert run.stderr == "A /etc/sekisho-made\n"
    assert not Path("/etc/sekisho-made").exists()


def test_overlay_that_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    sh("echo x > /etc/sekisho-made; mkdir /opt/sekisho-dir", "--overlay", str(kept))
    assert (kept / "upper/etc/sekisho-made").read_text() == "x\n"
    assert sh("cat /etc/sekisho-made", "--overlay", str(kept)) == "x\n"


def test_diff_names_each_kind() -> None:
    run = do("/bin/sh", "-c", "rm /etc/hosts; echo >> /etc/passwd; mkdir /opt/new", options=("--diff",))
    assert run.stderr.splitlines() == ["D /etc/hosts", "M /etc/passwd", "A /opt/new"]


@needs_root
def test_other_disks_have_overlays_too(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount_native.mount("tmpfs", str(disk), "tmpfs")
    try:
        (disk / "old").write_text("old")
        script = f"cat {disk}/old; echo new > {disk}/old; mkdir {disk}/made"
        run = do("/bin/sh", "-c", script, options=("--diff",))
        assert run.stdout == "old"
        assert run.stderr.splitlines() == [f"A {disk}/made", f"M {disk}/old"]
        assert (disk / "old").read_text() == "old"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_secrets_are_hidden() -> None:
    assert sh("cat /etc/shadow; ls -A /etc/sudoers.d 2>/dev/null; true") == ""


def test_environment_stays_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SRC), "TOKEN": "t0p", "OTHER": "o"}
    assert "t0p" not in sh("env", env=environment)
    assert sh("echo $TOKEN $MADE", "--env", "TOKEN", "--env", "MADE=m", env=environment) == "t0p m\n"


def test_mounts(tmp_path: Path) -> None:
    (tmp_path / "read").mkdir()
    (tmp_path / "read/file").write_text("r")
    (tmp_path / "write").mkdir()
    run = do(
        "/bin/sh", "-c", "cat /r/file; echo w > /w/file; echo x > /r/file",
        options=("--mount", f"{tmp_path}/read:/r", "--mount", f"{tmp_path}/write:/w:rw"),
    )  # fmt: skip
    assert run.stdout == "r"
    assert "Read-only file system" in run.stderr
    assert (tmp_path / "write/file").read_text() == "w\n"


def test_readonly() -> None:
    run = do("/bin/sh", "-c", "echo t > /tmp/t; cat /tmp/t; echo x > /etc/x", options=("--readonly",))
    assert run.stdout == "t\n"
    assert "Read-only file system" in run.stderr


def test_loopback_and_nothing_else() -> None:
    script = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
server.accept()[0].send(b"hi")
print(client.recv(9))
try:
    socket.create_connection(("192.0.2.1", 80), 2)
except OSError as error:
    print(error.strerror)
"""
    assert python(script) == "b'hi'\nNetwork is unreachable\n"


def test_time_ends_the_whole_tree() -> None:
    start = time.monotonic()
    run = do("/bin/sh", "-c", "sleep 100 & sleep 100", options=("--time", "300ms"))
    assert run.returncode == 124
    assert "SBX020" in run.stderr
    assert time.monotonic() - start < 10


@needs_root
def test_memory() -> None:
    run = do(PYTHON, "-I", "-S", "-c", "b'x' * (400 << 20)", options=("--memory", "64M"))
    assert run.returncode == 128 + signal.SIGKILL
    assert "SBX021" in run.stderr


@needs_root
def test_fork_bomb() -> None:
    script = """
import os
made = 0
while True:
    try:
        if os.fork() == 0:
            os.pause() if hasattr(os, "pause") else __import__("time").sleep(100)
        made += 1
    except BlockingIOError:
        print(made)
        break
"""
    assert 20 <= int(python(script, "--pids", "32")) <= 32


def test_signals_are_forwarded() -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "sekisho", "sandbox", "do", "--", "/bin/sh", "-c",
         "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.05; done"],
        env={**os.environ, "PYTHONPATH": str(SRC)}, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    run.send_signal(signal.SIGTERM)
    assert run.communicate(timeout=20)[0] == "got\n"
    assert run.returncode == 9


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("victim", ["launcher", "sentry", "init"])
def test_whoever_is_killed_the_workload_dies(victim: str) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "sekisho", "sandbox", "do", "--", "/bin/sh", "-c", "echo ready; sleep 100 & sleep 100"],
        env={**os.environ, "PYTHONPATH": str(SRC)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    (sentry,) = _children(run.pid)
    (init,) = _children(sentry)
    (workload,) = _children(init)
    family = [init, workload, *_children(workload)]
    os.kill({"launcher": run.pid, "sentry": sentry, "init": init}[victim], signal.SIGKILL)
    end = time.monotonic() + 1
    while any(map(alive, family)) and time.monotonic() < end:
        time.sleep(0.01)
    assert not [pid for pid in family if alive(pid)]
    run.communicate(timeout=20)
    if victim != "launcher":
        assert run.returncode == 128 + signal.SIGKILL


@needs_root
def test_nothing_is_left() -> None:
    process_native.adopt_orphans()  # whatever a sandbox leaves becomes ours

    def state() -> tuple[list[int], list[str], list[str], list[str]]:
        groups = [str(path) for path in Path("/sys/fs/cgroup").glob("*/sekisho/do-*")]
        rows = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        stages = [row[1] for row in rows if row[1].endswith("/root") and row[2] in ("overlay", "tmpfs")]
        return (
            _children(os.getpid()),
            stages,
            groups,
            sorted(path.name for path in Path("/proc/self/fd").iterdir()),
        )

    before = state()
    for _ in range(3):
        do("/bin/sh", "-c", "sleep 100 & true", options=("--memory", "1G"))
    end = time.monotonic() + 5
    while (after := state())[0] != before[0] and time.monotonic() < end:
        time.sleep(0.05)
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert after[3] == before[3]
    assert not [group for group in after[2] if group not in before[2]]


def test_usage() -> None:
    run = do("true", options=("--net", "moon"))
    assert run.returncode == 2
    assert "--net is none, host-rules or host" in run.stderr
