"""Sandboxes from Python."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.sandbox.inside import PYTHON, SRC, alive, needs_root, needs_sandbox

from sekisho.diag import DiagnosticError
from sekisho.sandbox import Change, Sandbox, run

pytestmark = needs_sandbox

GUIDE = Path(__file__).parents[4] / "docs/guide/sandbox.md"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(pids=200) as made:
        yield made


def test_bytes(box: Sandbox) -> None:
    done = box.run(["/bin/sh", "-c", "cat; echo oops >&2; exit 3"], input=b"\0through")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"\0through", b"oops\n")


def test_text(box: Sandbox) -> None:
    assert box.run(["cat"], input="grüße").stdout == "grüße"


def test_check(box: Sandbox) -> None:
    with pytest.raises(subprocess.CalledProcessError, match="returned non-zero exit status 1"):
        box.run(["false"], check=True)


def test_a_signal_is_a_negative_status(box: Sandbox) -> None:
    assert box.run(["/bin/sh", "-c", "kill -SEGV $$"]).returncode == -signal.SIGSEGV
    assert box.run(["/bin/sh", "-c", "kill -KILL $$"]).returncode == -signal.SIGKILL


def test_directory_and_variables(box: Sandbox) -> None:
    done = box.run(["/bin/sh", "-c", "pwd; echo $MADE"], cwd="/usr", env={"MADE": "m"}, text=True)
    assert done.stdout == "/usr\nm\n"


def test_streams(box: Sandbox) -> None:
    with box.popen(["cat"], stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in ("one\n", "two\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == line
        process.stdin.close()
        assert process.wait(10) == 0
        assert process.poll() == process.returncode == 0


def test_a_signal_to_a_program(box: Sandbox) -> None:
    script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done"
    with box.popen(["/bin/sh", "-c", script], text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(10) == 9


@needs_root
def test_a_timeout_ends_the_whole_tree(box: Sandbox) -> None:
    script = "echo $$; setsid setsid sleep 99 & sleep 99 & (sleep 99 & exec sleep 99)"
    begin = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        box.run(["/bin/sh", "-c", script], timeout=0.5, text=True)
    assert time.monotonic() - begin < 6
    assert caught.value.stdout.strip().isdigit()
    script = "for p in /proc/[0-9]*; do cat $p/comm; done"
    assert "sleep" not in box.run(["/bin/sh", "-c", script], text=True).stdout.split()


@needs_root
def test_a_fork_bomb_is_ended(box: Sandbox) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        box.run(["/bin/sh", "-c", "f() { f | f & }; f; sleep 99"], timeout=0.3)
    assert box.run(["true"]).returncode == 0


@pytest.mark.parametrize(("args", "code"), [(["no-such-program"], "SBX014"), (["/etc/passwd"], "SBX015")])
def test_programs_that_cannot_be_run(box: Sandbox, args: list[str], code: str) -> None:
    with pytest.raises(DiagnosticError, match=code):
        box.run(args)


def test_files(box: Sandbox) -> None:
    box.write_text("/tmp/sekisho-a", "text")
    box.write_bytes("/tmp/sekisho-b", b"#!/bin/sh\necho ran\n", mode=0o755)
    assert box.read_text("/tmp/sekisho-a") == "text"
    assert box.run(["/tmp/sekisho-b"], text=True).stdout == "ran\n"
    box.write_text("/tmp/sekisho-a", "less")
    assert box.run(["cat", "/tmp/sekisho-a"], text=True).stdout == "less"
    assert not Path("/tmp/sekisho-a").exists()


def test_directories(box: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/file").write_text("x" * 200_000)
    (tmp_path / "in/link").symlink_to("deep/file")
    box.put(tmp_path / "in", "/tmp/sekisho-put")
    assert box.run(["wc", "-c", "/tmp/sekisho-put/link"], text=True).stdout.split()[0] == "200000"
    box.get("/tmp/sekisho-put", tmp_path / "out")
    assert (tmp_path / "out/link").read_text() == "x" * 200_000
    box.put(tmp_path / "in/deep/file", "/tmp/sekisho-one")
    box.get("/tmp/sekisho-one", tmp_path / "one")
    assert (tmp_path / "one").stat().st_size == 200_000


def test_what_is_packed_inside_is_not_trusted(box: Sandbox, tmp_path: Path) -> None:
    box.run(["/bin/sh", "-c", "mkdir /tmp/sekisho-evil; ln -s /etc /tmp/sekisho-evil/l"], check=True)
    with pytest.raises(Exception, match=r"outside|absolute"):
        box.get("/tmp/sekisho-evil", tmp_path / "out")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/no/such", FileNotFoundError),
        ("/proc/1/root/etc/passwd", OSError),
        ("/proc/self/fd/0", OSError),
        ("/dev/zero", OSError),
    ],
)
def test_files_that_are_not_read(box: Sandbox, path: str, error: type[OSError]) -> None:
    with pytest.raises(error):
        box.read_bytes(path)


def test_a_fifo_is_not_waited_for(box: Sandbox) -> None:
    box.run(["mkfifo", "/tmp/sekisho-fifo"], check=True)
    with pytest.raises(OSError, match="Invalid argument"):
        box.read_bytes("/tmp/sekisho-fifo")
    with pytest.raises(OSError, match="No such device or address"):
        box.write_bytes("/tmp/sekisho-fifo", b"x")


def test_secrets_are_hidden_here_too(box: Sandbox) -> None:
    with pytest.raises(OSError, match="Invalid argument"):  # in its place lies /dev/null
        box.read_bytes("/etc/shadow")


def test_changes() -> None:
    with Sandbox() as box:
        box.run(["/bin/sh", "-c", "rm /etc/hosts; echo >> /etc/passwd; mkdir /opt/new"], check=True)
        assert set(box.changes()) >= {
            Change(kind="D", path="/etc/hosts"),
            Change(kind="M", path="/etc/passwd"),
            Change(kind="A", path="/opt/new"),
        }
    assert Path("/etc/hosts").exists()


def test_what_is_kept(tmp_path: Path) -> None:
    run(["/bin/sh", "-c", "echo kept > /etc/sekisho-made"], overlay=tmp_path)
    assert (tmp_path / "upper/etc/sekisho-made").read_text() == "kept\n"


def test_programs_share_a_network(box: Sandbox) -> None:
    script = "import socket; s = socket.create_server(('127.0.0.1', 4711)); print('up', flush=True); s.accept()[0].send(b'hi')"
    with box.popen([PYTHON, "-I", "-c", script], text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "up\n"
        client = "import socket; print(socket.create_connection(('127.0.0.1', 4711)).recv(9))"
        assert box.run([PYTHON, "-I", "-c", client], text=True).stdout == "b'hi'\n"


def test_events() -> None:
    seen = []
    with Sandbox(allow=["203.0.113.7:80"], on_event=seen.append) as box:
        script = "import socket; socket.create_connection(('169.254.169.254', 80), 2)"
        assert box.run([PYTHON, "-I", "-c", script]).returncode == 1
    (event,) = [event for event in box.events if event.kind == "network"]
    assert event in seen
    assert event.data["verdict"] == "refuse"
    assert event.data["address"] == "169.254.169.254"
    assert abs(event.time - time.time()) < 60


@needs_root
def test_memory() -> None:
    with Sandbox(memory="64M") as box:
        assert box.run([PYTHON, "-I", "-S", "-c", "b'x' * (400 << 20)"]).returncode == -signal.SIGKILL
        assert box.run(["true"]).returncode == 0


def test_time_of_the_whole_sandbox() -> None:
    with Sandbox(time=0.5) as box:
        assert box.run(["sleep", "99"]).returncode != 0
        with pytest.raises(DiagnosticError, match="SBX019"):
            box.run(["true"])


def test_options_that_make_no_sense() -> None:
    with pytest.raises(DiagnosticError, match=r"SBX024: --allow: 10\.0\.0\.1/8 has bits beyond its prefix"):
        Sandbox(allow=["10.0.0.1/8"]).start()


def test_not_started() -> None:
    with pytest.raises(DiagnosticError, match="the sandbox is not running"):
        Sandbox().run(["true"])


def test_threads(box: Sandbox) -> None:
    found: list[str] = []

    def work(number: int) -> None:
        found.append(box.run(["echo", str(number)], text=True).stdout.strip())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["0", "1", "2", "3"]


def test_asyncio() -> None:
    async def main() -> None:
        # Read-only roots have a /tmp of their own, and the tests may run below the machine's.
        async with Sandbox(readonly=True, cwd="/") as box:
            done = await asyncio.gather(*(box.run_async(["echo", str(number)]) for number in range(3)))
            assert [one.stdout for one in done] == [b"0\n", b"1\n", b"2\n"]
            assert (await box.run_async(["cat"], input=b"in")).stdout == b"in"
            with pytest.raises(subprocess.TimeoutExpired):
                await box.run_async(["sleep", "99"], timeout=0.3)
            with pytest.raises(subprocess.CalledProcessError):
                await box.run_async(["false"], check=True)
            with pytest.raises(DiagnosticError, match="SBX014"):
                await box.run_async(["no-such-program"])
            async with await box.popen_async(["/bin/sh", "-c", "echo one; sleep 99"]) as process:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"one\n"
                process.kill()
                assert await process.wait() == -signal.SIGKILL

    asyncio.run(main())


def test_a_task_that_is_cancelled_ends_its_program() -> None:
    async def main() -> None:
        async with Sandbox() as box:
            task = asyncio.create_task(box.run_async(["sleep", "98.5"]))
            await asyncio.sleep(0.6)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            script = "for p in /proc/[0-9]*; do cat $p/comm; done"
            assert b"sleep" not in (await box.run_async(["/bin/sh", "-c", script])).stdout.split()

    asyncio.run(main())


def test_when_the_caller_is_killed_everything_ends() -> None:
    script = (
        "from sekisho.sandbox import Sandbox\n"
        "box = Sandbox().start()\n"
        "process = box.popen(['sleep', '99'])\n"
        "print(process.pid, box._folder, flush=True)\n"
        "process.wait()\n"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert caller.stdout is not None
    words = caller.stdout.readline().split()
    pid, folder = int(words[0]), Path(words[1])
    caller.kill()
    caller.wait()
    caller.stdout.close()
    end = time.monotonic() + 5
    while (alive(pid) or folder.exists()) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(pid)
    assert not folder.exists()


def examples() -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    section = text.partition("## From Python\n")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize("number", range(len(examples())))
def test_the_guides_examples_run(number: int) -> None:
    assert len(examples()) == 3
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", examples()[number]], env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True, text=True, timeout=60, check=False, cwd="/",
    )  # fmt: skip
    assert done.stderr == ""
    assert {0: "0 42", 1: "b'streamed'", 2: "end"}[number] in done.stdout
