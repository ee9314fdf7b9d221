"""What is told of a run: denied calls, verdicts, where time went, figures."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.sandbox.inside import PYTHON, do, needs_sandbox

from sekisho.sandbox import telling
from sekisho.sandbox.events import LINE_MOST, Events, open_file, write_value

DENIED = """
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)
for _ in range(5):
    print(libc.syscall(101, 0, 0, 0, 0), ctypes.get_errno())
    print(libc.syscall(9999), ctypes.get_errno())
try:
    socket.socket(17, 3)
except OSError as error:
    print(error.errno)
"""


@needs_sandbox
def test_every_denied_call_is_reported(tmp_path: Path) -> None:
    events, metrics = tmp_path / "events", tmp_path / "metrics"
    options = ("--report", "--events", str(events), "--metrics", str(metrics))
    run = do(PYTHON, "-I", "-S", "-c", DENIED, options=options)
    assert run.stdout == "-1 1\n-1 38\n" * 5 + "97\n"
    rows = {line.split()[1]: line.split()[:3] for line in run.stderr.splitlines() if line.startswith("   ")}
    assert rows["ptrace"] == ["5", "ptrace", "EPERM"]
    assert rows["9999"] == ["5", "9999", "ENOSYS"]
    assert rows["socket"] == ["1", "socket", "EAFNOSUPPORT"]
    assert "debuggers and tracers do not work" in run.stderr
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert {row["count"] for row in told if row.get("call") == "ptrace"} == {1, 2, 4, 5}
    assert 'denied_calls_total{call="ptrace",error="EPERM"} 5' in metrics.read_text()


@needs_sandbox
def test_what_is_denied_does_not_depend_on_who_asks() -> None:
    """Calls that the filter denies by itself get the same answer from the Sentry."""
    script = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in (101, 165, 175, 250, 272, 288, 299, 310, 321, 323, 425, 435, 447, 600):
    result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
    print(number, result, ctypes.get_errno() if result < 0 else 0)
"""
    plain, told = (do(PYTHON, "-I", "-S", "-c", script, options=options) for options in ((), ("--report",)))
    assert plain.stdout == told.stdout
    assert plain.stdout.count("\n") == 14


@needs_sandbox
def test_profile() -> None:
    run = do("/bin/sh", "-c", "cat /etc/passwd > /dev/null", options=("--profile",))
    assert " openat" in run.stderr
    assert " execve" in run.stderr
    assert "of the Sentry's time" in run.stderr


@needs_sandbox
def test_a_metrics_file_that_cannot_be_written() -> None:
    run = do("true", options=("--metrics", "/nowhere/metrics"))
    assert run.returncode == 2
    assert "SBX023" in run.stderr


def test_values_are_json() -> None:
    value = {"text": 'a"\\\n\x01é\U0001f600\udc80', "list": [1, 2.5, True, None], "nested": {"k": ()}}
    assert json.loads(write_value(value)) == {**value, "nested": {"k": []}}
    assert write_value(value).isascii()


def test_long_and_lost_events(tmp_path: Path) -> None:
    path = tmp_path / "events"
    events = Events(open_file(str(path)))
    assert events.on
    events.tell("long", text="x" * LINE_MOST)
    events.tell("short", text="x")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["event"], row.get("shortened")) for row in rows] == [("long", True), ("short", None)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert not Events(-1).on


def test_effects() -> None:
    assert telling.effect("io_uring_enter") == telling.EFFECTS["io_uring_setup"]
    assert telling.effect("nothing") == telling.USUALLY


def test_report_of_the_network() -> None:
    rows = [
        {
            "event": "network",
            "action": "connect",
            "address": "10.0.0.1",
            "port": 80,
            "verdict": "refuse",
            "why": "no",
        },
        {
            "event": "network",
            "action": "connect",
            "address": "10.0.0.1",
            "port": 80,
            "verdict": "refuse",
            "why": "no",
        },
        {"event": "network", "action": "resolve", "name": "a.test", "verdict": "allow"},
    ]
    assert list(telling.report(rows)) == [
        "denied calls: 0",
        "refused on the network: 2",
        "       2 connect 10.0.0.1:80 (no)",
    ]
    assert 'network_verdicts_total{action="connect",verdict="refuse"} 2' in telling.metrics_text(rows)
