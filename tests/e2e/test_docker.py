"""Containers of Docker on our runtime, by its own daemon in namespaces of its own.

Opt-in (``make e2e``), as root, where dockerd and a static busybox are installed. No registry is asked.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.runtime_tools.__main__ import our_runtime
from tests.e2e import engines
from tests.e2e.test_engines import pytestmark as opted

pytestmark = [
    *opted,
    pytest.mark.skipif(shutil.which("dockerd") is None or shutil.which("docker") is None, reason="no Docker"),
    pytest.mark.skipif(shutil.which("busybox") is None, reason="no busybox"),
]
Docker = Callable[..., str]
ON_US = ("--runtime", "sekisho", "--network", "none")


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    folder = tmp_path_factory.mktemp("docker")
    socket = folder / "docker.sock"
    root = engines.busybox_root(folder)
    assert root is not None
    with our_runtime() as runtime:
        words = (
            "dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--host=unix://{socket}",
            f"--pidfile={folder}/pid", "--cgroup-parent=/sekisho-docker", "--bridge=none", "--iptables=false", f"--add-runtime=sekisho={runtime}",
        )  # fmt: skip

        def command(*words: str, status: int = 0) -> str:
            done = engines.run("docker", *words, check=False, DOCKER_HOST=f"unix://{socket}")
            assert done.returncode == status, done.stderr
            return done.stdout

        with engines.daemon(folder, socket, *words, group="sekisho-docker"):
            command("load", "--input", str(engines.archive(root, folder / "image.tar", "box:1")))
            yield command


def test_run_and_its_status(docker: Docker) -> None:
    assert docker("run", "--rm", *ON_US, "box:1", "/bin/echo", "hello") == "hello\n"
    docker("run", "--rm", *ON_US, "box:1", "/bin/sh", "-c", "exit 7", status=7)


def test_it_is_a_sandbox(docker: Docker) -> None:
    shown = docker(
        "run", "--rm", *ON_US, "box:1", "/bin/sh", "-c", "ls /proc/self/root/bin/busybox; cat /proc/1/status"
    )
    assert "busybox" in shown
    assert "Seccomp:\t2" in shown


def test_the_life_of_a_container(docker: Docker) -> None:
    script = "echo started; trap 'echo bye; exit 3' TERM; while :; do sleep 0.1; done"
    limits = ("--memory", "64m", "--cpus", "0.5", "--pids-limit", "50")
    docker("run", "--detach", "--name", "web", *ON_US, *limits, "box:1", "/bin/sh", "-c", script)
    try:
        end = time.monotonic() + engines.TIME
        while "started" not in docker("logs", "web"):
            assert time.monotonic() < end
        inside = docker("exec", "--user", "1000", "--env", "A=1", "web", "/bin/sh", "-c", "id -u; echo $A")
        assert inside == "1000\n1\n"
        assert "started" in docker("top", "web")
        assert "64MiB" in docker("stats", "--no-stream", "web")
        docker("pause", "web")
        assert "(Paused)" in docker("ps", "--format", "{{.Status}}")
        docker("unpause", "web")
        docker("stop", "--time", "10", "web")
        assert docker("logs", "web").endswith("bye\n")
        assert docker("inspect", "--format", "{{.State.ExitCode}}", "web") == "3\n"
        docker("start", "web")
        docker("kill", "web")
    finally:
        docker("rm", "--force", "web")


def test_files_in_and_out(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("from outside", encoding="utf-8")
    mount = ("--volume", f"{tmp_path}:/data:ro")
    docker("run", "--name", "files", *ON_US, *mount, "box:1", "/bin/sh", "-c", "cat /data/given > /made")
    try:
        docker("cp", "files:/made", str(tmp_path / "taken"))
        assert (tmp_path / "taken").read_text(encoding="utf-8") == "from outside"
    finally:
        docker("rm", "files")
