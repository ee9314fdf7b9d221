"""Containers from making to removal, as an engine drives them. Nothing is left behind."""

from __future__ import annotations

import array
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sandbox.inside import SRC, needs_root, needs_sandbox

from sekisho.sandbox.oci_runtime.commands.spec import template

pytestmark = [needs_sandbox, needs_root]

STARTER = (
    f"import sys; sys.path.insert(0, {str(SRC)!r}); from sekisho.sandbox.oci_runtime.main import main; main()"
)
TIME = 30
PROGRAMS = (
    "/bin/sh",
    "/bin/sleep",
    "/bin/cat",
    "/usr/bin/id",
    "/bin/ls",
    "/usr/bin/test",
    "/bin/hostname",
    "/usr/bin/tty",
)


class Engine:
    """Calls the runtime as engines do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bundle = folder / "bundle"
        self.root = folder / "state"
        self.log = folder / "log.json"

    def __call__(self, *words: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-I", "-S", "-c", STARTER, "--root", str(self.root), "--log", str(self.log)]
        run = subprocess.run(
            [*line, "--log-format", "json", *words],
            capture_output=True, text=True, check=False, timeout=TIME, stdin=subprocess.DEVNULL, **more,
        )  # fmt: skip
        assert not check or run.returncode == 0, run.stderr
        return run

    def quietly(self, *words: str) -> None:
        """A command whose container keeps our output: into a file, which nobody waits for."""
        with (self.folder / "out").open("w", encoding="utf-8") as out:
            line = [sys.executable, "-I", "-S", "-c", STARTER, "--root", str(self.root), *words]
            subprocess.run(line, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True, timeout=TIME)

    def out(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8")

    def configure(self, *args: str, change: Callable[[dict[str, Any]], None] = lambda config: None) -> None:
        config: dict[str, Any] = json.loads(json.dumps(template()))
        config["process"] |= {"args": list(args), "terminal": False}
        config["root"]["readonly"] = False
        config["mounts"] += [
            {"destination": name, "source": name, "options": ["rbind", "ro"]}
            for name in ("/usr", "/lib", "/lib64", "/bin")
            if Path(name).is_dir()
        ]
        change(config)
        (self.bundle / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def state(self, id: str = "web") -> dict[str, Any]:
        found = json.loads(self("state", id).stdout)
        assert isinstance(found, dict)
        return found

    def until(self, status: str, id: str = "web") -> None:
        end = time.monotonic() + TIME
        while self.state(id)["status"] != status:
            assert time.monotonic() < end, status
            time.sleep(0.02)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "bundle" / "rootfs").mkdir(parents=True)
    made = Engine(tmp_path)
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    yield made
    for id in made("list", "--quiet").stdout.split():
        made("delete", "--force", id)
    assert Path("/proc/self/mountinfo").read_text(encoding="utf-8") == mounts
    left = [path for path in Path("/sys/fs/cgroup").glob("*/sekisho/*") if path.name in ("web", "other")]
    assert left == []
    shutil.rmtree(tmp_path)


def test_a_life(engine: Engine) -> None:
    engine.configure("sh", "-c", "echo hello; hostname; exec sleep 100")
    engine.quietly("create", "--bundle", str(engine.bundle), "--pid-file", str(engine.folder / "pid"), "web")
    state = engine.state()
    assert (state["status"], state["bundle"]) == ("created", str(engine.bundle))
    assert Path(f"/proc/{state['pid']}").exists()
    assert engine.out() == ""
    engine("start", "web")
    engine.until("running")
    assert engine("exec", "web", "sh", "-c", "echo in $0; exit 7", check=False).returncode == 7
    assert json.loads(engine("ps", "--format", "json", "web").stdout) == [state["pid"]]
    assert engine("delete", "web", check=False).returncode == 1
    engine("kill", "web", "KILL")
    engine.until("stopped")
    assert engine.out() == "hello\nsandbox\n"
    assert "container not running" in engine("kill", "web", check=False).stderr
    engine("delete", "web")
    assert engine("state", "web", check=False).returncode == 1
    assert engine("list", "--quiet").stdout == ""


def test_the_process_in_the_pid_file_has_the_exit_status(engine: Engine) -> None:
    """As a shim does: adopt orphans, and wait for that process."""
    engine.configure("sh", "-c", "exit 5")
    script = f"""
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
line = [sys.executable, "-I", "-S", "-c", {STARTER!r}, "--root", {str(engine.root)!r}]
out = open(os.devnull, "w")
pid_file = {str(engine.folder / "pid")!r}
create = [*line, "create", "--bundle", {str(engine.bundle)!r}, "--pid-file", pid_file, "web"]
subprocess.run(create, check=True, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
pid = int(open(pid_file).read())
subprocess.run([*line, "start", "web"], check=True)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=TIME, check=True
    )
    assert run.stdout == "5\n"


