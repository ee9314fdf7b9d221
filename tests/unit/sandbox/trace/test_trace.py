"""Calls followed by ptrace, and what a sandbox makes of them."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.sandbox.inside import PYTHON, SRC, do, needs_root, needs_sandbox

from sekisho.sandbox import filters
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.trace import log, tracer
from sekisho.sandbox.trace.compare import Made, Run, compare, is_answered, lines
from sekisho.sandbox.trace.decode import FORMS, READ, SIGNATURES

NAMES = filters.load_names()
NUMBERS = {name: number for number, name in NAMES.items()}


class Seen(tracer.Listener):
    def __init__(self) -> None:
        self.calls: list[tracer.Traced] = []
        self.executed = 0

    def ends(self, call: tracer.Traced) -> None:
        self.calls.append(call)

    def executes(self, tid: int) -> None:
        self.executed += 1


@needs_root
def test_a_program_and_its_children_are_followed() -> None:
    seen = Seen()
    status = tracer.run(["/bin/sh", "-c", "/bin/true; (exit 3); exit 7"], dict(os.environ), seen)
    assert os.waitstatus_to_exitcode(status) == 7
    assert seen.executed == 2
    assert len({call.tid for call in seen.calls}) == 3
    ends = [call.args[0] & 0xFF for call in seen.calls if NAMES[call.number] == "exit_group"]
    assert sorted(ends) == [0, 3, 7]


@needs_root
def test_signals_arrive_and_threads_are_followed() -> None:
    script = """
import os, signal, threading
signal.signal(signal.SIGUSR1, lambda *_: os._exit(9))
thread = threading.Thread(target=lambda: os.getppid())
thread.start()
thread.join()
os.kill(os.getpid(), signal.SIGUSR1)
signal.pause()
"""
    seen = Seen()
    assert os.waitstatus_to_exitcode(tracer.run([PYTHON, "-I", "-S", "-c", script], {}, seen)) == 9
    assert len({call.tid for call in seen.calls}) == 2


def test_where_tracing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pid: int) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("sekisho.sandbox.ptrace_native.seize", refuse)
    with pytest.raises(SandboxError, match="SBX025: programs cannot be traced here: Operation not permitted"):
        log.follower(sys.stderr)(os.getpid(), lambda: None)


def test_signatures_are_of_calls_that_there_are() -> None:
    assert SIGNATURES.keys() <= NUMBERS.keys()
    assert {letter for letters in SIGNATURES.values() for letter in letters} <= {*FORMS, *READ, "B"}
    assert all(len(letters) <= 6 for letters in SIGNATURES.values())


@needs_sandbox
@needs_root
def test_strace(tmp_path: Path) -> None:
    path = tmp_path / "log"
    script = """
import os, socket
fd = os.open("/etc/passwd", os.O_RDONLY)
os.read(fd, 4)
os.write(1, b"out\\n")
try:
    os.open("/no/such", os.O_WRONLY | os.O_CREAT, 0o600)
except OSError:
    pass
s = socket.socket()
try:
    s.connect(("127.0.0.1", 9))
except OSError:
    pass
"""
    run = do(PYTHON, "-I", "-S", "-c", script, options=("--strace", str(path)))
    assert (run.returncode, run.stdout, run.stderr) == (0, "out\n", "")
    text = path.read_text()
    for expected in (
        r'openat\(AT_FDCWD, "/etc/passwd", O_RDONLY\|O_CLOEXEC, 0\d*\) = (\d+)',
        r'read\(\d+, "root", 4\) = 4',
        r'write\(1, "out\\n", 4\) = 4',
        r'openat\(AT_FDCWD, "/no/such", O_WRONLY\|O_CREAT\|O_CLOEXEC, 0600\) = -1 ENOENT \(No such file or directory\)',
        r"socket\(AF_INET, SOCK_STREAM, 0\) = \d+",
        r"connect\(\d+, 127\.0\.0\.1:9, 16\) = -1 ECONNREFUSED \(Connection refused\)",
        r"exit_group\(0\) = \?",
    ):
        assert re.search(expected, text), expected


# the comparison


def run(**more: object) -> Run:
    values: dict[str, object] = {"status": 0, "out": b"", "err": b"", "seconds": 1.0, "files": {}, **more}
    return Run(**values)  # type: ignore[arg-type]


def test_who_answers() -> None:
    assert is_answered(NUMBERS["connect"], (0,) * 6)
    assert not is_answered(NUMBERS["read"], (0,) * 6)
    assert is_answered(NUMBERS["openat"], (0,) * 6)
    assert not is_answered(NUMBERS["openat"], (0, 0, os.O_DIRECTORY, 0, 0, 0))
    assert not is_answered(9999, (0,) * 6)


def test_comparison() -> None:
    made = {
        ("a", NUMBERS["read"]): Made(100, 0),
        ("a", NUMBERS["connect"]): Made(10, 10),
        ("a", NUMBERS["ptrace"]): Made(2, 0),
        ("a", 9999): Made(1, 0),
    }
    native = run(out=b"one\ntwo\n", files={"x": "1", "y": "2", "z": ""})
    inside = run(status=3, out=b"one\nother\n", files={"x": "1", "y": "3", "w": "4"}, seconds=2.0)
    found = compare(made, {("a", "ptrace"): 2, ("b", "bpf"): 1}, native, inside, 0.5)
    assert (found.calls, found.direct, found.answered) == (113, 100, 10)
    assert not found.runs
    assert found.differences == (
        "exit status: 0 natively, 3 inside",
        "standard output: line 2: 'two' natively, 'other' inside",
        "w was written inside only",
        "y has other contents",
        "z was written natively only",
    )
    assert 1.5 < found.predicted < 1.6
    calls = {item.call: (item.natively, item.denied) for item in found.findings}
    assert calls["ptrace"] == (2, 2)
    assert calls["bpf"] == (0, 1)
    assert calls["9999"] == (1, 0)
    text = "\n".join(lines(found))
    assert "debuggers and tracers do not work" in text
    assert "measured 2.000 s (2.00 times)" in text


def test_the_same() -> None:
    found = compare({}, {}, run(), run(), 0.1)
    assert found.runs
    assert "differing results: 0" in list(lines(found))


def check(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sekisho", "sandbox", "check", "-o", "json", "--", *command],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


@needs_sandbox
@needs_root
def test_check(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    script = "import os; open('new', 'w').write('new'); os.remove('old') if os.path.exists('old') else None; print('done')"
    done = check(tmp_path, PYTHON, "-I", "-S", "-c", script)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["differences"] == []
    assert found["calls"] > 50
    assert 0 < found["answered"] < found["direct"]
    assert found["predicted"] > found["native"]
    assert (tmp_path / "new").read_text() == "new"


@needs_sandbox
@needs_root
def test_check_finds_what_differs(tmp_path: Path) -> None:
    script = (
        "import ctypes, os; l = ctypes.CDLL(None); print(l.syscall(435 + 6000), os.getpid() < 5);"
        "print(l.syscall(425, 1, 0) < 0); open(f'file-{os.getpid() < 5}', 'w')"
    )
    done = check(tmp_path, PYTHON, "-I", "-S", "-c", script)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert any(text.startswith("standard output: line 1") for text in found["differences"])
    assert "file-True was written inside only" in found["differences"]
    assert {item["call"] for item in found["findings"] if item["denied"]} >= {"io_uring_setup", "6435"}