def test_run(engine: Engine) -> None:
    engine.configure("sh", "-c", "echo out; echo err >&2; exit 9")
    run = engine("run", "--bundle", str(engine.bundle), "web", check=False)
    assert (run.returncode, run.stdout, run.stderr) == (9, "out\n", "err\n")
    assert engine("list", "--quiet").stdout == ""


def test_kill_before_start(engine: Engine) -> None:
    engine.configure("sleep", "100")
    engine.quietly("create", "--bundle", str(engine.bundle), "web")
    engine("kill", "web", "9")
    engine.until("stopped")
    engine("delete", "web")


def test_signals_reach_the_program(engine: Engine) -> None:
    engine.configure("sh", "-c", "trap 'echo got; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    engine.quietly("create", "--bundle", str(engine.bundle), "web")
    engine("start", "web")
    end = time.monotonic() + TIME
    while engine.out() != "ready\n" and time.monotonic() < end:
        time.sleep(0.02)
    engine("kill", "web")
    engine.until("stopped")
    assert engine.out() == "ready\ngot\n"


def test_killing_the_sentry_ends_the_container(engine: Engine) -> None:
    engine.configure("sleep", "100")
    engine.quietly("create", "--bundle", str(engine.bundle), "--pid-file", str(engine.folder / "pid"), "web")
    engine("start", "web")
    program = engine.state()["pid"]
    os.kill(int((engine.folder / "pid").read_text(encoding="utf-8")), signal.SIGKILL)
    engine.until("stopped")
    end = time.monotonic() + 2
    while Path(f"/proc/{program}").exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_failed_create_leaves_nothing(engine: Engine) -> None:
    def bad(config: dict[str, Any]) -> None:
        config["linux"]["sysctl"] = {"net.ipv4.ip_forward": "maybe"}

    engine.configure("sleep", "100", change=bad)
    run = engine("create", "--bundle", str(engine.bundle), "web", check=False)
    assert run.returncode == 1
    assert "SBX018" in run.stderr
    assert engine("list", "--quiet").stdout == ""
    last = json.loads(engine.log.read_text(encoding="utf-8").splitlines()[-1])
    assert (last["level"], "ip_forward" in last["msg"]) == ("error", True)


def test_a_limit_that_cannot_be_raised(engine: Engine) -> None:
    if int(_status("CapEff"), 16) >> 24 & 1:
        pytest.skip("this root may raise limits")

    def more(config: dict[str, Any]) -> None:
        config["process"]["rlimits"] = [{"type": "RLIMIT_RTPRIO", "soft": 50, "hard": 50}]

    engine.configure("sleep", "100", change=more)
    assert "SBX017" in engine("create", "--bundle", str(engine.bundle), "web", check=False).stderr


def _status(name: str) -> str:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return line.split()[1]
    raise KeyError(name)


def test_hooks_in_order(engine: Engine) -> None:
    out = engine.folder / "hooks"
    stages = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")

    def hooked(config: dict[str, Any]) -> None:
        config["hooks"] = {
            stage: [{"path": "/bin/sh", "args": ["sh", "-c", f"echo {stage} >> {out}"]}] for stage in stages
        }
        # This one is a program of the container's.
        config["hooks"]["startContainer"][0]["args"][2] = "grep -q created && hostname >> /inside"
        config["hostname"] = "startContainer"
        (engine.bundle / "rootfs" / "inside").symlink_to("hooks/hooks")
        config["mounts"].append({"destination": "/hooks", "source": str(engine.folder), "options": ["bind"]})

    engine.configure("sleep", "100", change=hooked)
    engine.quietly("create", "--bundle", str(engine.bundle), "web")
    assert out.read_text(encoding="utf-8").split() == list(stages[:3])
    engine("start", "web")
    assert out.read_text(encoding="utf-8").split() == list(stages[:5])
    engine("delete", "--force", "web")
    assert out.read_text(encoding="utf-8").split() == list(stages)


def test_a_program_of_the_container_fails_as_a_hook(engine: Engine) -> None:
    def hooked(config: dict[str, Any]) -> None:
        config["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "exit 4"]}]}

    engine.configure("sleep", "100", change=hooked)
    engine.quietly("create", "--bundle", str(engine.bundle), "web")
    run = engine("start", "web", check=False)
    assert (run.returncode, "startContainer hook /bin/sh failed with status 4" in run.stderr) == (1, True)


def test_a_hook_that_fails_undoes_the_container(engine: Engine) -> None:
    def hooked(config: dict[str, Any]) -> None:
        config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}

    engine.configure("sleep", "100", change=hooked)
    assert "SBX115" in engine("create", "--bundle", str(engine.bundle), "web", check=False).stderr
    assert engine("list", "--quiet").stdout == ""


def test_a_terminal(engine: Engine) -> None:
    def terminal(config: dict[str, Any]) -> None:
        config["process"] |= {"terminal": True, "consoleSize": {"height": 30, "width": 100}}

    engine.configure("sh", "-c", "tty; stty size", change=terminal)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(engine.folder / "console"))
    listener.listen()
    engine(
        "create", "--bundle", str(engine.bundle), "--console-socket", str(engine.folder / "console"), "web"
    )
    sock, _ = listener.accept()
    _, ancillary, _, _ = sock.recvmsg(100, 100)
    (master,) = array.array("i", ancillary[0][2])
    engine("start", "web")
    text = b""
    while b"30 100" not in text:
        text += os.read(master, 1000)
    assert text.startswith(b"/dev/pts/0")
    for item in (sock, listener):
        item.close()
    os.close(master)


def test_pause_limits_and_figures(engine: Engine) -> None:
    def bounded(config: dict[str, Any]) -> None:
        config["linux"]["resources"] = {"memory": {"limit": 1 << 27}, "pids": {"limit": 50}}

    engine.configure("sleep", "100", change=bounded)
    engine.quietly("create", "--bundle", str(engine.bundle), "web")
    engine("start", "web")
    engine("pause", "web")
    assert engine.state()["status"] == "paused"
    assert engine("exec", "web", "true", check=False).returncode == 1
    engine("resume", "web")
    engine("update", "--memory", str(1 << 26), "web")
    event = json.loads(engine("events", "--stats", "web").stdout)
    assert event["data"]["memory"]["usage"]["limit"] == 1 << 26
    assert event["data"]["pids"]["limit"] == 50
    assert 'sekisho_sandbox_running{sandbox="web"} 1' in engine("metrics").stdout
    assert "nanosleep" in engine("trace", "web").stdout


def test_exec_from_a_file(engine: Engine) -> None:
    engine.configure("sleep", "100")
    engine.quietly("create", "--bundle", str(engine.bundle), "web")
    engine("start", "web")
    process = {
        "args": ["sh", "-c", "id -u; echo $A; pwd"],
        "cwd": "/usr",
        "env": ["A=b"],
        "user": {"uid": 12, "gid": 13},
    }
    (engine.folder / "process.json").write_text(json.dumps(process), encoding="utf-8")
    assert engine("exec", "--process", str(engine.folder / "process.json"), "web").stdout == "12\nb\n/usr\n"
    pid = engine.folder / "exec.pid"
    engine.quietly("exec", "--detach", "--pid-file", str(pid), "web", "sleep", "50")
    assert len(json.loads(engine("ps", "--format", "json", "web").stdout)) == 2
    os.kill(int(pid.read_text(encoding="utf-8")), signal.SIGKILL)


def test_two_containers_of_a_pod(engine: Engine) -> None:
    """The second joins the first one's network, IPC and host name, and reaches its port."""
    engine.configure("sleep", "100", change=lambda config: config.update(hostname="pod"))
    engine.quietly("create", "--bundle", str(engine.bundle), "--pid-file", str(engine.folder / "pid"), "web")
    engine("start", "web")
    pid = (engine.folder / "pid").read_text(encoding="utf-8")

    def joined(config: dict[str, Any]) -> None:
        kinds = {"network": "net", "ipc": "ipc", "uts": "uts"}
        config["linux"]["namespaces"] = [
            {"type": "pid"}, {"type": "mount"},
            *({"type": kind, "path": f"/proc/{pid}/ns/{name}"} for kind, name in kinds.items()),
        ]  # fmt: skip

    engine.configure("hostname", change=joined)
    run = engine("run", "--bundle", str(engine.bundle), "other")
    assert run.stdout == "pod\n"


def test_port_forward(engine: Engine) -> None:
    server = (
        "import socket; s = socket.create_server(('127.0.0.1', 8080)); print('up', flush=True); "
        "c, _ = s.accept(); c.sendall(c.recv(100).upper()); c.close()"
    )
    engine.configure(*_python(), "-I", "-S", "-c", server, change=_with_python)
    engine.quietly("create", "--bundle", str(engine.bundle), "web")
    engine("start", "web")
    end = time.monotonic() + TIME
    while engine.out() != "up\n" and time.monotonic() < end:
        time.sleep(0.05)
    line = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        STARTER,
        "--root",
        str(engine.root),
        "port-forward",
        "web",
        "8080",
    ]
    run = subprocess.run(line, input=b"ping", capture_output=True, timeout=TIME, check=True)
    assert run.stdout == b"PING"


def _python() -> tuple[str]:
    return (str(Path(sys.executable).resolve()),)


def _with_python(config: dict[str, Any]) -> None:
    prefix = str(Path(_python()[0]).parents[1])
    config["mounts"].append({"destination": prefix, "source": prefix, "options": ["rbind", "ro"]})


def test_a_root_with_a_long_path(engine: Engine) -> None:
    """A socket's address holds 107 bytes; engines have longer roots than that."""
    engine.root = engine.folder / ("long" * 30)
    engine.configure("sleep", "100")
    engine.quietly("create", "--bundle", str(engine.bundle), "web")
    engine("start", "web")
    assert engine("exec", "web", "sh", "-c", "echo in").stdout == "in\n"


def test_devices_without_hardware(engine: Engine) -> None:
    def devices(config: dict[str, Any]) -> None:
        config["linux"]["devices"] = [
            {"path": "/dev/zero2", "type": "c", "major": 1, "minor": 5, "fileMode": 0o600, "uid": 5},
            {"path": "/dev/deep/fifo", "type": "p", "fileMode": 0o640},
            {"path": "/dev/null", "type": "c", "major": 1, "minor": 3},
        ]

    engine.configure("sh", "-c", "ls -ln /dev/zero2 /dev/deep | cut -c1-15", change=devices)
    run = engine("run", "--bundle", str(engine.bundle), "web")
    assert run.stdout.split() == ["crw-------", "1", "5", "/dev/deep:", "total", "0", "prw-r-----", "1", "0"]
